"""`kfgn.lab.initialisation`: the initial weights."""

import numpy as np

import kfgn
from kfgn.lab.initialisation import initial_weights


def test_kernels_are_uniform_and_biases_zero():
    network = kfgn.Network.dense((300, 200, 100), ("tanh",), "squared_error")
    for W, (D, P) in zip(initial_weights(network, 3), network.weight_shapes, strict=True):
        assert (W.shape, W.dtype) == ((D, P), np.float32)
        bound = np.sqrt(6 / (D + P - 1))
        assert 0.99 * bound < np.abs(W[:, :-1]).max() <= np.float32(bound)
        assert np.isclose(W[:, :-1].std(), bound / np.sqrt(3), rtol=0.02)
        assert not W[:, -1].any()
    first, second = (initial_weights(network, seed)[0] for seed in (0, 1))
    assert not np.array_equal(first, second)
