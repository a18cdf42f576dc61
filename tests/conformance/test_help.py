"""The help texts of `kfgn-check`, its version, and the command that it runs by default."""

import argparse
import re
import shlex
from importlib.metadata import version

import pytest
from kfgn_conformance import cli
from kfgn_conformance.options import parser


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], {"examples": 15, "seed": 0, "backend": None}),
        (["--examples", "3", "--backend", "numpy"], {"examples": 3, "backend": ["numpy"]}),
        (["run", "--seed", "7"], {"examples": 15, "seed": 7}),
    ],
)
def test_bare_options_mean_run(arguments, expected, monkeypatch):
    seen = []
    monkeypatch.setattr(cli, "_run", lambda options, given: seen.append(vars(given)) or cli.PASSED)
    assert cli.main(arguments) == cli.PASSED
    (given,) = seen
    assert given["command"] == "run"
    assert expected.items() <= given.items()


def test_the_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit) as exit_:
        cli.main(["--version"])
    assert exit_.value.code == 0
    assert capsys.readouterr().out == f"kfgn-check {version('kfgn')}\n"


def parsers():
    """The parser of the command line, and those of its commands, by name."""
    top = parser()
    (commands,) = (action for action in top._actions if isinstance(action, argparse._SubParsersAction))
    return {"": top, **commands.choices}


@pytest.mark.parametrize("command", parsers())
def test_every_option_is_explained_in_sentences(command):
    for action in parsers()[command]._actions:
        if not isinstance(action, argparse._SubParsersAction):
            assert action.help[0].isupper() or action.help.startswith("list: "), action.dest
            assert action.help.endswith("."), action.dest


@pytest.mark.parametrize("command", parsers())
def test_every_help_has_examples_that_are_valid_and_fit_a_terminal(command, capsys, monkeypatch):
    """Each example is a command that the parser accepts, below a sentence."""
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        cli.main([*[command] * bool(command), "--help"])
    out = capsys.readouterr().out
    assert all(len(line) <= 80 for line in out.splitlines())
    lines = out.partition("examples:\n")[2].partition("\n\n")[0].splitlines()
    assert lines
    for purpose, line in zip(lines[::2], lines[1::2], strict=True):
        assert re.fullmatch(r"  # [A-Z].*\.", purpose)
        program, *given = shlex.split(line)
        assert program == "kfgn-check"
        if "--help" not in given:
            parser().parse_args(given if given and given[0] in parsers() else ["run", *given])


def test_the_options_of_a_run_are_in_groups():
    groups = {
        group.title: [action.dest for action in group._group_actions] for group in parsers()["run"]._action_groups
    }
    assert list(groups)[2:] == ["what to check", "problems", "limits and processes", "reports"]
    assert groups["options"] == ["help"]


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_names_the_commands(flag, capsys):
    with pytest.raises(SystemExit) as exit_:
        cli.main([flag])
    assert exit_.value.code == 0
    assert "{run,report,certify,vectors,equations,mistakes}" in capsys.readouterr().out


def test_an_unknown_command(capsys):
    with pytest.raises(SystemExit) as exit_:
        cli.main(["prove"])
    assert exit_.value.code == cli.USAGE
    assert "got prove" in capsys.readouterr().err
