"""The time limit of a command grows with the time of a fixed program, and never shrinks."""

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


def test_slow_processors_raise_the_limit(slowness):
    slowness(1.0, 20000.0)
    assert time_limit.main(["0.01", *SLEEP]) == 0


def test_a_status_that_is_not_0_is_kept(slowness):
    slowness(1.0, 1.0)
    assert time_limit.main(["0.01", sys.executable, "-c", "raise SystemExit(3)"]) == 3


def test_the_processors_are_measured():
    assert time_limit.slowness() > 0
