"""Factors and inverses between two refreshes, also after a rejected step."""

from itertools import pairwise

import numpy as np
import pytest

import kfgn
from kfgn._optimisers import Factors

from .runs import NETWORK, PLAIN, data, equal, numpy_alone, run, start, started


@numpy_alone
@pytest.mark.parametrize("inversion", ["trace", "exact"])
def test_between_refreshes_inverses_serve_again(backend, inversion):
    """Factors and inverses are those of the last refresh, so that a step in between computes no factor."""
    optimiser = kfgn.GaussNewton(
        NETWORK,
        kfgn.KroneckerFactored(refresh=3, inversion=inversion),
        gamma=kfgn.Damping(0.5, None),
        tau=kfgn.Damping(1, None),
    )
    states, _ = run(optimiser, backend, 7)
    counts = [int(state.factors.count) for state in states]
    assert counts == [0, 1, 1, 1, 2, 2, 2, 3]
    for t, (a, b) in enumerate(pairwise(states), start=1):
        same = equal(a.factors, b.factors)
        assert same is ((t - 1) % 3 != 0)
    assert isinstance(states[1].factors, Factors)
    assert len(states[1].factors.inverses) == 3
    assert started(kfgn.GaussNewton(NETWORK), backend).factors.inverses == ()


@numpy_alone
def test_a_rejected_first_step_leaves_nothing_to_step_with_until_the_next_refresh(backend):
    optimiser, (X, Y) = kfgn.GaussNewton(NETWORK, kfgn.KroneckerFactored(refresh=3)), data()
    state, told = started(optimiser, backend), []
    for t in range(1, 6):
        before = state
        with np.errstate(all="ignore"):
            state, info = optimiser.step(state, X * (np.inf if t == 1 else 1.0), Y)
        told.append(bool(info.ok))
        assert equal(before.weights, state.weights) is not told[-1]
    assert told == [False, False, False, True, True]
    assert int(state.counts.rejected) == 3


def test_steps_without_factors_raise_no_damping():
    """If the first step is rejected for its batch, factors are missing until the next refresh."""
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(6, 4)), rng.integers(0, 3, 6)
    optimiser = kfgn.GaussNewton(PLAIN, kfgn.KroneckerFactored(refresh=4), gamma=kfgn.Damping(1e-2, 3))
    state, ended = optimiser.init(start(PLAIN, "float64")), []
    for t in range(1, 6):
        with np.errstate(all="ignore"):
            state, info = optimiser.step(state, X * (np.nan if t == 1 else 1.0), Y)
        ended.append(bool(info.ok))
        assert float(state.gamma) == 1e-2
    assert ended == [False, False, False, False, True]
