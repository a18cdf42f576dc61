"""The fixed problems: no number of the old ones changes, the others match their ids, and right answers pass."""

import hashlib
from functools import cache

import numpy as np
import pytest
from kfgn_conformance import QUANTITIES, Status
from kfgn_conformance.adapters.kfgn_port import KfgnPort, open_target
from kfgn_conformance.diagnosis.textbook import Textbook
from kfgn_conformance.implementation import Implementation
from kfgn_conformance.judging import compare, judged
from kfgn_conformance.oracle import Oracle
from kfgn_conformance.problem_sets.trajectories import TRAJECTORIES, trajectory_problems
from kfgn_conformance.problems.cases import PAIRED, cases
from kfgn_conformance.problems.fixed import FIXED, fixed
from kfgn_conformance.tolerances import MAX_RELATIVE_TOLERANCE
from kfgn_reference import gradient

BY_ID = {problem.id: problem for problem in fixed()}
IDS = tuple(BY_ID)
LEAST = ("loss", "gradient", "q", "kfac", "kflr", "kfra")

opened = cache(open_target)
oracle = cache(Oracle)


def digest(*arrays):
    """A sha256 of the shapes and numbers of arrays."""
    together = hashlib.sha256()
    for array in arrays:
        together.update(str(array.shape).encode() + np.ascontiguousarray(array, np.float64).tobytes())
    return together.hexdigest()[:16]


def test_no_number_of_a_case_changes():
    """Vectors, tables and reports name the cases, so their numbers must stay the same."""
    of_each = [
        (p.id, digest(*p.weights, p.X, p.Y, p.labels, p.draws, *p.arguments.direction, *p.arguments[1:]))
        for p in cases()
    ]
    assert hashlib.sha256(repr(of_each).encode()).hexdigest()[:16] == "03e01a2d1555953d"


def test_no_number_of_the_start_of_a_trajectory_changes():
    """The start is the first batch and its draws. The reference computes what follows."""
    starts = {p.id: p.trajectory.checkpoints[0] for p in trajectory_problems()}
    of_each = [
        (name, here.t, digest(*here.weights, here.X, here.Y, *([] if here.draws is None else [here.draws])))
        for name, here in starts.items()
        if name.removeprefix("walk-") in TEN
    ]
    assert hashlib.sha256(repr(of_each).encode()).hexdigest()[:16] == "7b68fce41372ce6b"


TEN = ("kflr", "kfra", "kfac", "rp", "mixture", "mixture-scalar", "blocks", "whole", "options", "rarely")


def test_ids_are_unique_and_every_row_has_a_purpose():
    assert list(FIXED) == list(IDS)
    assert len(set(IDS)) == len(IDS)
    assert not set(IDS) & {p.id for p in (*cases(), *trajectory_problems())}
    assert set(TEN) <= set(TRAJECTORIES)
    for name, row in FIXED.items():
        assert len(row.purpose.split()) > 3
        assert name.removesuffix("-scalar").endswith(f"-{row.shape.objective}")


def test_sizes_match_ids():
    assert {p.N for name, p in BY_ID.items() if name.startswith("batch-")} == {2, 33, 130, 257}
    for name in IDS:
        if name.startswith("batch-"):
            assert int(name.split("-")[1]) == BY_ID[name].N
    numbered = {int(name.split("-")[1]): name for name in IDS if name.startswith("shape-") and name[6].isdigit()}
    assert {L: len(BY_ID[name].layers) for L, name in numbered.items()} == {L: L for L in (1, 2, 4, 5)}
    assert len(set(BY_ID["shape-square-layers-categorical"].widths)) == 1
    assert 1 in BY_ID["shape-one-hidden-unit-categorical"].widths[1:-1]
    assert BY_ID["shape-one-output-bernoulli"].widths[-1] == 1
    assert BY_ID["shape-one-datapoint-squared_error"].N == 1
    assert BY_ID["shape-one-label-categorical"].labels.shape[1] == 1


def test_a_dead_layer_is_dead_for_every_datapoint():
    problem = BY_ID["shape-dead-layer-categorical"]
    assert np.all(Textbook(problem).h[2] < 0)
    assert np.any(Textbook(problem).h[1] > 0)
    below, dead, above = (g for _, g in sorted(gradient(problem.reference, problem.X, problem.Y).items()))
    assert not np.any(below)
    assert not np.any(dead)
    assert np.any(above)
    for name in ("kflr", "kfra", "kfac", "rp"):
        assert [bool(np.any(G)) for G in Oracle(problem, QUANTITIES[name]).arrays] == [False, False, True]


@pytest.mark.parametrize("transfer", PAIRED)
@pytest.mark.parametrize("objective", ["squared_error", "categorical"])
def test_a_network_of_each_transfer_function_throughout(transfer, objective):
    problem = BY_ID[f"throughout-{transfer}-{objective}"]
    assert problem.objective == objective
    assert problem.transfers == (transfer, transfer)


def wrong(verdicts):
    """The verdicts that are not PASS."""
    return {name: verdict for name, verdict in verdicts.items() if verdict.status is not Status.PASS}


@pytest.mark.parametrize("target", ["numpy", "torch"])
@pytest.mark.parametrize("name", IDS)
def test_a_right_implementation_passes_every_quantity(name, target):
    """Every verdict is PASS, and so none is INCONCLUSIVE."""
    backend, problem = opened(target), BY_ID[name]
    if isinstance(backend, str):
        pytest.skip(f"{target}: not usable: {backend}")
    for dtype in problem.dtypes:
        port = Implementation("", KfgnPort(backend, dtype))
        assert wrong({q: judged(port, oracle(problem, QUANTITIES[q])).verdict for q in QUANTITIES}) == {}


@pytest.mark.parametrize("name", IDS)
def test_the_reference_rounded_passes_and_no_tolerance_is_near_the_limit(name):
    """The right answer passes, and the quantities of saturated problems are far from INCONCLUSIVE."""
    problem = BY_ID[name]
    for quantity in QUANTITIES.values():
        right = oracle(problem, quantity)
        for dtype in problem.dtypes:
            best = tuple(a.astype(np.int64 if right.value.integer else dtype) for a in right.arrays)
            assert compare(best, right, dtype).verdict.status is Status.PASS, quantity.name
            if quantity.name in LEAST:
                assert right.relative_tolerance(dtype) < MAX_RELATIVE_TOLERANCE[dtype] / 10, quantity.name
