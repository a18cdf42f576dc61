"""benchmarks/gpu.sh: its limits add up to 8 minutes, no part stops the next, and its exit status shows the outcome.

A program that replaces Python answers for kfgn-check and pytest; `nox -s gpu_rehearsal` runs the script as it is.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from kfgn_conformance.implementation import Implementation
from kfgn_conformance.opening import open_implementations
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.reports import write_records
from kfgn_conformance.runner import run

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "benchmarks" / "gpu.sh"

pytestmark = pytest.mark.skipif(not shutil.which("timeout"), reason="there is no GNU timeout here")

STAND_IN = """#!/usr/bin/env bash
case $* in
    "-m kfgn_conformance "*)
        while [ "$1" != --jsonl ]; do shift; done
        cp "$REPORT" "$2"
        sleep "$CHECK_SLEEPS"
        exit "$CHECK_EXITS"
        ;;
    "-m pytest "*)
        echo "===== $HYPOTHESIS in 0.1s ====="
        [ "$HYPOTHESIS" = "2 passed" ]
        ;;
    *) exec "$REAL" "$@" ;;
esac
"""


def limits():
    printed = subprocess.run([SCRIPT, "--limits"], capture_output=True, text=True, check=True).stdout
    return {name: int(seconds) for name, seconds in map(str.split, printed.splitlines())}


def test_the_limits_add_up_to_eight_minutes():
    assert sum(limits().values()) <= 480
    (grace,) = re.findall(r"^GRACE=(\d+)$", SCRIPT.read_text(), re.MULTILINE)
    assert min(limits().values()) > int(grace)


@pytest.fixture
def script(tmp_path, monkeypatch):
    """The script in a checkout of links, with two seconds for each part, and a function that runs it."""
    for name in ("kfgn", "reference", "conformance", "tests", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    copy, stand_in = tmp_path / "benchmarks" / "gpu.sh", tmp_path / "python"
    copy.parent.mkdir()
    copy.write_text(re.sub(r"^LIMITS=.*$", "LIMITS=(7 7 7 7 7 7 7)", SCRIPT.read_text(), flags=re.MULTILINE))
    stand_in.write_text(STAND_IN)
    for program in (copy, stand_in):
        program.chmod(0o755)

    def report(*implementations):
        write_records(run(implementations, cases()[:1], quantities=("loss",)), tmp_path / "report.jsonl")

    report(*open_implementations(("numpy",), "float64"))
    usual = {
        "CHECK_SLEEPS": "0",
        "CHECK_EXITS": "0",
        "HYPOTHESIS": "2 passed",
        "REPORT": str(tmp_path / "report.jsonl"),
    }
    for name, value in {**usual, "PYTHON": str(stand_in), "REAL": sys.executable}.items():
        monkeypatch.setenv(name, value)
    out = tmp_path / "out"

    def rehearse():
        done = subprocess.run([copy, "--device", "cpu", "--out", out], capture_output=True, text=True, check=False)
        return done.returncode, (out / "summary.txt").read_text()

    rehearse.report = report
    rehearse.out = out
    return rehearse


def test_all_parts_pass(script):
    status, summary = script()
    assert status == 0, summary
    for part in (
        "check-float32: passed",
        "check-float64: passed",
        "hypothesis-torch: passed",
        "hypothesis-numpy: passed",
    ):
        assert part in summary
    assert "1 rows: 1 PASS." in summary
    assert "benchmarks: there is no table of benchmarks" in summary
    assert "training: there is no program for training" in summary
    assert len(list(script.out.iterdir())) <= 8  # files that the script may leave
    assert summary.rstrip().endswith("every part passed")


def test_a_part_that_is_out_of_time_keeps_its_rows(script, monkeypatch):
    monkeypatch.setenv("CHECK_SLEEPS", "60")
    status, summary = script()
    assert status == 3, summary
    assert re.search(r"check-float32: out of time after \d+ s. 1 rows: 1 PASS", summary)
    assert "hypothesis-numpy: passed" in summary


@pytest.mark.parametrize("sleeps", ["0", "60"])
def test_a_row_that_is_wrong_fails_the_part_in_time_or_not(script, monkeypatch, sleeps):
    class Wrong:
        def describe(self):
            return open_implementations(("numpy",), "float64")[0].adapter.describe()

        def compute(self, problem, quantity):
            return tuple(
                2 * a for a in open_implementations(("numpy",), "float64")[0].adapter.compute(problem, quantity)
            )

    script.report(Implementation("numpy", Wrong()))
    monkeypatch.setenv("CHECK_SLEEPS", sleeps)
    monkeypatch.setenv("CHECK_EXITS", "1")
    status, summary = script()
    assert status == 1
    assert re.search(r"check-float64: FAILED with exit status 1 after \d+ s. 1 rows: 1 FAIL", summary)
    assert "hypothesis-numpy: passed" in summary


def test_a_backend_that_is_not_usable_fails_the_part(script):
    script.report(*open_implementations(("numpy",), "float64"), Implementation("cupy", reason="there is no device"))
    status, summary = script()
    assert status == 1
    assert "cupy is not usable: there is no device" in summary


def test_a_failure_of_hypothesis_fails_the_run(script, monkeypatch):
    monkeypatch.setenv("HYPOTHESIS", "1 failed")
    status, summary = script()
    assert status == 1
    assert "hypothesis-torch: FAILED with exit status 1" in summary
    assert "check-float64: passed" in summary


@pytest.mark.parametrize("wrong", [["--device", "tpu"], ["--device"], ["--fast"]])
def test_wrong_usage(wrong):
    done = subprocess.run([SCRIPT, *wrong], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "usage: benchmarks/gpu.sh" in done.stderr
