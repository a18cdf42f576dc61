"""Standard outputs that are full, closed or limited to ASCII: one plain line, never a traceback."""

import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from kfgn_conformance import cli, golden
from kfgn_conformance.output import Output

from kfgn.lab import Options, read_run, train
from kfgn.lab.cli import main

from .commands import CHECK, call

pytestmark = pytest.mark.usefixtures("unrendered")

KFGN = (sys.executable, "-m", "kfgn.lab")


class Unwritten(io.RawIOBase):
    """A standard output whose writes fail with an error number, until the number is 0."""

    def __init__(self, number):
        self.number = number

    def writable(self):
        return True

    def write(self, content):
        if self.number:
            raise OSError(self.number, os.strerror(self.number))
        return len(content)


PRINTING = [
    (main, "show", "run"),
    (main,),
    (main, "--help"),
    (main, "--version"),
    (cli.main, "equations"),
    (cli.main, "equations", 26),
    (cli.main, "vectors", "list", "vectors"),
    (cli.main, "vectors", "verify", "vectors"),
    (cli.main, "vectors", "--help"),
    (cli.main, "--version"),
    (cli.main, *CHECK),
]


@pytest.fixture
def room(tmp_path, monkeypatch):
    """Make a folder with the files that the commands read, and change to it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Output, "print_to_pipe", lambda *_: None)  # the lines of progress on standard error
    train(Options("digits", updates=1), "run")
    (tmp_path / "vectors").mkdir()
    (tmp_path / "vectors" / "loss.json").write_bytes((golden.FOLDER / "loss.json").read_bytes())


@pytest.mark.usefixtures("small", "room")
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EPIPE], ids=["full", "closed"])
def test_a_failing_standard_output_is_one_line(number, monkeypatch):
    monkeypatch.setattr("kfgn_conformance.golden.checking.CAN_CERTIFY", False)  # certification takes most of the time
    for command, *arguments in PRINTING:
        if command is cli.main and number == errno.EPIPE:  # tests/conformance/test_closed_pipes.py
            continue
        for buffered in (True, False):
            raw = Unwritten(number)
            stream = io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", write_through=not buffered)
            done = call(command, *arguments, stdout=stream)
            raw.number = 0
            program = "kfgn" if command is main else "kfgn-check"
            line = f"{program}: error: standard output could not be written: {os.strerror(number)}\n"
            left = command is main and number == errno.EPIPE  # the reader has ended, which is no error
            assert (done.status, done.err) == ((0, "") if left else (4, line)), arguments


@pytest.mark.usefixtures("small", "room")
def test_an_ascii_standard_output_gets_every_character(monkeypatch):
    monkeypatch.setattr("kfgn_conformance.golden.checking.CAN_CERTIFY", False)
    for command, *arguments in PRINTING:
        content = io.BytesIO()
        stream = io.TextIOWrapper(content, encoding="ascii")
        done = call(command, *arguments, stdout=stream)
        assert done.err == "", arguments
        assert done.status == (1 if "verify" in arguments else 0)  # the manifest is missing
        assert content.getvalue().isascii()
        if command is cli.main and arguments == ["equations", 26]:
            assert rb"\u" in content.getvalue()


ASCII = {
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


@pytest.mark.parametrize("encoding", ASCII)
def test_an_ascii_environment(encoding):
    """The same in a separate process."""
    program = [sys.executable, "-m", "kfgn_conformance", "equations", "26"]
    done = subprocess.run(program, capture_output=True, check=False, env={**os.environ, **ASCII[encoding]})
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.isascii()


@pytest.mark.skipif(os.name != "posix", reason="pipes differ on this system")
def test_a_closed_pipe():
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed:
        program = [sys.executable, "-m", "kfgn.lab", "--help"]
        done = subprocess.run(program, stdout=closed, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_run_is_kept_if_its_table_cannot_be_printed(tmp_path):
    with Path("/dev/full").open("w") as full:
        command = [*KFGN, "train", "--data", "digits", "--updates", "3", "--out", str(tmp_path / "run")]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 4
    assert done.stderr.count("\n") == 1
    assert read_run(tmp_path / "run").updates == 3
    assert (tmp_path / "run" / "loss.png").exists()
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*KFGN, "show", str(tmp_path / "none")], stderr=full, check=False)
    assert done.returncode == 2
