"""Both commands refuse a wrong value of an option: status 2, one line that names the option, and no other output.

The options are those of the parsers, so that a new one is tried as well.
"""

import argparse
import inspect
import re
from pathlib import Path

import pytest

import kfgn.lab.cli
from kfgn.lab.options import Options

kfgn_conformance = pytest.importorskip("kfgn_conformance")

from kfgn_conformance import cli as kit  # noqa: E402

USAGE = 2

ANYTHING = {
    "empty": "",
    "space": " ",
    "word": "x",
    "markup": "[/b]",
    "surrogate": "\udc80",
    "control": "\x1b[31m",
    "None": "None",
    "True": "True",
    "list": "[1]",
    "quoted": "'1'",
    "unit": "1s",
    "comma": "1,5",
    "hexadecimal": "0x10",
    "two numbers": "1 2",
    "two lines": "1\nx",
}
NO_NUMBER = ANYTHING | {"NaN": "nan", "infinity": "inf", "minus infinity": "-inf", "huge": "1e999", "negative": "-1"}
TEXT = {
    int: NO_NUMBER | {"half": "1.5", "exponent": "1e1", "hundreds of digits": "9" * 400, "thousands": "9" * 5000},
    float: NO_NUMBER,
    str: {kind: ANYTHING[kind] for kind in ("empty", "space", "word", "markup", "surrogate", "control", "two lines")},
    Path: {"empty": "", "zero": "a\0b", "folder that is not there": "no/such/folder"},
}

KFGN = {"train": ("--data", "digits", "--updates", "1", "--out", "run")}
KFGN["compare"] = ("--methods", "kfra", *KFGN["train"])
KFGN["show"] = ()
KFGN["backends"] = ()
KIT = {
    "run": ("--backend", "numpy", "--examples", "1"),
    "report": ("--html", "page.html", "no.jsonl"),
    "certify": ("--examples", "1"),
    "vectors": ("list",),
    "equations": (),
}

# option: what is right in it, by command and kind
ACCEPTED = {
    ("kfgn", "out", "folder that is not there"): "the folder of a run is made",
    ("kfgn", "data_folder", "folder that is not there"): "digits need no file",
    ("kfgn-check", "seed", "negative"): "the seed of a generator of Python may be negative",
}


class WentOnError(Exception):
    """The sign that the command has gone on to its work."""


def options_of(parser):
    """The options and arguments of each command: (command, action)."""
    (commands,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    for command, sub in commands.choices.items():
        for action in sub._actions:
            if not isinstance(action, argparse._HelpAction):
                yield command, action


def lines():
    """Each line: the program, the function, the base of the command, the action, and the kind and text that are bad."""
    for program, main, parser, base in (
        ("kfgn", kfgn.lab.cli.main, kfgn.lab.cli.parser(), KFGN),
        ("kfgn-check", kit.main, kit.parser(), KIT),
    ):
        for command, action in options_of(parser):
            if action.nargs == 0 or (command, action.dest) == ("show", "out"):  # which needs a run
                continue
            for kind, text in TEXT[_type_of(action)].items():
                if (program, action.dest, kind) not in ACCEPTED:
                    yield program, main, command, base[command], action, kind, text


def _type_of(action):
    """The kind of text that an option takes, by the name of the function that reads it."""
    if action.metavar in ("FOLDER", "FILE", "RUN", "JSONL") or action.dest == "folder":
        return Path
    return {None: str, str: str, float: float}.get(action.type, int)


def arguments(command, base, action, text):
    """The words of the line: the option in the place of the right one."""
    words = list(base)
    if not action.option_strings:
        replaced = {"reports": "no.jsonl", "action": "list"}.get(action.dest)
        return [command, *(word for word in words if word != replaced), text]
    option = action.option_strings[-1]
    while option in words:
        i = words.index(option)
        del words[i : i + 2]
    if text.startswith("-"):
        return [command, *words, f"{option}={text}"]
    return [command, *words, option, text]


def fault(main, words, dest, captured, *names):
    """The fault in the end of a line, or None."""
    try:
        status = main(words)
    except SystemExit as error:
        status = error.code
    except BaseException as error:
        return f"{type(error).__name__}: {str(error)[:200]}"
    out, err = captured.readouterr()
    said = [line for line in err.splitlines() if line.strip()]
    last = said[-1] if said else ""
    if status != USAGE:
        return f"expected status 2, got {status}: {last[:200]!r}"
    if out:
        return f"expected nothing on standard output, got {out[:200]!r}"
    if "Traceback" in err or len(err) > 20_000:
        return f"expected one line of error, got {err[-300:]!r}"
    told = "\n".join(line for line in said if not line.startswith(("usage:", "     ")))  # usage has every name
    if "error: " not in told and "not usable" not in told:
        return f"expected an error, got {last[:200]!r}"
    if not any(name in told for name in (dest, dest.replace("_", "-"), *names)):
        return f"expected an error that names {dest}, got {told[:300]!r}"
    return None


@pytest.fixture(autouse=True)
def _no_work(monkeypatch, tmp_path):
    """Replace the work of the commands, so that an accepted line shows at once and leaves nothing behind."""

    def went_on(*_args, **_options):
        raise WentOnError

    monkeypatch.chdir(tmp_path)
    for name in ("run", "run_in_processes", "drawn", "problem_set"):
        monkeypatch.setattr(kit, name, went_on, raising=False)
    monkeypatch.setattr("kfgn_conformance.golden.load", went_on)
    monkeypatch.setattr("kfgn_conformance.golden.faults", went_on)
    monkeypatch.setattr("kfgn.lab.trainer._trained", went_on)


@pytest.mark.parametrize("program", ["kfgn", "kfgn-check"])
def test_bad_options(program, capfd, tmp_path):
    faults, n = [], 0
    for of, main, command, base, action, kind, text in lines():
        if of == program:
            n += 1
            words = arguments(command, base, action, text)
            # an argument without an option is named by what it is
            extra = (
                ("run", "report", "vectors", "folder", "unrecognized") if not action.option_strings else ("backend",)
            )
            if said := fault(main, words, action.dest, capfd, *extra):
                faults.append(f"{program} {command} {action.dest}={kind}: {said}")
            if left := sorted(path.name for path in tmp_path.iterdir()):
                faults.append(f"{program} {command} {action.dest}={kind}: it left {left}")
                break
    assert n > 50
    assert not faults, f"{len(faults)} of {n}:\n" + "\n".join(faults)


@pytest.mark.parametrize(
    ("main", "words"),
    [
        (kfgn.lab.cli.main, []),
        (kfgn.lab.cli.main, ["fit"]),
        (kfgn.lab.cli.main, ["train"]),
        (kfgn.lab.cli.main, ["train", "--out"]),
        (kfgn.lab.cli.main, ["train", "--out", "run", "--bogus", "1"]),
        (kfgn.lab.cli.main, ["train", "--out", "run", "extra"]),
        (kfgn.lab.cli.main, ["compare", "--out", "run"]),
        (kfgn.lab.cli.main, ["compare", "--out", "run", "--methods"]),
        (kfgn.lab.cli.main, ["show"]),
        (kfgn.lab.cli.main, ["backends", "extra"]),
        (kit.main, ["fit"]),
        (kit.main, ["--bogus"]),
        (kit.main, ["run", "extra"]),
        (kit.main, ["report"]),
        (kit.main, ["vectors"]),
        (kit.main, ["vectors", "list", "folder", "extra"]),
        (kit.main, ["equations", "1", "2"]),
    ],
)
def test_lines_that_are_no_command(main, words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == USAGE
    told = capsys.readouterr()
    assert told.out == ""
    assert re.search(r"^kfgn(-check)?( \w+)?: error: ", told.err, re.MULTILINE)


def test_what_is_accepted_goes_on(capsys):
    """The reasons hold: these lines reach the work."""
    for main, words in (
        (kfgn.lab.cli.main, ["train", "--data", "digits", "--updates", "1", "--out", "no/such/folder"]),
        (kfgn.lab.cli.main, ["train", *KFGN["train"], "--data-folder", "no/such/folder"]),
        (kit.main, ["run", *KIT["run"], "--seed", "-1"]),
    ):
        with pytest.raises(WentOnError):
            main(words)
    capsys.readouterr()


def test_every_option_of_a_run_is_an_option_of_the_command():
    known = {action.dest for command, action in options_of(kfgn.lab.cli.parser()) if command == "train"}
    assert set(inspect.signature(Options).parameters) <= known
