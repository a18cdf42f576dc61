"""`kfgn.lab.cli`: the output of the command, its exit status, and one line for each error."""

import argparse
import os
import re
import subprocess
import sys
from dataclasses import fields

import pytest

import kfgn
from kfgn._algebra.damping import INVERSIONS
from kfgn._network.objectives import OBJECTIVES
from kfgn._network.transfers import TRANSFERS
from kfgn.backends import BACKENDS
from kfgn.lab import METHODS, TASKS, Options, read_run
from kfgn.lab.cli import main, parser


def run(*arguments):
    return main([str(argument) for argument in arguments])


def train(out, *more):
    return run("train", "--data", "digits", "--updates", 12, "--out", out, *more)


def test_train_prints_the_final_loss(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("kfgn.lab.progress.INTERVAL", 3600.0)  # longer than the run on a busy machine
    assert train(tmp_path / "a") == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    final = read_run(tmp_path / "a").final()
    assert f"{final:.5g}" in printed.out


def test_resume_continues(tmp_path):
    train(tmp_path / "a")
    assert run("train", "--resume", "--out", tmp_path / "a", "--updates", 20) == 0
    assert read_run(tmp_path / "a").updates == 20


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--data", "cifar", "--updates", 1), "data: expected one of digits"),
        (("--updates", 1), "data: expected one of digits"),
        (("--data", "digits"), "--updates, --seconds: expected at least one of them, got neither"),
        (("--data", "digits", "--updates", 1, "--method", "x"), "method: expected one of kflr"),
        (("--data", "digits", "--updates", 1, "--backend", "x"), "backend: expected one of numpy"),
        (("--data", "mnist", "--updates", 1, "--data-folder", "nowhere"), "nowhere/mnist"),
        (("--resume",), "expected the folder of a run, got no folder"),
    ],
)
def test_wrong_usage_is_one_line(arguments, message, tmp_path, capsys):
    assert run("train", *arguments, "--out", tmp_path / "a") == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("kfgn: error: ")
    assert printed.err.count("\n") == 1
    assert message in printed.err
    assert not (tmp_path / "a").exists()


def test_a_folder_that_is_not_empty_is_not_changed(tmp_path, capsys):
    train(tmp_path / "a")
    before = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert train(tmp_path / "a") == 2
    assert "is not empty; add --resume to continue its run, or choose another folder" in capsys.readouterr().err
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == before
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "thesis.tex").touch()
    assert train(tmp_path / "b") == 2
    assert "b is not empty; choose another folder" in capsys.readouterr().err


def test_a_run_that_fails_has_status_1(tmp_path, capsys):
    diverges = ("--method", "sgd", "--learning-rate", "1e30", "--max-rejected", 3)
    assert train(tmp_path / "a", *diverges) == 1
    printed = capsys.readouterr().err
    assert f"the last 3 steps up to update 3 of the run in {tmp_path / 'a'} were rejected" in printed
    assert "because a value was not finite; scale the columns of X" in printed
    assert printed.endswith(f"; to show the results: kfgn show {tmp_path / 'a'}\n")


@pytest.mark.parametrize("missing", ["rich", "safetensors", "matplotlib"])
def test_a_missing_extra_is_named(missing, tmp_path, capsys, monkeypatch):
    import importlib

    real = importlib.import_module

    def without(name, package=None):
        if name.split(".")[0] == missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", without)
    assert train(tmp_path / "a") == 2
    printed = capsys.readouterr().err
    assert missing in printed
    assert "is not installed: pip install 'kfgn[train]'" in printed


WITHOUT_THE_EXTRA = """
import sys

for name in ("rich", "safetensors", "matplotlib", "pooch"):
    sys.modules[name] = None  # an import of it fails

import kfgn.lab.cli

print(kfgn.lab.cli.parser().prog)
"""


def test_the_lab_imports_without_the_extra():
    """In a separate process, since this one has imported the modules, and tests patch them."""
    program = [sys.executable, "-c", WITHOUT_THE_EXTRA]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("kfgn\n", "")


def test_a_damping_out_of_range_is_named(tmp_path, capsys):
    assert train(tmp_path / "a", "--gamma", -1) == 2
    assert "kfra: --gamma: initial" in capsys.readouterr().err


def test_seconds_end_a_run(tmp_path):
    assert run("train", "--data", "digits", "--seconds", 0.5, "--out", tmp_path / "a") == 0
    finished = read_run(tmp_path / "a")
    assert finished.seconds >= 0.5 > finished.metrics[-2]["seconds"] - 0.3  # the clock is read after several updates


def test_show_prints_and_draws_if_asked(tmp_path, capsys):
    train(tmp_path / "a")
    train(tmp_path / "b", "--seed", 1)
    for name in ("loss.png", "damping.png"):
        (tmp_path / "a" / name).unlink()
    before = sorted(tmp_path.rglob("*"))
    assert run("show", tmp_path / "a") == run("show", tmp_path) == 0
    assert sorted(tmp_path.rglob("*")) == before
    assert run("show", tmp_path / "a", "--draw") == 0
    assert (tmp_path / "a" / "loss.png").exists()
    assert (tmp_path / "a" / "damping.png").exists()
    capsys.readouterr()
    assert run("show", tmp_path, "--draw") == 0  # both
    printed = capsys.readouterr().out
    for name in "ab":
        assert f"{read_run(tmp_path / name).final():.5g}" in printed
    assert (tmp_path / "comparison.png").exists()
    assert run("show", tmp_path / "a", "--out", tmp_path / "mine.png") == 0
    assert (tmp_path / "mine.png").exists()
    assert run("show", tmp_path / "nowhere") == 2
    assert "nowhere: expected the folder of a run, got no folder" in capsys.readouterr().err


def test_the_version_is_printed(capsys):
    with pytest.raises(SystemExit) as ended:
        run("--version")
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"kfgn {kfgn.__version__}\n"


def test_without_a_command_examples_are_printed(capsys):
    assert run() == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    examples = [line.split()[1:] for line in printed.out.splitlines() if line.startswith("  kfgn ")]
    assert len(examples) == 6
    for words in examples[:-1]:  # each of them is a valid command line
        assert parser().parse_args(words).command in {"train", "compare", "show"}


@pytest.mark.skipif(os.name != "posix", reason="pipes differ on this system")
@pytest.mark.parametrize("arguments", ["train --help", "show {runs}", ""])
def test_a_reader_that_leaves_is_no_error(arguments, tmp_path):
    """As in `kfgn train --help | head -1`."""
    train(tmp_path / "a")
    words = arguments.format(runs=tmp_path).split()
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as pipe:
        program = [sys.executable, "-m", "kfgn.lab", *words]
        done = subprocess.run(program, stdout=pipe, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def _actions(command):
    (commands,) = (action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
    return [action for action in commands.choices[command]._actions if not isinstance(action, argparse._HelpAction)]


@pytest.mark.parametrize("command", ["train", "compare", "show"])
def test_the_help_of_each_option_is_a_sentence(command):
    """The sentence begins with an imperative, so it has a verb."""
    verbs = {"Train", "Compute", "Draw", "Give", "Minimise", "Write", "Read", "Stop", "Use", "Evaluate", "Split"}
    verbs |= {"Add", "Invert", "Begin", "Take", "Halve", "Print", "Continue"}
    for action in _actions(command):
        assert action.help.split()[0] in verbs, action.dest
        assert action.help[0].isupper(), action.dest
        assert action.help.endswith("."), action.dest
        assert "the same" not in action.help, action.dest


@pytest.mark.parametrize("command", [[], ["train"], ["compare"], ["show"], ["backends"]])
def test_the_help_fits_in_80_columns(command, capsys, monkeypatch):
    """Only an example may be longer, since a user copies it."""
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        run(*command, "--help")
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if len(line) > 80 and not line.startswith("  kfgn ")] == []


@pytest.mark.parametrize("command", ["train", "compare", "show"])
def test_the_help_has_examples(command, capsys):
    with pytest.raises(SystemExit):
        run(command, "--help")
    examples = capsys.readouterr().out.partition("\nexamples:\n")[2].splitlines()
    assert examples
    for line in examples:
        assert parser().parse_args(line.split()[1:]).command == command


def test_every_name_that_an_option_takes_is_in_the_help(capsys):
    with pytest.raises(SystemExit):
        run("train", "--help")
    words = set(re.findall(r"[\w-]+", capsys.readouterr().out))
    for names in (TASKS, METHODS, BACKENDS, TRANSFERS, OBJECTIVES, INVERSIONS):
        assert set(names) <= words


def test_every_option_of_a_run_is_an_option_of_the_command():
    known = {action.dest for action in _actions("train")}
    assert {field.name for field in fields(Options)} | {"out", "resume", "quiet", "tensorboard"} == known


def test_the_defaults_in_the_help_are_those_of_the_options(capsys):
    with pytest.raises(SystemExit):
        run("train", "--help")
    text = " ".join(capsys.readouterr().out.split())
    for name in (
        "method",
        "backend",
        "dtype",
        "seed",
        "split_seed",
        "max_rejected",
        "checkpoint_every",
    ):
        (default,) = (field.default for field in fields(Options) if field.name == name)
        assert f"(default: {default})." in text


def test_there_is_no_separate_device(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        train(tmp_path / "a", "--backend", "torch", "--device", "cuda")
    assert ended.value.code == 2
    assert "unrecognized arguments: --device cuda" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()
