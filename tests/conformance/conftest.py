"""Fixtures of the tests of the kit."""

import sys

import pytest
from kfgn_conformance.adapters.program import Program
from kfgn_conformance.oracle import Oracles
from kfgn_conformance.problem_sets import standard
from kfgn_conformance.problems.cases import cases

from .processes import LONG
from .programs import DESCRIBE, PROGRAM


@pytest.fixture(scope="session", autouse=True)
def _changes_once(changes_once):
    """Every test of this folder."""


@pytest.fixture(scope="module")
def shared_oracles():
    """Let all calls of `check` in a file share their oracles, which keep the answers of the mistakes."""
    oracles = Oracles()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kfgn_conformance.quick_check.Oracles", lambda: oracles)
        yield


@pytest.fixture
def only(monkeypatch):
    """A function that replaces all problems of the kit by the cases whose ids end in one of the given texts."""

    def leave(*endings):
        left = tuple(p for p in cases() if p.id.endswith(endings))
        monkeypatch.setattr(standard, "REAL_PROBLEMS", {})
        monkeypatch.setattr(standard, "cases", lambda: left)
        monkeypatch.setattr(standard, "fixed", tuple)
        monkeypatch.setattr(standard, "trajectory_problems", tuple)

    return leave


@pytest.fixture
def program(tmp_path):
    """A function that starts a program whose answers are those of the given statements."""
    opened = []

    def make(compute="pass", describe=DESCRIBE, limit=LONG):
        (tmp_path / "program.py").write_text(PROGRAM.format(describe=describe, compute=compute))
        opened.append(Program(f"exec:{sys.executable} {tmp_path / 'program.py'}", "float64", limit))
        return opened[-1]

    yield make
    for one in opened:
        one.close()
