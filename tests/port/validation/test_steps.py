"""Arguments of `init` and `step` that are refused: batches, draws, weights, and states of other optimisers."""

import re

import numpy as np
import pytest

import kfgn

NETWORK = kfgn.Network.dense((3, 5, 4, 2), ("tanh", "softplus"), "bernoulli")
N = 7
numpy_alone = pytest.mark.parametrize("backend", ["numpy"], indirect=True)


def data(dtype="float64", seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(N, 3)).astype(dtype), rng.uniform(size=(N, 2)).astype(dtype)


def weights(dtype="float64"):
    rng = np.random.default_rng(9)
    return tuple(rng.normal(size=shape).astype(dtype) for shape in NETWORK.weight_shapes)


def started(optimiser, backend, dtype="float64"):
    return optimiser.init(tuple(backend.asarray(W) for W in weights(dtype)))


@numpy_alone
def test_arguments_are_refused(backend):
    optimiser = kfgn.GaussNewton(NETWORK)
    state, (X, Y) = started(optimiser, backend), data()
    sampling = kfgn.GaussNewton(NETWORK, kfgn.KroneckerFactored("kfac"))

    def refused(error, message, call):
        with pytest.raises(error, match=re.escape(message)):
            call()

    refused(ValueError, "X: expected shape (N, 3), got (7, 2)", lambda: optimiser.step(state, X[:, :2], Y))
    refused(ValueError, "Y: expected shape (7, 2) for bernoulli", lambda: optimiser.step(state, X, Y[:3]))
    refused(TypeError, "X: expected the dtype of W_1, float64", lambda: optimiser.step(state, X.astype("f4"), Y))
    refused(ValueError, "draws: expected None for kfra", lambda: optimiser.step(state, X, Y, Y))
    refused(ValueError, "draws: expected None for Adam", lambda: run_adam(X, Y))
    refused(ValueError, "draws: expected the random numbers of kfac", lambda: sampling.step(state, X, Y))
    refused(ValueError, "draws: expected shape (7, 1, 2)", lambda: sampling.step(state, X, Y, Y[:3, None, :]))
    refused(ValueError, "W_2: expected shape (4, 6)", lambda: optimiser.init((*weights()[:1], *weights()[:2])))
    refused(ValueError, "W_1: expected finite values", lambda: optimiser.init(tuple(W * np.nan for W in weights())))
    refused(TypeError, "weights: expected a tuple or list", lambda: optimiser.init(weights()[0]))
    refused(ValueError, "weights: expected 3 arrays", lambda: optimiser.init(()))
    refused(TypeError, "state.t: expected a Python integer", lambda: optimiser.step(state._replace(t=1.5), X, Y))


def run_adam(X, Y):
    adam = kfgn.Adam(NETWORK)
    adam.step(adam.init(weights()), X, Y, X)
