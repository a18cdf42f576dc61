"""A step of `GaussNewton` by the public functions of its parts: the direction (34), alpha (40), the update and tau.

Also: tests/reference/test_optimiser.py for the optimiser of the reference, and the row `optimiser_step` of the
conformance kit, which compares steps along whole trajectories.
"""

import numpy as np
import pytest

import kfgn

from .runs import INVERSIONS, METHODS, NETWORK, N, data, numpy_alone, started, weights

ETA, TAU, GAMMA = 0.125, 0.5, 0.25
OPTIONS = {"eta": ETA, "tau": kfgn.Damping(TAU, 1), "gamma": kfgn.Damping(GAMMA, None)}


def regularised_gradient(X, Y):
    return tuple(g + ETA * W for g, W in zip(kfgn.gradient(NETWORK, weights(), X, Y), weights(), strict=True))


def assert_step(optimiser, backend, direction, draws=None):
    """The step along this direction: alpha times the direction, and tau by the reduction ratio."""
    (X, Y), before = data(), weights()
    state, info = optimiser.step(started(optimiser, backend), X, Y, draws)
    assert bool(info.ok)
    alpha = kfgn.step_size(NETWORK, before, X, Y, direction, tau=TAU, eta=ETA)
    np.testing.assert_allclose(info.step_size, alpha, rtol=1e-10)
    update = tuple(alpha * d for d in direction)
    for W, W_before, d in zip(state.weights, before, update, strict=True):
        np.testing.assert_allclose(W, W_before + d, rtol=0, atol=1e-10 * np.abs(d).max())
    rho = kfgn.reduction_ratio(NETWORK, before, X, Y, update, tau=TAU, eta=ETA)
    np.testing.assert_allclose(info.rho, rho, rtol=1e-9)
    np.testing.assert_allclose(state.tau, TAU * 0.95 if rho > 0.75 else TAU / 0.95, rtol=1e-14)


@pytest.mark.parametrize("inversion", INVERSIONS)
@pytest.mark.parametrize("method", METHODS)
@numpy_alone
def test_kronecker_factors(backend, method, inversion):
    optimiser = kfgn.GaussNewton(NETWORK, kfgn.KroneckerFactored(method, samples=3, inversion=inversion), **OPTIONS)
    X, Y = data()
    batch = NETWORK, weights(), X, Y
    draws = optimiser.draw(0, 1, N)
    draws = None if draws is None else draws.astype("float64")
    further = {}
    if method == "rp":
        further = {"projections": draws}
    elif draws is not None:
        further = {"labels": kfgn.sample_labels(NETWORK, weights(), X, draws)}
    factors = getattr(kfgn, method)(*batch, **further)
    blocks = kfgn.kronecker_blocks(factors.Q, factors.G)
    g = regularised_gradient(X, Y)
    direction = tuple(
        block.solve(g_l, damping=GAMMA + ETA, inversion=inversion) for block, g_l in zip(blocks, g, strict=True)
    )
    assert_step(optimiser, backend, direction, draws)


@pytest.mark.parametrize("method", ["tkfac", "tnt", "kfoc"])
@numpy_alone
def test_exact_roots(backend, method):
    """Without a number of samples, no label is sampled."""
    optimiser = kfgn.GaussNewton(NETWORK, method, **OPTIONS)
    assert optimiser.draw(0, 1, N) is None
    X, Y = data()
    factors = getattr(kfgn, method)(NETWORK, weights(), X, Y)
    blocks = kfgn.kronecker_blocks(factors.Q, factors.G)
    parts = zip(blocks, regularised_gradient(X, Y), strict=True)
    assert_step(optimiser, backend, tuple(block.solve(g_l, damping=GAMMA + ETA) for block, g_l in parts))


@pytest.mark.parametrize("blocks", [False, True])
@numpy_alone
def test_hessian_free(backend, blocks):
    curvature = kfgn.HessianFree(blocks=blocks, iterations=300, tolerance=1e-14)
    options = OPTIONS if blocks else OPTIONS | {"gamma": None}
    optimiser = kfgn.GaussNewton(NETWORK, curvature, **options)
    (X, Y), solve = data(), kfgn.solve_gauss_newton_blocks if blocks else kfgn.solve_gauss_newton
    damping = (GAMMA if blocks else TAU) + ETA
    g = regularised_gradient(X, Y)
    direction = solve(NETWORK, weights(), X, Y, g, damping=damping, iterations=300, tolerance=1e-14).x
    assert_step(optimiser, backend, direction)


@pytest.mark.parametrize("curvature", [kfgn.KroneckerFactored("kflr"), kfgn.HessianFree(iterations=50, tolerance=0.0)])
def test_one_step_solves_least_squares(curvature):
    # the Kronecker product is exact for one datapoint, and the full matrix of conjugate gradients for any number
    network = kfgn.Network.dense((3, 2), (), "squared_error")
    rng = np.random.default_rng(0)
    rows = 1 if isinstance(curvature, kfgn.KroneckerFactored) else 9
    W, X, Y = rng.normal(size=(2, 4)), rng.normal(size=(rows, 3)), rng.normal(size=(rows, 2))
    small = {name: kfgn.Damping(1e-9, None) for name in ("tau", "gamma")}
    optimiser = kfgn.GaussNewton(network, curvature, eta=0.0, **small)
    state, _ = optimiser.step(optimiser.init((W,)), X, Y)
    solution, *_ = np.linalg.lstsq(np.hstack([X, np.ones((rows, 1))]), Y, rcond=None)
    residual = float(np.mean(np.sum((np.hstack([X, np.ones((rows, 1))]) @ solution - Y) ** 2, axis=1)) / 2)
    np.testing.assert_allclose(kfgn.loss(network, state.weights, X, Y), residual, rtol=0, atol=1e-8)
