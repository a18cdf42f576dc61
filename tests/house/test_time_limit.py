"""The time limit of a command grows with the time of a fixed program up to a bound, and never shrinks."""

import sys

import pytest

from . import time_limit


def run(monkeypatch, *, seconds, took, slowness, status=0):
    """The exit status for a command that takes `took` seconds, with a slowness before it and one after it."""
    monkeypatch.setattr(time_limit.time, "monotonic", iter((0.0, took)).__next__)
    monkeypatch.setattr(time_limit, "slowness", iter(slowness).__next__)
    return time_limit.main([str(seconds), sys.executable, "-c", f"raise SystemExit({status})"])


@pytest.mark.parametrize(
    ("slowness", "limit"), [((1, 1), 100), ((0.2, 0.4), 100), ((1, 3), 200), ((3, 1), 200), ((1, 1000), 400)]
)
def test_the_limit(monkeypatch, capfd, slowness, limit):
    assert run(monkeypatch, seconds=100, took=limit - 1, slowness=slowness) == 0
    assert f"took {limit - 1} s of {limit} s" in capfd.readouterr().out
    assert run(monkeypatch, seconds=100, took=limit + 1, slowness=slowness) == 1
    assert f"expected at most {limit} s, which is {limit / 100:.2f} times 100 s" in capfd.readouterr().err


def test_a_status_that_is_not_0_is_kept(monkeypatch):
    assert run(monkeypatch, seconds=100, took=1000, slowness=(1,), status=3) == 3


def test_the_processors_are_measured(monkeypatch, tmp_path):
    """The fixed program also runs in a folder from which `tests` cannot be imported, and takes some time."""
    monkeypatch.chdir(tmp_path)
    assert time_limit.slowness() > 0.1


def test_a_program_that_fails_measures_nothing(monkeypatch):
    monkeypatch.setattr(time_limit, "FIXED_PROGRAM", "no number")
    with pytest.raises(RuntimeError, match="expected the status 0"):
        time_limit.slowness()
