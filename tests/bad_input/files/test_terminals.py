"""Unusual names and standard outputs: one plain line, never a traceback."""

import errno
import io
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from kfgn_conformance import cli, golden
from kfgn_conformance.output import Output
from kfgn_conformance.problems import standard
from kfgn_conformance.problems.cases import cases

from kfgn.lab import Options, UsageError, read_run, train
from kfgn.lab.cli import main
from kfgn.lab.tasks import open_task

from .commands import call, fault_of_error

NAMES = ["adam[lr=0.1]", "x[/y]", "[bold red]x", ":smile:", "a\x1b[31mb", "a\nb", "\u202ea", "$x^{$", "\udcff", "µ"]
LONG = "x" * 300

KFGN = (sys.executable, "-m", "kfgn.lab")


def shown(name):
    """The text in the form in which it must be printed."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_is_printed_as_it_is(name, tmp_path):
    folder = tmp_path / name
    done = call(main, "train", "--data", "digits", "--updates", 1, "--out", folder)
    assert (done.status, done.err) == (0, "")
    assert shown(folder.name) in done.out
    assert read_run(folder).updates == 1
    done = call(main, "show", folder, "--out", tmp_path / f"{name}.png")
    assert (done.status, done.err) == (0, "")
    assert f"drawn: {shown(str(tmp_path / name))}.png\n" in done.out
    done = call(main, "train", "--data", "digits", "--updates", 1, "--out", folder)
    assert (done.status, fault_of_error(done, shown(name))) == (2, "")


@pytest.mark.parametrize("name", NAMES[:3])
def test_a_comparison_is_printed_as_it_is(name, tmp_path):
    done = call(main, "compare", "--data", "digits", "--methods", "adam:0.1", "--updates", 1, "--out", tmp_path / name)
    assert (done.status, done.err) == (0, "")
    assert f"drawn: {shown(str(tmp_path / name))}/comparison.png\n" in done.out


@pytest.mark.parametrize("name", ["$x^{$", "_hidden", "[/b]", "\x1b[31m", "\u4e00"])
def test_a_task_of_ones_own_is_drawn_by_its_name(name, tmp_path):
    run = train(Options(name, updates=1), tmp_path / "run", task=open_task("digits"))
    assert run.updates == 1
    assert call(main, "show", tmp_path / "run").status == 0


ADAPTER = """
from kfgn_conformance.adapters import Description
from kfgn_conformance.diagnosis.textbook import Textbook

class Mine:
    def __init__(self, dtype):
        self.dtype = dtype
    def describe(self):
        return Description({name!r}, {name!r}, self.dtype, frozenset({{"gradient", "q"}}), {{{name!r}: {name!r}}})
    def compute(self, problem, quantity):
        if quantity == "q":
            raise RuntimeError({name!r})
        return tuple(array.astype(self.dtype) for array in Textbook(problem).answer(quantity))
"""


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(standard, "REAL_PROBLEMS", {})
    monkeypatch.setattr(standard, "cases", lambda: cases()[:1])
    monkeypatch.setattr(standard, "fixed", tuple)
    monkeypatch.setattr(standard, "trajectory_problems", tuple)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", ["a [/b]", "[red]a", "a\x1b[31m", "a\nb", "\u202ea", ":smile:", "\udcff", "<b>"])
def test_an_adapter_is_printed_as_it_is(name, tmp_path, monkeypatch):
    module = f"named_{NAMES_OF_ADAPTERS.setdefault(name, len(NAMES_OF_ADAPTERS))}"
    (tmp_path / f"{module}.py").write_text(ADAPTER.format(name=name), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    lines, page = tmp_path / "report.jsonl", tmp_path / "page.html"
    given = ("--adapter", f"{module}:Mine", "--in-process", "--dtype", "float64", "--examples", 0)
    done = call(cli.main, *given, "--jsonl", lines, "--html", page)
    assert done.status == cli.FAILED
    message = shown(" ".join(name.split()))  # a message of several lines is printed on one
    assert f"RuntimeError: {message}" in " ".join(done.out.split("\n")).replace("  ", " ")
    assert all(line.isprintable() for line in done.out.split("\n"))
    assert call(cli.main, "report", lines, "--html", tmp_path / "again.html").status == 0
    assert page.read_text(encoding="utf-8") == (tmp_path / "again.html").read_text(encoding="utf-8")
    assert all(line.isprintable() for line in page.read_text(encoding="utf-8").split("\n"))


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("name", ["a [/b]", "[red]a", "a\x1b]0;b\x07"])
def test_what_is_being_done_is_shown_as_it_is(name, terminal, monkeypatch):
    """The name of an adapter is on this line while it is asked in other orders."""
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("FORCE_COLOR" if terminal else "NO_COLOR", "1")
    with Output(stderr=True).progress() as show:
        show(f"checking {name}")
        time.sleep(0.2 if terminal else 0)  # until it is drawn
    assert (shown(name) in stream.getvalue()) == terminal
    assert "\x07" not in stream.getvalue()


NAMES_OF_ADAPTERS: dict[str, int] = {}
"""A module for each name."""


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        (main, ("train", "--data", "digits", "--updates", 1, "--out", LONG)),
        (main, ("train", "--resume", "--out", LONG)),
        (main, ("train", "--data", "mnist", "--updates", 1, "--data-folder", LONG, "--out", "out")),
        (main, ("compare", "--data", "digits", "--methods", "kfra", "--updates", 1, "--out", LONG)),
        (main, ("show", LONG)),
        (main, ("show", "run", "--out", LONG)),
        (cli.main, ("report", LONG, "--html", "page.html")),
        (cli.main, ("report", "report.jsonl", "--html", LONG)),
        (cli.main, ("--expected", LONG)),
        (cli.main, ("--jsonl", LONG)),
        (cli.main, ("--html", LONG)),
        (cli.main, ("vectors", "list", LONG)),
        (cli.main, ("vectors", "verify", LONG)),
        (cli.main, ("vectors", "list", "\x1b[31m")),
        (cli.main, ("--backend", "\x1b[31m")),
        (cli.main, ("--nothing\x1b[31m",)),
        (main, ("train", "--out", "out", "--nothing\x1b[31m")),
        (main, ("show", "\x1b[31m")),
        (main, ("train", "--data", "\x1b[31m", "--updates", 1, "--out", "out")),
    ],
    ids=lambda value: None if callable(value) else " ".join(map(str, value))[:40].replace("\x1b", "ESC"),
)
def test_a_name_that_cannot_be(command, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if "run" in arguments:
        train(Options("digits", updates=1), "run")
    if "report.jsonl" in arguments:
        _report(tmp_path / "report.jsonl")
    done = call(command, *arguments)
    assert done.status in (1, 2, 4)
    assert fault_of_error(done, LONG, "ESC", "x1b[31m") == ""


def _report(path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(standard, "REAL_PROBLEMS", {})
        patch.setattr(standard, "cases", lambda: cases()[:1])
        patch.setattr(standard, "fixed", tuple)
        patch.setattr(standard, "trajectory_problems", tuple)
        assert call(cli.main, "--backend", "numpy", "--examples", 0, "--jsonl", path).status == 0


class Unwritten(io.RawIOBase):
    """A standard output that takes nothing, for the reason of a number, until it is closed."""

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
    (main, "--help"),
    (cli.main, "equations"),
    (cli.main, "equations", 26),
    (cli.main, "vectors", "list", "vectors"),
    (cli.main, "vectors", "verify", "vectors"),
    (cli.main, "vectors", "--help"),
    (cli.main, "--backend", "numpy", "--examples", 0),
]


@pytest.fixture
def room(tmp_path, monkeypatch):
    """A folder with the files that the commands read."""
    monkeypatch.chdir(tmp_path)
    train(Options("digits", updates=1), "run")
    (tmp_path / "vectors").mkdir()
    (tmp_path / "vectors" / "loss.json").write_bytes((golden.FOLDER / "loss.json").read_bytes())


@pytest.mark.usefixtures("small", "room")
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EPIPE], ids=["full", "closed"])
def test_a_standard_output_that_takes_nothing_is_one_line(number, monkeypatch):
    monkeypatch.setattr("kfgn_conformance.golden.checking.CAN_CERTIFY", False)  # balls take most of the time
    for command, *arguments in PRINTING:
        for buffered in (True, False):
            raw = Unwritten(number)
            stream = io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", write_through=not buffered)
            done = call(command, *arguments, stdout=stream)
            raw.number = 0
            program = "kfgn" if command is main else "kfgn-check"
            line = f"{program}: error: standard output could not be written: {os.strerror(number)}\n"
            assert (done.status, done.err) == (4, line), arguments


@pytest.mark.usefixtures("small", "room")
def test_an_ascii_standard_output_takes_every_letter(monkeypatch):
    monkeypatch.setattr("kfgn_conformance.golden.checking.CAN_CERTIFY", False)
    for command, *arguments in PRINTING:
        content = io.BytesIO()
        stream = io.TextIOWrapper(content, encoding="ascii")
        done = call(command, *arguments, stdout=stream)
        assert done.err == "", arguments
        assert done.status == (1 if "verify" in arguments else 0)  # a fault: there is no manifest
        assert content.getvalue().isascii()
        if command is cli.main and arguments == ["equations", 26]:
            assert rb"\u" in content.getvalue()


ASCII = {
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


@pytest.mark.parametrize("encoding", ASCII)
def test_an_ascii_environment(encoding):
    """The same in a process of its own."""
    program = [sys.executable, "-m", "kfgn_conformance", "equations", "26"]
    done = subprocess.run(program, capture_output=True, check=False, env={**os.environ, **ASCII[encoding]})
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.isascii()


@pytest.mark.skipif(os.name != "posix", reason="pipes are another thing there")
def test_a_pipe_that_was_closed():
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed:
        program = [sys.executable, "-m", "kfgn.lab", "--help"]
        done = subprocess.run(program, stdout=closed, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 4
    assert done.stderr == f"kfgn: error: standard output could not be written: {os.strerror(errno.EPIPE)}\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_run_is_kept_where_its_table_cannot_be_printed(tmp_path):
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


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.usefixtures("small")
def test_a_report_that_cannot_be_written_is_named_and_printed():
    done = call(cli.main, "--backend", "numpy", "--examples", 0, "--jsonl", "/dev/full")
    assert done.status == cli.UNWRITTEN
    assert fault_of_error(done, "/dev/full") == ""
    assert "error / tolerance" in done.out


def test_files_are_written_before_the_table(tmp_path, monkeypatch):
    monkeypatch.setattr("kfgn.lab.cli.print_runs", lambda runs, console: (_ for _ in ()).throw(UsageError("no table")))
    train(Options("digits", updates=1), tmp_path / "run")
    assert call(main, "show", tmp_path / "run", "--out", tmp_path / "picture.png").status == 2
    assert (tmp_path / "picture.png").exists()


def test_a_picture_that_cannot_be_written_loses_no_table(tmp_path):
    train(Options("digits", updates=1), tmp_path / "run")
    (tmp_path / "picture.png").mkdir()
    done = call(main, "show", tmp_path / "run", "--out", tmp_path / "picture.png")
    assert (done.status, fault_of_error(done, "picture.png could not be written")) == (1, "")
    assert f"{read_run(tmp_path / 'run').final():.5g}" in done.out


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="who may write everywhere is not refused")
def test_a_folder_that_may_not_be_written(tmp_path):
    tmp_path.chmod(0o500)
    done = call(main, "train", "--data", "digits", "--updates", 1, "--out", tmp_path / "run")
    assert (done.status, fault_of_error(done, "run")) == (1, "")
    done = call(cli.main, "--jsonl", tmp_path / "report.jsonl")
    assert (done.status, fault_of_error(done, "report.jsonl")) == (2, "")


def test_show_looks_at_runs_and_comparisons(tmp_path):
    adam = ("--methods", "adam:0.01", "--updates", 2, "--out")
    for folder in ("one", "two"):
        assert call(main, "compare", "--data", "digits", *adam, tmp_path / folder).status == 0
    assert call(main, "train", "--data", "digits", "--updates", 1, "--out", tmp_path / "alone").status == 0
    done = call(main, "show", tmp_path)
    assert done.status == 0
    for name in ("alone", "one/adam-0.01", "two/adam-0.01"):
        assert any(line.startswith(name) for line in done.out.splitlines())
    assert (tmp_path / "comparison.png").exists()
