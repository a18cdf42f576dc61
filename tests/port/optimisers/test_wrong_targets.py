"""Targets and draws that are out of range: the step is rejected and moves no weights."""

import numpy as np
import pytest

import kfgn

from .runs import METHODS, PLAIN, leaves, numpy_alone, start, targets

LABELLED = {
    "categorical": (kfgn.Network.dense((4, 5, 3), ("tanh",), "categorical"), [3, -1, -100, 255]),
    "mixture": (kfgn.Network.dense((4, 5, 3), ("tanh",), "mixture"), [2, -1, -100]),
    "bernoulli": (kfgn.Network.dense((4, 5, 3), ("tanh",), "bernoulli"), [255.0, -1e-6, np.nan, np.inf]),
    "squared_error": (kfgn.Network.dense((4, 5, 3), ("tanh",), "squared_error"), [np.nan, np.inf, -np.inf]),
}

OPTIMISERS = {
    **{
        method: lambda network, method=method: kfgn.GaussNewton(network, kfgn.KroneckerFactored(method))
        for method in METHODS
    },
    "exact": lambda network: kfgn.GaussNewton(network, kfgn.KroneckerFactored(inversion="exact", refresh=3)),
    "whole": lambda network: kfgn.GaussNewton(network, kfgn.HessianFree(iterations=3)),
    "blocks": lambda network: kfgn.GaussNewton(network, kfgn.HessianFree(blocks=True, iterations=3)),
    "with_momentum": lambda network: kfgn.GaussNewton(network, momentum=0.25),
    "sgd": lambda network: kfgn.SGD(network, 0.1),
    "momentum": lambda network: kfgn.SGD(network, 0.1, momentum=0.9),
    "nesterov": lambda network: kfgn.SGD(network, 0.1, momentum=0.9, nesterov=True),
    "adam": lambda network: kfgn.Adam(network),
}


def refuses(optimiser, network, backend, value, dtype="float32"):
    """A batch with one wrong target changes no weights, and a right batch after it changes them again."""
    rng = np.random.default_rng(5)
    X, Y = rng.normal(size=(6, 4)).astype(dtype), targets(network, 6, dtype, rng)
    wrong = Y.copy()
    wrong[(2,) + (1,) * (Y.ndim - 1)] = value
    state = optimiser.init(tuple(map(backend.asarray, start(network, dtype))))
    ended = []
    for t, labels in enumerate((Y, wrong, wrong, Y), start=1):
        draws = optimiser.draw(0, t, 6)
        draws = None if draws is None else backend.asarray(draws.astype(dtype))
        before, (state, info) = state, optimiser.step(state, backend.asarray(X), backend.asarray(labels), draws)
        ended.append((bool(info.ok), bool(info.valid)))
        if not bool(info.ok):
            for a, b in zip(leaves(tuple(state)[1:-1]), leaves(tuple(before)[1:-1]), strict=True):
                np.testing.assert_array_equal(backend.to_numpy(a), backend.to_numpy(b))
    assert ended == [(True, True), (False, False), (False, False), (True, True)]
    assert [int(c) for c in state.counts] == [2, 2, 0]


@numpy_alone
@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("objective", LABELLED)
def test_targets_that_the_objective_does_not_take_are_rejected(backend, objective, name):
    network, values = LABELLED[objective]
    for value in values:
        with np.errstate(all="ignore"):
            refuses(OPTIMISERS[name](network), network, backend, value)


@pytest.mark.parametrize("name", ["kfra", "adam"])
@pytest.mark.parametrize("objective", ["categorical", "bernoulli"])
def test_targets_are_rejected_on_every_library(backend, objective, name):
    network, (value, *_) = LABELLED[objective]
    with backend.scope("float32"):
        refuses(OPTIMISERS[name](network), network, backend, value)


def test_labels_that_count_from_one_are_rejected():
    network = kfgn.Network.dense((4, 10), (), "categorical")
    X = np.random.default_rng(0).normal(size=(20, 4))
    for dtype in (np.int64, np.int32, np.uint8, np.int8):
        Y = (np.arange(20) % 10 + 1).astype(dtype)
        _, info = kfgn.GaussNewton(network).step(kfgn.GaussNewton(network).init(start(network, "float64")), X, Y)
        assert (bool(info.ok), bool(info.valid)) == (False, False)
        assert np.isfinite(info.loss)  # only `valid` shows the reason


@pytest.mark.parametrize(("method", "value"), [("kfac", np.nan), ("kfac", 1.0), ("kfac", -0.5), ("rp", np.inf)])
def test_draws_that_are_none_are_rejected_and_raise_no_damping(method, value):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(6, 4)), rng.integers(0, 3, 6)
    optimiser = kfgn.GaussNewton(PLAIN, kfgn.KroneckerFactored(method))
    state, draws = optimiser.init(start(PLAIN, "float64")), optimiser.draw(0, 1, 6).astype("float64")
    draws[(0,) * draws.ndim] = value
    state, info = optimiser.step(state, X, Y, draws)
    assert (bool(info.ok), float(state.gamma), float(state.tau)) == (False, 1e-2, 1e-2)
