"""The time limit of a command grows with the time of a fixed program up to a bound, and never shrinks."""

import sys

import pytest

from . import time_limit

SLEEP = [sys.executable, "-c", "import time; time.sleep(0.3)"]


@pytest.fixture
def slowness(monkeypatch):
    """Replace the measurement by given values: one before the command, one after it."""
    return lambda *values: monkeypatch.setattr(time_limit, "slowness", iter(values).__next__)


def test_a_command_within_its_limit(slowness, capfd):
    slowness(1.0, 1.0)
    assert time_limit.main(["60", *SLEEP]) == 0
    assert "1.00 times as slow as the quiet ones" in capfd.readouterr().out


@pytest.mark.parametrize(("before", "after"), [(1.0, 1.0), (0.2, 0.2)])
def test_a_command_above_its_limit(slowness, capfd, before, after):
    slowness(before, after)
    assert time_limit.main(["0.01", *SLEEP]) == 1
    assert "expected at most 0.01 s * 1.00" in capfd.readouterr().err


def test_slow_processors_raise_the_limit_up_to_a_bound(slowness, capfd):
    slowness(1.0, 7.0)
    assert time_limit.main(["0.29", *SLEEP]) == 0
    slowness(1.0, 20000.0)
    assert time_limit.main(["0.01", *SLEEP]) == 1
    assert "expected at most 0.01 s * 4.00 = 0 s" in capfd.readouterr().err


def test_a_status_that_is_not_0_is_kept(slowness):
    slowness(1.0, 1.0)
    assert time_limit.main(["0.01", sys.executable, "-c", "raise SystemExit(3)"]) == 3


def test_the_processors_are_measured(monkeypatch, tmp_path):
    """The program runs also where `tests` cannot be imported, and compiles for a while."""
    monkeypatch.chdir(tmp_path)
    assert time_limit.slowness() > 0.1


def test_a_program_that_fails_measures_nothing(monkeypatch):
    monkeypatch.setattr(time_limit, "MEASURE", "no number")
    with pytest.raises(RuntimeError, match="expected the status 0"):
        time_limit.slowness()
