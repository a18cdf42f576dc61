"""Fixtures: problems whose widths all differ, so that no transpose has the right shape, and one measure of error."""

import itertools
from typing import NamedTuple

import numpy as np
import pytest
from kfgn_reference import Network

OBJECTIVES = ("squared_error", "bernoulli", "categorical", "mixture")
CHAINS = ((), ("softplus",), ("relu", "logistic"), ("tanh", "identity"), ("logistic", "leaky_relu", "tanh"))
WIDTHS = (6, 5, 4, 2, 3)  # a network of L layers takes the last L + 1


class Problem(NamedTuple):
    """A network, a batch and the labels of the batch."""

    net: Network
    X: np.ndarray
    Y: np.ndarray


def _labels(rng, objective, N, D):
    if objective == "squared_error":
        return rng.normal(size=(N, D))
    if objective == "bernoulli":
        return rng.uniform(size=(N, D))
    return rng.integers(2 if objective == "mixture" else D, size=N)


@pytest.fixture(scope="session")
def make_problem():
    """Random problems. With this seed every ReLU layer has a live unit at each datapoint, so no result is all 0."""

    def make(objective, transfers, N=7, seed=4, psd="project"):
        rng = np.random.default_rng(seed)
        widths = WIDTHS[-len(transfers) - 2 :]
        shapes = [(width, below + 1) for below, width in itertools.pairwise(widths)]
        weights = tuple(rng.normal(size=shape) * 1.5 / np.sqrt(shape[1]) for shape in shapes)
        X = rng.normal(size=(N, widths[0]))
        return Problem(Network(weights, transfers, objective, psd), X, _labels(rng, objective, N, widths[-1]))

    return make


@pytest.fixture(
    scope="session", params=[(E, fs) for E in OBJECTIVES for fs in CHAINS], ids=lambda p: "-".join([p[0], *p[1]])
)
def problem(request, make_problem):
    """Every objective with depths 1 to 4 and six transfer functions, and for the mixture both values of `psd`."""
    return make_problem(*request.param, psd="project" if len(request.param[1]) % 2 else "scalar")


@pytest.fixture(scope="session")
def relative_error():
    """max |ours - truth| / max |truth| of two arrays, or the largest such error of two dictionaries of layers."""

    def error(ours, truth):
        if isinstance(truth, dict):
            assert ours.keys() == truth.keys()
            return np.max([error(ours[l], truth[l]) for l in truth])  # Python's max would drop a NaN
        assert np.shape(ours) == np.shape(truth)
        return np.max(np.abs(ours - truth)) / np.max(np.abs(truth))

    return error
