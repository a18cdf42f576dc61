"""Expected failures. They do not fail a run. Other failures do, and so does an expected failure that passes."""

import importlib.util
from pathlib import Path

import kfgn_conformance.adapters.peers
import pytest
from kfgn_conformance import cli
from kfgn_conformance.decoding import FileError
from kfgn_conformance.expected import Expected, read_expected
from kfgn_conformance.problem_sets import standard
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.quantities import ROWS
from kfgn_conformance.reports import read_records

PEERS = Path(kfgn_conformance.adapters.peers.__file__).parent / "expected.toml"
ADAPTER = """
from kfgn_conformance.adapters import Description
from kfgn_conformance.diagnosis import MISTAKES
from kfgn_conformance.diagnosis.textbook import Textbook

class Halved:
    "KFRA of the squared error without its half, and no KFRA of the softmax."
    def __init__(self, dtype):
        self.dtype = dtype
    def describe(self):
        return Description("halved", "1", self.dtype, frozenset({"kfra", "gradient"}))
    def compute(self, problem, quantity):
        if quantity == "kfra" and problem.objective == "categorical":
            raise RuntimeError("no softmax")
        wrong = MISTAKES["loss-without-its-half"].textbook if quantity == "kfra" else Textbook
        return tuple(array.astype(self.dtype) for array in wrong(problem).answer(quantity))
"""
FAILURE = """
[[failure]]
adapter = "halved"
dtype = "float64"
quantity = "{}"
problems = "{}"
status = "{}"
reason = "issue 7"
"""
SQUARED, SOFTMAX = (
    FAILURE.format("kfra", "case-squared_error-*", "FAIL"),
    FAILURE.format("kfra", "case-categorical-*", "ERROR"),
)


@pytest.fixture
def check(tmp_path, monkeypatch):
    """A run of kfgn-check on the adapter with expected failures. It returns the exit status and the cell of KFRA."""
    monkeypatch.setattr(standard, "REAL_PROBLEMS", {})
    monkeypatch.setattr(standard, "cases", lambda: [p for p in cases() if p.transfers[0] == "tanh"])
    monkeypatch.setattr(standard, "fixed", tuple)
    monkeypatch.setattr(standard, "trajectory_problems", tuple)
    (tmp_path / "halved_adapter.py").write_text(ADAPTER)
    monkeypatch.syspath_prepend(tmp_path)

    def run(expected):
        (tmp_path / "expected.toml").write_text(expected)
        given = ["--adapter", "halved_adapter:Halved", "--in-process", "--dtype", "float64", "--examples", "0"]
        files = ["--expected", str(tmp_path / "expected.toml"), "--jsonl", str(tmp_path / "report.jsonl")]
        status = cli.main([*given, *files])
        (cell,) = (c for c in read_records(tmp_path / "report.jsonl").cells if c["quantity"] == "kfra")
        return status, cell

    return run


def test_known_failures_fail_no_run(check, capsys):
    status, cell = check(SQUARED + SOFTMAX)
    assert status == cli.PASSED
    assert (cell["status"], cell["expected_failure"], cell["reasons"]) == ("ERROR", True, ["issue 7", "issue 7"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "expected ERROR: kfra by halved float64 on case-categorical-tanh: RuntimeError: no softmax" in shown
    assert "reason: issue 7" in shown


@pytest.mark.parametrize("expected", ["", SQUARED, SOFTMAX, SQUARED + SOFTMAX.replace("ERROR", "FAIL")])
def test_others_do(expected, check):
    status, cell = check(expected)
    assert status == cli.FAILED
    assert not cell["expected_failure"]


@pytest.mark.parametrize(
    "more", [FAILURE.format("gradient", "case-*", "FAIL"), FAILURE.format("kfra", "case-bernoulli-*", "FAIL")]
)
def test_what_is_a_failure_no_more_fails_too(more, check, capsys):
    assert check(SQUARED + SOFTMAX + more)[0] == cli.FAILED
    assert "unexpectedly passing: FAIL of" in capsys.readouterr().out


@pytest.mark.parametrize(
    "more", [FAILURE.format("kfra", "digits", "FAIL"), SQUARED.replace("halved", "other"), SQUARED.replace("64", "32")]
)
def test_what_was_not_asked_is_neither(more, check, capsys):
    assert check(SQUARED + SOFTMAX + more)[0] == cli.PASSED
    noted = "no problem of the run matches the expected failure: FAIL of kfra by halved float64 on digits" in " ".join(
        capsys.readouterr().out.split()
    )
    assert noted == ('"digits"' in more)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[failure]", "Expected"),
        ("[failures]", r"expected no field 'failures'"),
        ('[[failure]]\nadapter = "a"', r"failure\[0\]: expected a field dtype"),
        ("failure = [1]", r"failure\[0\]: expected object, got int"),
        (
            FAILURE.format("kfra", "*", "FAIL").replace('"issue 7"', "7"),
            "reason: expected str, got int",
        ),
        (
            FAILURE.format("kfra", "*", "FAIL").replace("64", "46"),
            "expected one of float32, float64, got 'float46'",
        ),
        (
            FAILURE.format("kfra_block", "*", "FAIL"),
            r"quantity: expected one of .*, got 'kfra_block' \(did you mean kfra_blocks\?\)$",
        ),
        (FAILURE.format("gradients", "*", "FAIL"), r"got 'gradients' \(did you mean gradient\?\)$"),
        (FAILURE.format("xyz", "*", "FAIL"), r"optimiser_step.*, got 'xyz'$"),
        (FAILURE.format("kfra", "*", "fail"), r"status: expected one of .*, got 'fail'$"),
        (
            FAILURE.format("kfra", "*", "PASS"),
            "expected one of INCONCLUSIVE, NON-STRICT, FAIL, ERROR, got 'PASS'",
        ),
    ],
)
def test_a_file_that_does_not_say_what_is_expected(text, message, tmp_path, capsys):
    file = tmp_path / "expected.toml"
    file.write_text(text)
    with pytest.raises(FileError, match=message):
        read_expected(file)
    with pytest.raises(SystemExit) as exit_:
        cli.main(["--expected", str(file)])
    assert exit_.value.code == cli.USAGE
    assert "--expected: " in capsys.readouterr().err


def test_those_of_the_peers_are_well_formed():
    known = read_expected(PEERS)
    assert known
    for failure in known:
        assert isinstance(failure, Expected)
        assert failure.quantity in ROWS
        assert importlib.util.find_spec(f"kfgn_conformance.adapters.peers.{failure.adapter}")
        assert len(failure.reason) > 20
