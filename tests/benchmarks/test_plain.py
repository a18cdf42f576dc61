"""The plain array code of the benchmarks gives the results of kfgn."""

import numpy as np
import pytest

import kfgn
from benchmarks import plain
from benchmarks.batch import batch
from benchmarks.calls import library_of
from benchmarks.plain_step import kfra_step
from benchmarks.sizes import Sizes
from benchmarks.work import HESSIAN_FREE_ITERATIONS, kfac_labels

SQUARED_ERROR = Sizes((6, 7, 5, 6), 9)
CATEGORICAL = Sizes((6, 7, 5, 4), 9, "categorical")


def batch_of(sizes, library="numpy"):
    pytest.importorskip(library)
    return batch(library_of(library, "float64"), sizes)


def assert_equal(b, found, expected):
    for x, y in zip(found, expected, strict=True):
        np.testing.assert_allclose(b.library.backend.to_numpy(x), b.library.backend.to_numpy(y), rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize("sizes", [SQUARED_ERROR, CATEGORICAL])
def test_gradient_and_product(sizes, library):
    b = batch_of(sizes, library)
    at = b.network, b.weights, b.X, b.Y
    assert_equal(b, plain.gradient(b.xp, b.weights, b.X, b.Y), kfgn.gradient(*at))
    product = plain.gauss_newton_product(b.xp, b.weights, b.X, b.Y, b.V)
    assert_equal(b, product, kfgn.gauss_newton_product(*at, b.V))


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_kfac(library):
    b = batch_of(CATEGORICAL, library)
    labels = kfac_labels(b)
    g, Q, G = plain.kfac(b.xp, b.weights, b.X, b.Y, labels)
    expected = kfgn.kfac(b.network, b.weights, b.X, b.Y, labels[:, None])
    assert_equal(b, [*g, *Q, *G], [*expected.gradient, *expected.Q, *expected.G])


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_kfra(library):
    b = batch_of(SQUARED_ERROR, library)
    g, Q, G = plain.kfra(b.xp, b.weights, b.X, b.Y)
    expected = kfgn.kfra(b.network, b.weights, b.X, b.Y)
    assert_equal(b, [*g, *Q, *G], [*expected.gradient, *expected.Q, *expected.G])


def test_step_of_kfra():
    b = batch_of(SQUARED_ERROR)
    optimiser = kfgn.GaussNewton(b.network, eta=0.0)
    state, _ = optimiser.step(optimiser.init(b.weights), b.X, b.Y)
    moved = kfra_step(b.weights, b.X, b.Y, optimiser.tau.initial, optimiser.gamma.initial)
    assert_equal(b, moved, state.weights)


def test_hessian_free_step():
    b = batch_of(CATEGORICAL)
    estimate = kfgn.HessianFree(iterations=HESSIAN_FREE_ITERATIONS, tolerance=0.0)
    optimiser = kfgn.GaussNewton(b.network, estimate, eta=0.0)
    state, _ = optimiser.step(optimiser.init(b.weights), b.X, b.Y)
    damping = optimiser.tau.initial
    moved = plain.hessian_free_step(b.xp, b.weights, b.X, b.Y, damping, HESSIAN_FREE_ITERATIONS)
    assert_equal(b, moved, state.weights)
