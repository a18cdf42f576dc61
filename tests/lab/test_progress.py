"""`kfgn.lab.progress` and `kfgn.lab.progress_bar`: a line of progress fits in the width of the terminal."""

import contextlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from kfgn.lab import Options
from kfgn.lab.progress import progress_on
from kfgn.lab.progress_parts import fitting

RECORD = {
    "update": 12345,
    "seconds": 1234.5,
    "loss": 0.000123456,
    "validation_loss": 0.0123456,
    "step_size": -0.0123456,
    "tau": 1.2345e-06,
    "gamma": 7.6543e-06,
}
RUNS = [("digits", "kfra", None), ("mnist-odd", "adam", 0.000976), ("digits", "momentum", 0.0123)]


@pytest.fixture(autouse=True)
def no_interval(monkeypatch):
    monkeypatch.setattr("kfgn.lab.progress.INTERVAL", 0.0)


def printed(width, *, terminal, runs=RUNS, update=12345, **limit):
    """The last lines of the progress of several runs, as a terminal shows them."""
    stream = io.StringIO()
    with progress_on(Console(file=stream, force_terminal=terminal, width=width)) as progress:
        for data, method, rate in runs:
            progress.on_start(Options(data, method, learning_rate=rate, **limit), 0, 0.0, Path())
            progress.start -= 60  # the seconds of this process so far
            progress.on_updates([{**RECORD, "update": update}])
    lines = [Text.from_ansi(line).plain.rstrip() for line in re.split(r"[\r\n]+", stream.getvalue())]
    return [line for line in lines if line][-len(runs) :]


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("limit", [{"updates": 20000}, {"seconds": 3600.0}, {"updates": 20000, "seconds": 3600.0}])
def test_a_line_fits_in_80_columns(limit, terminal):
    for line in printed(80, terminal=terminal, **limit):
        assert cell_len(line) <= 80
        assert "…" not in line
        assert "12345" in line
        assert "loss 0.000123" in line


@pytest.mark.parametrize("terminal", [True, False])
def test_the_usual_line_of_80_columns_has_the_speed(terminal):
    (line,) = printed(80, terminal=terminal, runs=RUNS[:1], update=190, updates=200)
    assert re.search(r"loss 0.000123,? validation loss 0.0123,? 3.17/s$", line)


@pytest.mark.parametrize("terminal", [True, False])
def test_a_validation_loss_has_its_update_if_it_is_older(terminal):
    """The loss of update 0 is not that of the update of the line."""
    stream = io.StringIO()
    with progress_on(Console(file=stream, force_terminal=terminal, width=120)) as progress:
        progress.on_start(Options("digits", updates=200), 0, 0.0, Path())
        progress.on_updates([{**RECORD, "update": 50}])
        later = {name: value for name, value in RECORD.items() if name != "validation_loss"}
        progress.on_updates([{**later, "update": 60}])
    shown = Text.from_ansi(stream.getvalue()).plain
    assert re.search(r"60( of |/)200,? loss 0.000123,? validation loss 0.0123 at 50\b", shown)


def test_60_columns_have_the_update_and_the_loss():
    for line in printed(60, terminal=True, updates=20000):
        assert cell_len(line) <= 60
        assert "12345/20000 loss 0.000123" in line
    assert printed(60, terminal=True, updates=20000)[-1].startswith("digits, SGD with mom")


def test_200_columns_have_everything():
    first, *others = printed(200, terminal=False, updates=20000)
    assert first.endswith("/s, tau 1.23e-06, gamma 7.65e-06, alpha -0.0123")
    for line in others:
        assert line.endswith("/s, tau 1.23e-06, gamma 7.65e-06, rate 0.0123")


def test_the_rate_of_a_rejected_step_has_no_sign(monkeypatch):
    monkeypatch.setitem(RECORD, "step_size", 0.0)
    (line,) = printed(200, terminal=False, runs=RUNS[1:2], updates=20000)
    assert line.endswith(", rate 0")


def test_a_long_name_does_not_hide_the_loss():
    (line,) = printed(80, terminal=True, runs=[("数字" * 40, "kfra", None)], updates=20000)
    assert cell_len(line) <= 80
    assert "…" in line
    assert "12345/20000 loss 0.000123" in line


def test_the_first_part_is_never_left_out():
    assert fitting(["update 10", "loss 1"], ", ", 3) == "update 10"
    assert fitting(["a", "b", "cc", "d"], " ", 4) == "a b"


@pytest.mark.skipif(os.name != "posix", reason="this system has no pseudo-terminals")
@pytest.mark.parametrize("columns", [pytest.param(80, marks=pytest.mark.thorough), 60])
def test_the_bar_fits_in_a_pseudo_terminal(columns, tmp_path):
    """The command runs with a terminal of this width, and every frame of the bar is within it."""
    shown = on_terminal(columns, "train", "--data", "digits", "--updates", "150", "--out", str(tmp_path / "run"))
    frames = [Text.from_ansi(line).plain for line in re.split(r"[\r\n]+", shown) if "KFRA" in line]
    assert any("150/150 loss " in frame for frame in frames)
    for frame in frames:
        assert "…" not in frame
        assert cell_len(frame.rstrip()) <= columns


def on_terminal(columns, *arguments):
    """Return the output of the command `kfgn` on a pseudo-terminal."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"} | {"TERM": "xterm"}
    program = [sys.executable, "-m", "kfgn.lab", *arguments]
    with subprocess.Popen(program, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # Linux reports the end of the other side as an error
            while part := os.read(ours, 65536):
                shown += part
    os.close(ours)
    assert process.returncode == 0
    return shown.decode()
