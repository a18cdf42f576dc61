"""Counts that are refused: iterations, numbers of datapoints and samples, and bytes of memory."""

import numpy as np
import pytest

import kfgn


@pytest.mark.parametrize("iterations", [0, -1, 1.5, None, "3"])
def test_bad_iterations(backend, problem, functions, refuses, iterations):
    p = problem(backend, "categorical")
    error = ValueError if isinstance(iterations, int) else TypeError
    for function in functions("iterations"):
        refuses(
            backend, function, p, error, "iterations", "a positive integer", repr(iterations), iterations=iterations
        )


@pytest.mark.parametrize(("N", "S", "name"), [(0, 3, "N"), (3, 0, "S"), (-1, 3, "N"), (3, -2, "S")])
def test_no_draws(N, S, name):
    # sample_labels would refuse such draws, and a mean over no datapoints or samples does not exist
    for shape in (kfgn.label_draws_shape, kfgn.projection_shape):
        with pytest.raises(ValueError, match=rf"^{name}: expected .*positive"):
            shape(kfgn.Network.dense((2, 3), (), "categorical"), N, S)


@pytest.mark.parametrize("memory", [0, -1])
def test_memory_without_bytes(backend, problem, memory):
    p = problem(backend, "categorical")
    with pytest.raises(ValueError, match=rf"^memory: expected a positive integer, got {memory}$"):
        kfgn.kflr(p.network, p.weights, p.X, p.Y, memory=memory)


@pytest.mark.parametrize("memory", ["1", 1.5, 2.0**28, float("inf"), float("nan"), np.ones(2)], ids=repr)
def test_memory_that_is_no_integer(memory):
    # infinity must not mean one datapoint at a time, and a float must not fail in range()
    network = kfgn.Network.dense((2, 3, 2), ("tanh",), "squared_error")
    W, X, Y = (np.ones((3, 3)), np.ones((2, 4))), np.ones((5, 2)), np.ones((5, 2))
    with pytest.raises(TypeError, match=r"^memory: expected a positive integer"):
        kfgn.kflr(network, W, X, Y, memory=memory)
