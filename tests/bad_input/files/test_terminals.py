"""Names of users, and standard output as it may be: one plain line, never a traceback."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from kfgn_conformance import cli, problem_sets
from kfgn_conformance.cases import cases

from kfgn.lab import Options, UsageError, read_run, train
from kfgn.lab.cli import main
from kfgn.lab.tasks import open_task

from .commands import call, fault_of_error

NAMES = ["adam[lr=0.1]", "x[/y]", "[bold red]x", ":smile:", "a\x1b[31mb", "a\nb", "\u202ea", "$x^{$", "\udcff", "µ"]
LONG = "x" * 300

KFGN = (sys.executable, "-m", "kfgn.lab")
CHECK = (sys.executable, "-m", "kfgn_conformance")


def shown(name):
    """As it is to be printed."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_is_printed_as_it_is(name, tmp_path):
    folder = tmp_path / name
    done = call(main, "train", "--data", "digits", "--updates", 1, "--out", folder)
    assert (done.status, done.err) == (0, "")
    assert shown(name) in done.out
    assert read_run(folder).updates == 1
    done = call(main, "show", folder, "--out", tmp_path / f"{name}.png")
    assert (done.status, done.err) == (0, "")
    assert f"drawn: {shown(str(tmp_path / name))}.png\n" in done.out
    done = call(main, "train", "--data", "digits", "--updates", 1, "--out", folder)
    assert (done.status, fault_of_error(done, shown(name))) == (2, "")


@pytest.mark.parametrize("name", NAMES)
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
    monkeypatch.setattr(problem_sets, "REAL_PROBLEMS", {})
    monkeypatch.setattr(problem_sets, "cases", lambda: cases()[:1])
    monkeypatch.setattr(problem_sets, "walks", tuple)


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
    assert f"RuntimeError: {shown(name)}" in " ".join(done.out.split("\n")).replace("  ", " ")
    assert all(line.isprintable() for line in done.out.split("\n"))
    assert call(cli.main, "report", lines, "--html", tmp_path / "again.html").status == 0
    assert page.read_text(encoding="utf-8") == (tmp_path / "again.html").read_text(encoding="utf-8")
    assert all(line.isprintable() for line in page.read_text(encoding="utf-8").split("\n"))


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
        (main, ("train", "--nothing\x1b[31m")),
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
        patch.setattr(problem_sets, "REAL_PROBLEMS", {})
        patch.setattr(problem_sets, "cases", lambda: cases()[:1])
        patch.setattr(problem_sets, "walks", tuple)
        assert call(cli.main, "--backend", "numpy", "--examples", 0, "--jsonl", path).status == 0


def started(*command, **options):
    return subprocess.run(
        list(map(str, command)), stderr=subprocess.PIPE, text=True, check=False, env=os.environ, **options
    )


def unwritten(command, number):
    """The one line."""
    program = "kfgn" if command[2] == "kfgn.lab" else "kfgn-check"
    return f"{program}: error: standard output could not be written: {os.strerror(number)}\n"


PRINTING = [
    (*KFGN, "backends"),
    (*KFGN, "--help"),
    (*CHECK, "equations"),
    (*CHECK, "equations", "26"),
    (*CHECK, "--help"),
    (*CHECK, "vectors", "list"),
]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("command", PRINTING, ids=lambda command: " ".join(command[2:]))
def test_a_full_standard_output_is_one_line(command):
    with Path("/dev/full").open("w") as full:
        done = started(*command, stdout=full)
    assert done.returncode == 4
    assert done.stderr == unwritten(command, errno.ENOSPC)


@pytest.mark.skipif(os.name != "posix", reason="pipes are another thing there")
@pytest.mark.parametrize("command", PRINTING, ids=lambda command: " ".join(command[2:]))
def test_a_closed_pipe_is_one_line(command):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed:
        done = started(*command, stdout=closed)
    assert done.returncode == 4
    assert done.stderr == unwritten(command, errno.EPIPE)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_run_is_kept_where_its_table_cannot_be_printed(tmp_path):
    with Path("/dev/full").open("w") as full:
        command = (*KFGN, "train", "--data", "digits", "--updates", 3, "--out", tmp_path / "run")
        done = started(*command, stdout=full)
    assert done.returncode == 4
    assert done.stderr.count("\n") == 1
    assert read_run(tmp_path / "run").updates == 3
    assert (tmp_path / "run" / "loss.png").exists()
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*KFGN, "show", str(tmp_path / "none")], stderr=full, check=False)
    assert done.returncode == 2


ASCII = {
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "strict": {"PYTHONIOENCODING": "ascii:strict"},
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


@pytest.mark.parametrize("encoding", ASCII)
def test_an_ascii_standard_output_takes_every_letter(encoding, tmp_path, monkeypatch):
    for name, value in ASCII[encoding].items():
        monkeypatch.setenv(name, value)
    commands = [(*CHECK, "equations"), (*CHECK, "equations", 26), (*CHECK, "vectors", "list"), (*CHECK, "--help")]
    commands += [(*KFGN, "--help"), (*KFGN, "train", "--data", "digits", "--updates", 1, "--out", tmp_path / "µ")]
    for command in commands:
        done = started(*command, stdout=subprocess.PIPE)
        assert (done.returncode, done.stderr) == (0, ""), command
        assert done.stdout.isascii()
    assert "\\xb5" in done.stdout


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
