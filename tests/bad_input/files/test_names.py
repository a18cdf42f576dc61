"""Unusual names of folders, files, tasks and adapters are printed literally, on one line."""

import io
import time

import pytest
from kfgn_conformance import cli
from kfgn_conformance.output import Output

from kfgn.lab import Options, read_run, train
from kfgn.lab.cli import main
from kfgn.lab.tasks import open_task

from .commands import CHECK, call, fault_of_error, leave_one_case

pytestmark = pytest.mark.usefixtures("unrendered")

NAMES = ["adam[lr=0.1]", "x[/y]", "[bold red]x", ":smile:", "a\x1b[31mb", "a\nb", "\u202ea", "$x^{$", "\udcff", "µ"]


SOME = [
    name
    if name in ("adam[lr=0.1]", "x[/y]", "a\x1b[31mb", "\udcff")
    else pytest.param(name, marks=pytest.mark.thorough)
    for name in NAMES
]

LONG = "x" * 300


def shown(name):
    """Return the text as it must be printed."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


@pytest.mark.parametrize("name", SOME)
def test_a_folder_is_printed_literally(name, tmp_path):
    folder = tmp_path / name
    done = call(main, "train", "--data", "digits", "--updates", 1, "--out", folder)
    assert (done.status, done.err) == (0, "")
    assert shown(folder.name) in done.out
    assert read_run(folder).updates == 1
    done = call(main, "show", folder, "--out", tmp_path / f"{name}.png")
    assert (done.status, done.err) == (0, "")
    assert f"picture: {shown(str(tmp_path / name))}.png\n" in done.out
    done = call(main, "train", "--data", "digits", "--updates", 1, "--out", folder)
    assert (done.status, fault_of_error(done, shown(name))) == (2, "")


@pytest.mark.parametrize("name", NAMES[:3])
def test_a_comparison_is_printed_literally(name, tmp_path):
    given = ("--data", "digits", "--methods", "adam:0.1", "--updates", 1, "--quiet", "--out", tmp_path / name)
    done = call(main, "compare", *given)
    assert (done.status, done.err) == (0, "")
    assert f"picture: {shown(str(tmp_path / name))}/comparison.png\n" in done.out


@pytest.mark.usefixtures("rendered")
@pytest.mark.parametrize("name", ["$x^{$", "_hidden", "[/b]", "\x1b[31m", "\u4e00"])
def test_the_name_of_a_task_is_drawn_literally(name, tmp_path):
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


NAMES_OF_ADAPTERS: dict[str, int] = {}
"""The number of the module of each name."""


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    "name",
    [
        *("a [/b]", "a\x1b[31m", "\udcff", "<b>"),
        *(pytest.param(name, marks=pytest.mark.thorough) for name in ("[red]a", "a\nb", "\u202ea", ":smile:")),
    ],
)
def test_an_adapter_is_printed_literally(name, tmp_path, monkeypatch):
    module = f"named_{NAMES_OF_ADAPTERS.setdefault(name, len(NAMES_OF_ADAPTERS))}"
    (tmp_path / f"{module}.py").write_text(ADAPTER.format(name=name), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    lines, page = tmp_path / "report.jsonl", tmp_path / "page.html"
    given = ("--adapter", f"{module}:Mine", "--in-process", "--dtype", "float64", "--examples", 0)
    done = call(cli.main, *given, "--jsonl", lines, "--html", page)
    assert done.status == cli.FAILED
    message = shown(" ".join(name.split()))  # a message of several lines is printed on one line
    assert f"RuntimeError: {message}" in " ".join(done.out.split("\n")).replace("  ", " ")
    assert all(line.isprintable() for line in done.out.split("\n"))
    assert call(cli.main, "report", lines, "--html", tmp_path / "again.html").status == 0
    assert page.read_text(encoding="utf-8") == (tmp_path / "again.html").read_text(encoding="utf-8")
    assert all(line.isprintable() for line in page.read_text(encoding="utf-8").split("\n"))


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("name", ["a [/b]", "[red]a", "a\x1b]0;b\x07"])
def test_progress_is_printed_literally(name, terminal, monkeypatch):
    """The progress line has the name of an adapter while its answers are repeated in other orders."""
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("FORCE_COLOR" if terminal else "NO_COLOR", "1")
    with Output(stderr=True).progress() as show:
        show(f"checking {name}")
        time.sleep(0.2 if terminal else 0)  # until the line is drawn
    assert (shown(name) in stream.getvalue()) == terminal
    assert "\x07" not in stream.getvalue()


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
def test_impossible_names(command, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if "run" in arguments:
        train(Options("digits", updates=1), "run")
    if "report.jsonl" in arguments:
        write_report(tmp_path / "report.jsonl")
    done = call(command, *arguments)
    assert done.status in (1, 2, 4)
    assert fault_of_error(done, LONG, "ESC", "x1b[31m") == ""


def write_report(path):
    with pytest.MonkeyPatch.context() as patch:
        leave_one_case(patch)
        assert call(cli.main, *CHECK, "--jsonl", path).status == 0
