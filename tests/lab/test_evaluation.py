"""`kfgn.lab.evaluation`: the mean loss over all datapoints, in parts of any size."""

import math

import numpy as np
import pytest

import kfgn
from kfgn.backends import open_backend
from kfgn.lab import evaluation
from kfgn.lab.tasks import open_task


@pytest.mark.parametrize("part", [1, 7, 100, 5000])
def test_parts_of_different_sizes(part, monkeypatch):
    monkeypatch.setattr(evaluation, "PART", part)
    task, backend = open_task("digits"), open_backend("numpy")
    X, Y = task.X[:100].astype(np.float64), task.Y[:100]
    weights = tuple(np.random.default_rng(0).standard_normal(shape) for shape in task.network.weight_shapes)
    found = evaluation.Evaluation(task.network, X, Y, backend)(weights)
    assert math.isclose(found.loss, float(kfgn.loss(task.network, weights, X, Y)), rel_tol=1e-12)


def test_datapoints_of_an_autoencoder_are_taken_once():
    X = np.arange(12.0).reshape(4, 3)
    inputs, targets = evaluation.datapoints(open_backend("numpy"), X, X, np.array([2, 0]))
    assert targets is inputs
    np.testing.assert_array_equal(inputs, [[6, 7, 8], [0, 1, 2]])


@pytest.mark.parametrize("objective", ["categorical", "mixture"])
def test_the_accuracy_counts_the_most_probable_class(objective):
    network = kfgn.Network.dense((4, 3), (), objective)
    rng, backend = np.random.default_rng(1), open_backend("numpy")
    X, weights = rng.standard_normal((40, 4)), (rng.standard_normal((3, 5)),)
    Y = rng.integers(0, network.classes, 40)
    losses = [[float(kfgn.loss(network, weights, x[None], np.array([k]))) for k in range(network.classes)] for x in X]
    found = evaluation.Evaluation(network, X, Y, backend)(weights)
    assert found.accuracy == np.mean(np.argmin(losses, axis=1) == Y)
    assert 0.1 < found.accuracy < 0.9


def test_a_network_without_classes_has_no_accuracy():
    network = kfgn.Network.dense((2, 1), (), "squared_error")
    figures = evaluation.Evaluation(network, np.ones((3, 2)), np.ones((3, 1)), open_backend("numpy"))(
        (np.ones((1, 3)),)
    )
    assert figures == (2.0, None)
