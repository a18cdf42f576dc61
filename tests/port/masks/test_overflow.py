"""An activation that overflows at a masked position has no influence, as if the position did not exist."""

import numpy as np
import pytest

import kfgn

MASK = np.array([[True, True, True, True], [True, True, False, False]])
LAYERS = (kfgn.Embedding(3), kfgn.Dense(3), kfgn.Dense(2))


@pytest.fixture
def batch():
    """A masked token is token 0, whose vector is so long that the activation of the second layer overflows."""
    network = kfgn.Network((5, 4), LAYERS, "squared_error")
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=shape).astype("float32") for shape in network.weight_shapes]
    weights[0][:, 0] = 1e25
    weights[1] *= 1e15
    X = np.array([[1, 2, 3, 4], [1, 1, 0, 0]])
    return network, weights, kfgn.Padded(X, MASK), np.zeros((2, 4, 2), "float32")


def ones(weights):
    return tuple(np.ones_like(W) for W in weights)


FUNCTIONS = {
    "kflr": lambda network, weights, X, Y: kfgn.kflr(network, weights, X, Y),
    "kfra": lambda network, weights, X, Y: kfgn.kfra(network, weights, X, Y),
    "tkfac": lambda network, weights, X, Y: kfgn.tkfac(network, weights, X, Y),
    "tnt": lambda network, weights, X, Y: kfgn.tnt(network, weights, X, Y),
    "hessian_product": lambda network, weights, X, Y: kfgn.hessian_product(network, weights, X, Y, ones(weights)),
    "gauss_newton_product": lambda network, weights, X, Y: kfgn.gauss_newton_product(
        network, weights, X, Y, ones(weights)
    ),
}


def numbers(found):
    return np.concatenate(
        [np.ravel(part) for whole in found for part in (whole if isinstance(whole, tuple) else [whole])]
    )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_all_results_are_those_of_other_values_at_masked_positions(batch, name):
    network, weights, X, Y = batch
    with np.errstate(all="ignore"):
        found = numbers(FUNCTIONS[name](network, weights, X, Y))
        weights[0][:, 0] = 1
        right = numbers(FUNCTIONS[name](network, weights, X, Y))
    assert np.array_equal(np.isfinite(found), np.isfinite(right))
    assert np.array_equal(found[np.isfinite(found)], right[np.isfinite(right)])
    assert np.isfinite(found).mean() > 0.5
