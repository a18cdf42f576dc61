"""The kit's fixed problems, on which planted mistakes fail and a right implementation passes.

The autoencoder and the problems with shared weights are omitted to save time, and wrong answers are not diagnosed.
"""

from functools import cache

import pytest
from kfgn_conformance import Status
from kfgn_conformance.implementation import Implementation
from kfgn_conformance.oracle import Oracles
from kfgn_conformance.problem_sets.standard import problem_set
from kfgn_conformance.runner import run

from .adapter import QUANTITIES, Batched
from .further import FURTHER
from .mistakes import MISTAKES
from .mistakes_of_state import OF_STATE

ALL = {**MISTAKES, **OF_STATE, **FURTHER}

ORACLES = Oracles()
"""The oracles that all tests share."""

CAUGHT = (Status.NON_STRICT, Status.FAIL, Status.ERROR)
DTYPES = ("float32", "float64")

NOT_YET: tuple[str, ...] = ("LogOfMixtureProbability-float32", "RootFloored-float32")
"""Mistakes that pass on every fixed problem, as Name, or as Name-dtype if they fail in the other dtype.

At outputs of +-90 the probability of the mixture is subnormal in float32, and its logarithm is right to rounding. The
floor of the root is just within the tolerance of float32. Both are caught in float64.
"""


@cache
def fixed_problems():
    return tuple(p for p in problem_set(0, 0) if p.id != "autoencoder" and not p.is_shared)


@cache
def problems_of_mistakes():
    """The problems that mistakes are asked on, with the walks with momentum alone.

    No planted mistake in a step shows on other walks, whose steps the reference makes in seconds.
    """
    return tuple(p for p in fixed_problems() if p.trajectory is None or p.trajectory.momentum[0])


@pytest.fixture(autouse=True)
def undiagnosed(monkeypatch):
    monkeypatch.setattr("kfgn_conformance.runner.diagnosis_of", lambda *_: None)


def cells(adapter, problems):
    """Run `kfgn-check --examples 0 --adapter`, and return the cell of each quantity."""
    report = run([Implementation("planted", adapter, twice=True)], problems, oracles=ORACLES)
    return {quantity: report.rows[quantity][0] for quantity in adapter.asked if quantity in report.rows}


def cells_until_caught(adapter, problems):
    """Run the quantities one after the other, and all of them in several orders at last, until the mistake is caught.

    The result has the cell of each quantity that was run.
    """
    mine, found = Implementation("planted", adapter, twice=True), {}
    for quantity in adapter.asked:
        (found[quantity],) = run([mine], problems, quantities=[quantity], repeat=False, oracles=ORACLES).cells
        if found[quantity].status in CAUGHT:
            return found
    return cells(adapter, problems)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_implementation_is_right(dtype, thorough):
    """The problems are those of the mistakes, and with --thorough every walk."""
    of = cells(Batched(dtype), fixed_problems() if thorough else problems_of_mistakes())
    assert set(of) == set(QUANTITIES)
    assert {name: cell.worst for name, cell in of.items() if cell.status is not Status.PASS} == {}


def each():
    for name, mistake in ALL.items():
        for dtype in mistake.dtypes:
            not_yet = {name, f"{name}-{dtype}"} & set(NOT_YET)
            marks = pytest.mark.xfail(raises=AssertionError, strict=True) if not_yet else ()
            yield pytest.param(mistake, dtype, id=f"{name}-{dtype}", marks=marks)


@pytest.mark.parametrize(("mistake", "dtype"), list(each()))
def test_every_mistake_is_caught(mistake, dtype):
    of = cells_until_caught(mistake(dtype), problems_of_mistakes())
    assert any(cell.status in CAUGHT for cell in of.values()), {name: cell.ratio for name, cell in of.items()}


def test_the_mistakes():
    assert (len(MISTAKES) + len(OF_STATE), len(FURTHER), len(ALL)) == (30, 15, 45)
    assert {name.split("-")[0] for name in NOT_YET} <= set(ALL)
    for mistake in ALL.values():
        assert mistake.__doc__.rstrip().endswith(".")
