"""Steps on masked batches: the steps on shorter datapoints, and steps that are rejected for a mask."""

import numpy as np
import pytest

import kfgn

from ..positions.problems import problem as unmasked, without_jax
from .optimisers import OPTIMISERS, step
from .problems import garbage, lengths, shaped

LAYERS = kfgn.Embedding(4, "tanh"), kfgn.Convolution(3, 2, "softplus", padding=(0, 1)), kfgn.Dense(3)


def both_lengths(objective="categorical"):
    """A problem of three positions, and the same problem padded to five positions with noise."""
    networks = [kfgn.Network((6, T), LAYERS, objective, divisor="positions") for T in (3, 5)]
    short = unmasked(networks[0])
    mask = lengths(3, 3, 3, T=5)

    def padded(array, first):
        widths = [(0, 2) if axis == first else (0, 0) for axis in range(array.ndim)]
        return garbage(np.pad(array, widths), shaped(mask, array, first))

    X = kfgn.Padded(padded(short.X, 1), mask)
    return short, short._replace(network=networks[1], X=X, Y=padded(short.Y, 1), draws=padded(short.draws, 2))


@pytest.mark.parametrize("name", sorted(OPTIMISERS.keys() - {"kfac", "rp", "tnt"}))
def test_steps_on_shorter_datapoints(name):
    """For the optimisers without random numbers, whose shape depends on the padding."""
    found = [step(p, name) for p in both_lengths()]
    for a, b in zip(found[0][0], found[1][0], strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-11 * np.abs(a).max())
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-13)


def test_a_sampled_step_on_shorter_datapoints():
    short, padded = both_lengths()
    found = []
    for p in (short, padded):
        optimiser = kfgn.GaussNewton(p.network, kfgn.KroneckerFactored("kfac", samples=2))
        state, info = optimiser.step(optimiser.init(p.weights), p.X, p.Y, p.draws)
        assert bool(info.ok)
        found.append(state.weights)
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-11 * np.abs(a).max())


MASKS = {
    "a gap before a layer with windows": [[1, 0, 1, 0, 0], [1, 1, 1, 1, 1], [1, 0, 0, 0, 0]],
    "no counted position": [[1, 1, 1, 0, 0], [0, 0, 0, 0, 0], [1, 1, 0, 0, 0]],
}


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("name", ["kfra", "sgd"])
@without_jax
def test_steps_with_a_wrong_mask_are_rejected(backend, mask, name):
    """A step reads no values on the host, and reports that the batch is not valid."""
    _, p = both_lengths()
    q = p._replace(X=p.X._replace(mask=np.array(MASKS[mask], dtype=bool)))
    optimiser = OPTIMISERS[name](p.network)
    weights, Y = tuple(map(backend.asarray, p.weights)), backend.asarray(np.zeros((3, 5), dtype="int64"))
    X = kfgn.Padded(*map(backend.asarray, q.X))
    state, info = optimiser.step(optimiser.init(weights), X, Y)
    assert not bool(info.ok)
    assert not bool(info.valid)
    for before, after in zip(weights, state.weights, strict=True):
        np.testing.assert_array_equal(backend.to_numpy(before), backend.to_numpy(after))


@without_jax
def test_training_on_sequences_of_different_length(backend):
    network = kfgn.Network((2, 6), (kfgn.Dense(8, "tanh"), kfgn.Dense(2)), "categorical", divisor="positions")
    rng = np.random.default_rng(3)
    values = rng.normal(size=(40, 2, 6))
    mask = np.arange(6) < rng.integers(1, 7, 40)[:, None]
    Y = np.where(mask, values[:, 0, :] > values[:, 1, :] ** 2, -100)
    X = kfgn.Padded(*map(backend.asarray, (values, mask)))
    weights = tuple(backend.asarray(rng.normal(size=shape) / 2) for shape in network.weight_shapes)
    Y, optimiser = backend.asarray(Y), kfgn.GaussNewton(network, "kflr")
    state = optimiser.init(weights)
    for _ in range(15):
        state, info = optimiser.step(state, X, Y)
        assert bool(info.ok)
    assert float(kfgn.loss(network, state.weights, X, Y)) < float(kfgn.loss(network, weights, X, Y)) / 2
