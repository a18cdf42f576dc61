"""The command `kfgn-check certify`, and the commands that run without python-flint."""

import subprocess
import sys

import pytest
from kfgn_conformance import QUANTITIES, certified, cli
from kfgn_conformance.quantities import REFERENCE_ONLY


@pytest.mark.thorough
def test_certify_prints_every_quantity(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    assert cli.main(["certify", "--examples", "1"]) == cli.PASSED
    out = capsys.readouterr().out
    assert "…" not in out
    first = [line.split()[0] for line in out.splitlines() if line.strip()]
    for quantity in (*QUANTITIES.values(), *REFERENCE_ONLY):
        assert first.count(quantity.name) == 1
    assert "compared with balls of 256 bits on 1 random problem" in " ".join(out.split())


def found(**changes):
    """A good accuracy, with the given changes."""
    return certified.Accuracy(QUANTITIES["loss"], **{"ratio": 0.5, "asked": 1, **changes})


@pytest.mark.parametrize(
    ("accuracies", "status"),
    [
        ([found(), found()], "PASSED"),
        ([found(ratio=1.0)], "PASSED"),
        ([found(), found(ratio=1.01)], "FAILED"),
        ([found(ratio=float("nan"))], "FAILED"),
        ([found(), found(asked=0, undecided=1)], "NOTHING_CHECKED"),
    ],
)
def test_the_exit_status_of_certify(accuracies, status, monkeypatch):
    monkeypatch.setattr(certified, "certify", lambda problems, progress: accuracies)
    assert cli.main(["certify", "--examples", "1"]) == getattr(cli, status)


def test_a_note_names_only_the_reasons_that_occur(monkeypatch, capsys):
    accuracies = [found(undecided=2), found(loose=1), found(undecided=1, loose=3)]
    monkeypatch.setattr(certified, "certify", lambda problems, progress: accuracies)
    cli.main(["certify", "--examples", "1"])
    printed = " ".join(capsys.readouterr().out.split())
    for note in (
        "not compared on 2 problems without a certified value note",
        "not compared on 1 problem with too large a tolerance note",
        "not compared on 1 problem without a certified value, and on 3 problems with too large a tolerance The",
    ):
        assert note in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--examples", "0"], "--examples: expected 1 or more, got 0"),
        (["--examples", "-1"], "--examples: expected 1 or more, got -1"),
        (["--backend", "numpy"], "expected options of kfgn-check certify, got --backend numpy"),
    ],
)
def test_wrong_usage_of_certify(arguments, message, capsys):
    with pytest.raises(SystemExit) as exit_:
        cli.main(["certify", *arguments])
    assert exit_.value.code == cli.USAGE
    assert message in " ".join(capsys.readouterr().err.split())


def without(library, *arguments):
    """Run the command in a process in which the library cannot be imported."""
    program = (
        f"import sys; sys.modules[{library!r}] = None; sys.argv[1:] = {list(arguments)!r}; "
        "from kfgn_conformance.__main__ import main; sys.exit(main())"
    )
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


def test_without_flint_certify_prints_the_command_that_installs_it():
    done = without("flint", "certify", "--examples", "1")
    assert done.returncode == cli.USAGE
    assert done.stderr.endswith("kfgn-check: flint is not installed: pip install 'kfgn[exact]'\n")
    assert "Traceback" not in done.stderr


def test_without_flint_the_equations_are_printed():
    done = without("flint", "equations", "26")
    assert (done.returncode, done.stderr) == (cli.PASSED, "")
