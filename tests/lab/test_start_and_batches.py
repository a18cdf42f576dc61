"""Where a run starts, which batches it sees, and what an autoencoder shows."""

import numpy as np
import pytest

import kfgn
from kfgn.lab import Options, train
from kfgn.lab.batches import Batches
from kfgn.lab.initial import initial_weights
from kfgn.lab.pictures import _outputs
from kfgn.lab.tasks import Task, open_task

AUTOENCODER = ("tanh", "identity", "tanh")


def test_kernels_are_glorots_and_biases_zero():
    network = kfgn.Network.dense((300, 200, 100), ("tanh",), "squared_error")
    for W, (D, P) in zip(initial_weights(network, 3), network.weight_shapes, strict=True):
        assert (W.shape, W.dtype) == ((D, P), np.float32)
        bound = np.sqrt(6 / (D + P - 1))
        assert 0.99 * bound < np.abs(W[:, :-1]).max() <= np.float32(bound)
        assert np.isclose(W[:, :-1].std(), bound / np.sqrt(3), rtol=0.02)
        assert not W[:, -1].any()
    first, second = (initial_weights(network, seed)[0] for seed in (0, 1))
    assert not np.array_equal(first, second)


def test_an_epoch_deals_out_every_datapoint_at_most_once():
    batches = Batches(n=103, N=10, seed=1)
    epochs = [np.concatenate([batches(10 * epoch + i) for i in range(1, 11)]) for epoch in range(3)]
    for seen in epochs:
        assert len(set(seen.tolist())) == 100
        assert set(seen.tolist()) <= set(range(103))
    assert not np.array_equal(epochs[0], epochs[1])
    assert set.union(*(set(seen.tolist()) for seen in epochs)) == set(range(103))


def test_a_batch_is_a_function_of_seed_and_step_alone():
    batches = Batches(n=50, N=7, seed=1)
    later = batches(23).copy()
    batches(2)
    np.testing.assert_array_equal(Batches(50, 7, 1)(23), later)
    assert not np.array_equal(Batches(50, 7, 2)(23), later)


def test_the_tasks_on_digits():
    digits, odd = open_task("digits"), open_task("digits-odd")
    assert digits.network.widths == (64, 32, 16, 10)
    assert (odd.network.widths, odd.network.objective) == ((64, 32, 16, 3), "mixture")
    np.testing.assert_array_equal(odd.Y, digits.Y % 2)
    assert not digits.reconstructs


def test_the_autoencoder_has_a_linear_code():
    curves = open_task("curves")
    widths = (784, 1000, 500, 250, 30, 250, 500, 1000, 784)
    assert (curves.network.widths, curves.network.objective) == (widths, "bernoulli")
    assert curves.network.transfers == ("tanh", "tanh", "tanh", "identity", "tanh", "tanh", "tanh")
    assert curves.reconstructs


@pytest.mark.parametrize("objective", ["bernoulli", "squared_error"])
def test_reconstructions_are_drawn_and_near_their_images(objective, tmp_path):
    X = open_task("digits").X
    network = kfgn.Network.dense((64, 40, 20, 40, 64), AUTOENCODER, objective)
    task = Task("small", network, X, X, (8, 8), "digits", 256)
    run = train(Options("digits", updates=80), tmp_path / "run", task=task)
    assert (tmp_path / "run" / "reconstructions.png").read_bytes().startswith(b"\x89PNG")
    outputs = _outputs(run, X)
    assert ((outputs - X) ** 2).sum() < 0.35 * ((X - X.mean(axis=0)) ** 2).sum()
    if objective == "bernoulli":
        assert 0 <= outputs.min() < outputs.max() <= 1
