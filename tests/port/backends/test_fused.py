"""Elementwise computations on every library."""

import numpy as np
import pytest

from kfgn.backends import damped, plus_multiple, tanh_derivative, unit_roundoff, weighted_mean

DTYPES = pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-6), ("float64", 2e-15)])


@pytest.fixture
def arrays(backend, dtype):
    with backend.scope(dtype):
        yield lambda *values: [backend.asarray(np.asarray(x, dtype)) for x in values]


@pytest.mark.parametrize("weight", [0.0, 0.3, 0.9, 1.0])
@DTYPES
def test_weighted_mean(backend, arrays, dtype, tolerance, weight):
    x, y = np.random.default_rng(0).standard_normal((2, 5, 7)).astype(dtype)
    x, y, w = arrays(x, y, weight)
    mean = weighted_mean(x, y, w)
    assert mean.dtype == x.dtype
    x, y = map(backend.to_numpy, (x, y))
    expected = weight * x.astype("float64") + (1 - weight) * y
    np.testing.assert_allclose(backend.to_numpy(mean), expected, rtol=0, atol=tolerance)
    if weight in (0, 1):
        np.testing.assert_array_equal(backend.to_numpy(mean), x if weight else y)


@DTYPES
def test_plus_multiple(backend, arrays, dtype, tolerance):
    a, b = np.random.default_rng(0).standard_normal((2, 5, 7)).astype(dtype)
    x, y, scale = arrays(a, b, -0.7)
    for c in (scale, -0.7):
        came = plus_multiple(x, c, y)
        assert came.dtype == x.dtype
        np.testing.assert_allclose(backend.to_numpy(came), a - 0.7 * b, rtol=0, atol=tolerance)
    np.testing.assert_array_equal(backend.to_numpy(x), a)


@DTYPES
@pytest.mark.parametrize("D", [1, 6])
def test_damped(backend, arrays, dtype, tolerance, D):
    given = np.random.default_rng(0).standard_normal((D, D)).astype(dtype)
    for A in (given, given.T):
        a, k = arrays(A, 0.3)
        came = damped(a, k)
        assert came.dtype == a.dtype
        np.testing.assert_allclose(backend.to_numpy(came), (A + A.T) / 2 + 0.3 * np.eye(D), rtol=0, atol=tolerance)
        np.testing.assert_array_equal(backend.to_numpy(a), A)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tanh_derivative(backend, arrays, dtype):
    """The derivative has a small relative error until it is smaller than the normal numbers, and 0 at infinity."""
    h = np.concatenate([np.linspace(-43, 43, 501), [np.inf, -np.inf]]).astype(dtype)
    with np.errstate(over="ignore"):
        expected = 4 / (np.exp(h.astype("float64")) + np.exp(-h.astype("float64"))) ** 2
    (x,) = arrays(h)
    derivative = tanh_derivative(x)
    assert derivative.dtype == x.dtype
    np.testing.assert_allclose(backend.to_numpy(derivative), expected, rtol=50 * unit_roundoff(x), atol=0)
    assert np.isnan(float(tanh_derivative(arrays(np.nan)[0])))
