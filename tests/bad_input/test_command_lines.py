"""Both commands refuse a wrong value of an option: status 2, one line that names the option, and no other output.

The options are taken from the parsers, so a new option is tested automatically.
"""

import argparse
import re
from pathlib import Path

import pytest

import kfgn.lab.cli

kfgn_conformance = pytest.importorskip("kfgn_conformance")

from kfgn_conformance import cli as kit  # noqa: E402
from kfgn_conformance.option_parts import adapter_name, seconds  # noqa: E402
from kfgn_conformance.problems.cases import cases  # noqa: E402

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

# the values that are valid, by program, option and kind
ACCEPTED = {
    ("kfgn", "out", "folder that is not there"): "train makes the folder of a run",
    ("kfgn", "data_folder", "folder that is not there"): "digits need no file",
    ("kfgn-check", "seed", "negative"): "a seed of a generator of Python may be negative",
    ("kfgn-check", "equations", "word"): "the title of (57) has the word x",
}


class WorkStartedError(Exception):
    """A sign that the command has started its work."""


def options_of(parser):
    """Yield each command with each of its options and arguments."""
    (commands,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    for command, sub in commands.choices.items():
        for action in sub._actions:
            if not isinstance(action, argparse._HelpAction):
                yield command, action


def lines():
    """Yield program, function, command, its valid words, the option, and the kind and text of a bad value."""
    for program, main, parser, base in (
        ("kfgn", kfgn.lab.cli.main, kfgn.lab.cli.parser(), KFGN),
        ("kfgn-check", kit.main, kit.parser(), KIT),
    ):
        for command, action in options_of(parser):
            if action.nargs == 0 or (command, action.dest) == ("show", "out"):  # needs a run
                continue
            for kind, text in TEXT[_type_of(action)].items():
                if (program, action.dest, kind) not in ACCEPTED:
                    yield program, main, command, base[command], action, kind, text


def _type_of(action):
    """Return the type of an option from its metavariable and the function that converts it."""
    if action.metavar in ("FOLDER", "FILE", "RUN", "JSONL") or action.dest == "folder":
        return Path
    return {None: str, str: str, float: float, seconds: float, adapter_name: str}.get(action.type, int)


def arguments(command, base, action, text):
    """Return the words of a command line with the bad value instead of the valid one."""
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
    """Return the fault in the result of a command line, or None."""
    try:
        status = main(words)
    except SystemExit as error:
        status = error.code
    except BaseException as error:
        return f"{type(error).__name__}: {str(error)[:200]}"
    out, err = captured.readouterr()
    lines = [line for line in err.splitlines() if line.strip()]
    last = lines[-1] if lines else ""
    if status != USAGE:
        return f"expected status 2, got {status}: {last[:200]!r}"
    if out:
        return f"expected nothing on standard output, got {out[:200]!r}"
    if "Traceback" in err or len(err) > 20_000:
        return f"expected one line of error, got {err[-300:]!r}"
    message = "\n".join(
        line for line in lines if not line.startswith(("usage:", "     "))
    )  # the usage names every option
    if "error: " not in message and "not usable" not in message:
        return f"expected an error, got {last[:200]!r}"
    if not any(name in message for name in (dest, dest.replace("_", "-"), *names)):
        return f"expected an error that names {dest}, got {message[:300]!r}"
    return None


@pytest.fixture(autouse=True)
def _no_work(monkeypatch, tmp_path):
    """Replace the work of the commands, so that an accepted line is detected at once and writes no files."""

    def start_work(*_args, **_options):
        raise WorkStartedError

    monkeypatch.chdir(tmp_path)
    for name in ("run", "run_in_processes", "drawn"):
        monkeypatch.setattr(kit, name, start_work, raising=False)
    monkeypatch.setattr(kit, "problem_set", lambda *_: cases()[:2])  # --problem needs ids
    monkeypatch.setattr("kfgn_conformance.golden.load", start_work)
    monkeypatch.setattr("kfgn_conformance.golden.faults", start_work)
    monkeypatch.setattr("kfgn.lab.trainer._trained", start_work)


@pytest.mark.parametrize("program", ["kfgn", "kfgn-check"])
def test_bad_options(program, capfd, tmp_path):
    faults, n = [], 0
    for of, main, command, base, action, kind, text in lines():
        if of == program:
            n += 1
            words = arguments(command, base, action, text)
            # an error about a positional argument does not contain its name
            extra = (
                ("run", "report", "vectors", "folder", "unrecognized") if not action.option_strings else ("backend",)
            )
            if found := fault(main, words, action.dest, capfd, *extra):
                faults.append(f"{program} {command} {action.dest}={kind}: {found}")
            if left := sorted(path.name for path in tmp_path.iterdir()):
                faults.append(f"{program} {command} {action.dest}={kind}: it wrote {left}")
                break
    assert n > 50
    assert not faults, f"{len(faults)} of {n}:\n" + "\n".join(faults)


@pytest.mark.parametrize(
    ("main", "words"),
    [
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
    ],
)
def test_lines_without_a_valid_command(main, words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == USAGE
    printed = capsys.readouterr()
    assert printed.out == ""
    assert re.search(r"^kfgn(-check)?( \w+)?: error: ", printed.err, re.MULTILINE)


def test_accepted_values_start_the_work(capsys):
    """The values in `ACCEPTED` are valid: these lines start the work."""
    for main, words in (
        (kfgn.lab.cli.main, ["train", "--data", "digits", "--updates", "1", "--out", "no/such/folder"]),
        (kfgn.lab.cli.main, ["train", *KFGN["train"], "--data-folder", "no/such/folder"]),
        (kit.main, ["run", *KIT["run"], "--seed", "-1"]),
    ):
        with pytest.raises(WorkStartedError):
            main(words)
    capsys.readouterr()
