"""The quadratic model (32), its step size (40) and the reduction ratio (42), by dense algebra and on known cases."""

import dataclasses

import numpy as np
import pytest

import kfgn

OBJECTIVES = ["squared_error", "bernoulli", "categorical", "mixture", "mixture scalar"]

numpy_alone = pytest.mark.parametrize("backend", ["numpy"], indirect=True)

without_jax = pytest.mark.parametrize("backend", ["numpy", "strict", "torch", "torch-cuda", "cupy"], indirect=True)


def ravel(arrays):
    return np.concatenate([np.ravel(a) for a in arrays])


def columns(product, p):
    """The matrix of a product, column by column."""
    shapes = p.network.weight_shapes
    ends = np.cumsum([m * n for m, n in shapes])
    for e in np.eye(ends[-1]):
        V = [part.reshape(shape) for part, shape in zip(np.split(e, ends[:-1]), shapes, strict=True)]
        yield ravel(product(*p[:4], V))


def f(p, weights, eta):
    return kfgn.loss(p.network, weights, p.X, p.Y) + eta / 2 * sum(np.sum(W * W) for W in weights)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize(("tau", "eta"), [(0.0, 0.0), (0.5, 0.0), (0.0, 0.25), (0.75, 0.125)])
@numpy_alone
def test_dense(backend, problem, objective, tau, eta):
    p = problem(backend, objective)
    theta, delta = ravel(p.weights), ravel(p.delta)
    C = np.stack(list(columns(kfgn.gauss_newton_product, p))) + (tau + eta) * np.eye(len(theta))
    gradient = ravel(kfgn.gradient(*p[:4])) + eta * theta
    start, end = (f(p, weights, eta) for weights in (p.weights, [W + d for W, d in zip(p.weights, p.delta)]))  # noqa: B905
    slope, curvature = delta @ gradient, delta @ C @ delta
    options = {"tau": tau, "eta": eta}
    for function, expected in [
        (kfgn.curvature_along, curvature),
        (kfgn.quadratic_model, start + slope + curvature / 2),
        (kfgn.step_size, -slope / curvature),
        (kfgn.reduction_ratio, (end - start) / (slope + curvature / 2)),
    ]:
        np.testing.assert_allclose(function(*p[:4], p.delta, **options), expected, rtol=1e-11)


@without_jax
def test_exact_where_f_is_quadratic(backend, problem):
    # for one layer and squared errors with tau = 0 the model is f itself, and rho is 1 for every delta
    p = problem(backend, "squared_error", widths=(4, 3))
    moved = tuple(W + d for W, d in zip(p.weights, p.delta, strict=True))
    model = kfgn.quadratic_model(*p[:4], p.delta, tau=0, eta=0.25)
    squares = sum(float(np.sum(backend.to_numpy(W) ** 2)) for W in moved)
    np.testing.assert_allclose(float(model), float(kfgn.loss(p.network, moved, p.X, p.Y)) + squares / 8, rtol=1e-13)
    np.testing.assert_allclose(float(kfgn.reduction_ratio(*p[:4], p.delta, tau=0, eta=0.25)), 1, rtol=1e-11)
    # tau is no part of f: the model has more curvature than f, which falls by more than predicted
    alpha = kfgn.step_size(*p[:4], kfgn.gradient(*p[:4]), tau=4.0, eta=0.0)
    step = tuple(alpha * g for g in kfgn.gradient(*p[:4]))
    assert float(kfgn.reduction_ratio(*p[:4], step, tau=4.0, eta=0.0)) > 1


@pytest.mark.parametrize("objective", OBJECTIVES)
@without_jax
def test_step_size(backend, problem, objective):
    # alpha is negative along the gradient, minimises the model along it, and is halved by twice the gradient
    p = problem(backend, objective)
    options = {"tau": 0.5, "eta": 0.0}
    gradient = kfgn.gradient(*p[:4])
    alpha = kfgn.step_size(*p[:4], gradient, **options)
    assert float(alpha) < 0

    def model(scale):
        return float(kfgn.quadratic_model(*p[:4], tuple(scale * g for g in gradient), **options))

    squared = sum(float(np.sum(backend.to_numpy(g) ** 2)) for g in gradient)
    np.testing.assert_allclose(model(alpha) - float(kfgn.loss(*p[:4])), float(alpha) * squared / 2, rtol=1e-9)
    assert model(alpha) < min(model(1.01 * alpha), model(0.99 * alpha))
    half = kfgn.step_size(*p[:4], tuple(2 * g for g in gradient), **options)
    np.testing.assert_allclose(float(half), float(alpha) / 2, rtol=1e-12)


@pytest.mark.parametrize("objective", OBJECTIVES)
@without_jax
def test_nothing_moves(backend, problem, objective):
    p = problem(backend, objective)
    zero = tuple(0 * W for W in p.weights)
    options = {"tau": 0.5, "eta": 0.25}
    assert float(kfgn.curvature_along(*p[:4], zero, **options)) == 0
    squares = sum(float(np.sum(backend.to_numpy(W) ** 2)) for W in p.weights)
    model = float(kfgn.quadratic_model(*p[:4], zero, **options))
    np.testing.assert_allclose(model, float(kfgn.loss(*p[:4])) + squares / 8, rtol=1e-13)
    for function in (kfgn.step_size, kfgn.reduction_ratio):
        assert np.isnan(float(function(*p[:4], zero, **options)))


@pytest.mark.parametrize("objective", OBJECTIVES)
@numpy_alone
def test_a_small_step_in_float32_keeps_its_digits(backend, problem, objective):
    # the step is exact in float32 and in float64; the difference of two losses in float32 would have no digit left
    p = problem(backend, objective, "float32", N=300)
    p = p.map(lambda a: (np.round(a * 2**10) / 2**10).astype("float32") if a.dtype == "float32" else a)
    delta = tuple((np.sign(d) * 2**-12).astype("float32") for d in p.delta)
    double = p._replace(delta=delta).map(lambda a: a.astype("float64") if a.dtype == "float32" else a)
    options = {"tau": 0.0, "eta": 0.125}
    exact = kfgn.reduction_ratio(*double[:4], double.delta, **options)
    np.testing.assert_allclose(kfgn.reduction_ratio(*p[:4], delta, **options), exact, rtol=2e-3)


def test_jit_with_traced_numbers(problem):
    jax = pytest.importorskip("jax")
    from kfgn.backends import open_backend

    p = problem(open_backend("jax"), "mixture", "float32")
    ratio = jax.jit(lambda tau, eta: kfgn.reduction_ratio(*p[:4], p.delta, tau=tau, eta=eta))
    expected = kfgn.reduction_ratio(*p[:4], p.delta, tau=0.5, eta=0.25)
    np.testing.assert_allclose(ratio(np.float32(0.5), np.float32(0.25)), expected, rtol=1e-5)


@numpy_alone
def test_the_psd_matrix_is_the_models(backend, problem):
    # the model of the mixture depends on the matrix that replaces H_L
    p, q = (problem(backend, f"mixture {psd}") for psd in ("project", "scalar"))
    assert dataclasses.replace(q.network, psd="project") == p.network
    a, b = (kfgn.curvature_along(*r[:4], r.delta, tau=0.0, eta=0.0) for r in (p, q))
    assert abs(a - b) > 1e-3
    for r in (p, q):
        assert kfgn.curvature_along(*r[:4], r.delta, tau=0.0, eta=0.0) >= 0
