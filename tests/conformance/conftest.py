"""Fixtures of the tests of the kit."""

import sys

import pytest
from kfgn_conformance.adapters.program import Program

from .processes import LONG
from .programs import DESCRIBE, PROGRAM


@pytest.fixture(scope="session", autouse=True)
def _changes_once(changes_once):
    """Every test of this folder."""


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
