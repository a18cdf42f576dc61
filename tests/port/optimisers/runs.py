"""Networks, batches and runs that the tests of the optimisers share."""

import numpy as np
import pytest

import kfgn
from kfgn._optimisers import Factors

METHODS = ("kfra", "kflr", "kfac", "rp", "tkfac", "tnt", "kfoc", "foof")
INVERSIONS = ("trace", "frobenius", "spectral", "exact")
numpy_alone = pytest.mark.parametrize("backend", ["numpy"], indirect=True)
NETWORK = kfgn.Network.dense((3, 5, 4, 2), ("tanh", "softplus"), "bernoulli")
N = 7
ONE_LAYER = kfgn.Network.dense((2, 2), (), "squared_error")
SATURATED = kfgn.Network.dense((4, 5, 3), ("tanh",), "bernoulli")
PLAIN = kfgn.Network.dense((4, 5, 3), ("tanh",), "categorical")


def data(dtype="float64", seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(N, 3)).astype(dtype), rng.uniform(size=(N, 2)).astype(dtype)


def weights(dtype="float64"):
    rng = np.random.default_rng(9)
    return tuple(rng.normal(size=shape).astype(dtype) for shape in NETWORK.weight_shapes)


def started(optimiser, backend, dtype="float64"):
    return optimiser.init(tuple(backend.asarray(W) for W in weights(dtype)))


def run(optimiser, backend, steps, dtype="float64", state=None):
    """The state after each step, from the first state on, and the information of each step."""
    state = started(optimiser, backend, dtype) if state is None else state
    states, infos = [state], []
    for t in range(state.t + 1, state.t + steps + 1):
        X, Y = data(dtype, t)
        draws = optimiser.draw(0, t, N)
        draws = None if draws is None else backend.asarray(draws.astype(dtype))
        state, info = optimiser.step(state, backend.asarray(X), backend.asarray(Y), draws)
        states.append(state)
        infos.append(info)
    return states, infos


def leaves(tree):
    return [leaf for part in tree for leaf in leaves(part)] if isinstance(tree, tuple) else [tree]


def equal(a, b):
    pairs = zip(leaves(a), leaves(b), strict=True)
    return all(np.array_equal(np.asarray(x), np.asarray(y)) for x, y in pairs)


def start(network, dtype, seed=0):
    rng = np.random.default_rng(seed)
    return tuple((rng.normal(size=s) / np.sqrt(s[1])).astype(dtype) for s in network.weight_shapes)


def targets(network, N, dtype, rng):
    D = network.widths[-1]
    if network.objective == "squared_error":
        return rng.normal(size=(N, D)).astype(dtype)
    if network.objective == "bernoulli":
        return rng.uniform(size=(N, D)).astype(dtype)
    return rng.integers(0, D if network.objective == "categorical" else 2, N)


def run_on_one_batch(optimiser, weights, X, Y, steps):
    """The last state, and the information of each step. Every step has the same batch."""
    state, infos = optimiser.init(weights), []
    for t in range(1, steps + 1):
        draws = optimiser.draw(0, t, len(X))
        state, info = optimiser.step(state, X, Y, None if draws is None else draws.astype(X.dtype))
        infos.append(info)
    return state, infos


def with_factors(optimiser, weights, Q, G):
    """The first state, with averages of factors over so many batches that a further batch does not change them."""
    state = optimiser.init(weights)
    return state._replace(factors=Factors(state.factors.count + 10**9, Q, G, ()))
