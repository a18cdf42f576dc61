"""Rejected steps that raise a damping: gamma after a failed factorisation, tau after an overflow."""

import numpy as np
import pytest

import kfgn
from kfgn._optimisers import Factors, gauss_newton_step

from .runs import INVERSIONS, ONE_LAYER, equal, run_on_one_batch, start, with_factors


def indefinite(optimiser, W, Q):
    """The state at weights W of one layer, with an average Q over so many batches that another one changes nothing."""
    state = optimiser.init((W,))
    factors = Factors(state.factors.count + 10**9, (Q,), (np.eye(len(W)),), ())
    return state._replace(factors=factors)


@pytest.mark.parametrize(("decay", "ok"), [(0.5, False), (1e-3, True)])
def test_a_gamma_that_fails_gives_way_to_one_that_does_not(decay, ok):
    """If all three values of gamma fail, the step is rejected, and gamma is raised by the factor of an adaptation."""
    network = kfgn.Network.dense((1, 1), (), "squared_error")
    W, X, Y = np.array([[1.0, -1.0]]), np.array([[1.0]]), np.array([[3.0]])
    optimiser = kfgn.GaussNewton(
        network, kfgn.KroneckerFactored(average=1.0), eta=0.0, gamma=kfgn.Damping(1e-3, 1, decay=decay)
    )
    state, info = optimiser.step(indefinite(optimiser, W, np.diag([1.0, -0.2])), X, Y)
    assert bool(info.ok) is ok
    assert float(state.gamma) == pytest.approx(1e-3 / decay)
    assert equal(state.weights, (W,)) is not ok


@pytest.mark.parametrize("inversion", INVERSIONS)
@pytest.mark.parametrize("gamma", [kfgn.Damping(1e-2, 20), kfgn.Damping(1e-2, 3), kfgn.Damping(0.0, 20)], ids=str)
def test_a_matrix_that_is_not_positive_definite_raises_gamma_until_it_is(inversion, gamma):
    weights, rng = start(ONE_LAYER, "float64"), np.random.default_rng(3)
    X, Y = rng.normal(size=(7, 2)), rng.normal(size=(7, 2))
    optimiser = kfgn.GaussNewton(
        ONE_LAYER, kfgn.KroneckerFactored(average=1.0, inversion=inversion), eta=0.0, gamma=gamma
    )
    state = with_factors(optimiser, weights, (np.diag([1.0, 1.0, -0.125]),), (np.eye(2),))
    rejected = 0
    while True:
        before = state
        state, info = optimiser.step(state, X, Y)
        if bool(info.ok):
            break
        rejected += 1
        expected = max(float(before.gamma) / gamma.omega, 2.0**-53)
        assert float(state.gamma) == pytest.approx(expected, rel=1e-14)
        assert float(info.step_size) == 0
        assert float(state.tau) == float(before.tau)
        for a, b in zip(state.weights + state.average + state.factors.Q, weights * 2 + before.factors.Q, strict=True):
            np.testing.assert_array_equal(a, b)
        assert [int(c) for c in state.counts] == [0, rejected, rejected]
    assert 0 < rejected < 60
    assert not np.array_equal(state.weights[0], weights[0])


def test_a_gamma_at_its_ceiling_and_one_without_a_period_are_not_raised():
    weights, rng = start(ONE_LAYER, "float64"), np.random.default_rng(3)
    X, Y = rng.normal(size=(7, 2)), rng.normal(size=(7, 2))
    for gamma in (kfgn.Damping(1e-2, 20, upper=1e-2), kfgn.Damping(1e-2, None)):
        optimiser = kfgn.GaussNewton(ONE_LAYER, kfgn.KroneckerFactored(average=1.0), gamma=gamma)
        state = with_factors(optimiser, weights, (np.diag([1.0, 1.0, -9.0]),), (np.eye(2),))
        for failures in (1, 2):
            state, info = optimiser.step(state, X, Y)
            assert not bool(info.ok)
            assert float(state.gamma) == 1e-2
            assert int(state.counts.failures) == failures


@pytest.mark.parametrize("inversion", INVERSIONS)
@pytest.mark.parametrize("method", ["kfra", "kflr"])
def test_a_step_size_that_overflows_raises_tau_and_not_gamma(method, inversion):
    """A confident and wrong unit has the curvature 1e-35 and the gradient 1; alpha delta~ is the same for any gamma."""
    network = kfgn.Network.dense((1, 1), (), "bernoulli")
    weights = (np.array([[0.0, 80.0]], dtype="float32"),)
    X, Y = np.ones((3, 1), dtype="float32"), np.zeros((3, 1), dtype="float32")
    curvature = kfgn.KroneckerFactored(method, inversion=inversion)
    optimiser = kfgn.GaussNewton(network, curvature, eta=0.0, tau=kfgn.Damping(0.0, 5))
    state, infos = run_on_one_batch(optimiser, weights, X, Y, 4)
    assert [bool(info.ok) for info in infos[:2]] == [False, True]
    assert [float(info.tau) for info in infos[:2]] == [0.0, 2.0**-24]
    assert float(infos[1].gamma) == float(infos[0].gamma)
    assert int(state.counts.rejected) == 1


@pytest.mark.parametrize(
    "curvature", [kfgn.KroneckerFactored(), kfgn.HessianFree(), kfgn.HessianFree(blocks=True)], ids=str
)
def test_an_update_that_overflows_raises_a_damping_until_one_does_not(curvature):
    """A gradient of 1e25 is finite in float32, and its square is not."""
    weights = start(ONE_LAYER, "float32")
    X, Y = np.full((3, 2), 1e4, dtype="float32"), np.full((3, 2), -1e18, dtype="float32")
    optimiser = kfgn.GaussNewton(ONE_LAYER, curvature)
    with np.errstate(all="ignore"):
        state, info = optimiser.step(optimiser.init(weights), X, Y)
    assert np.isfinite(info.f)
    assert bool(info.ok) or float(state.tau) > float(info.tau) or float(state.gamma) > float(info.gamma)


def test_a_loss_that_is_not_finite_after_the_update_raises_tau(monkeypatch):
    monkeypatch.setattr(gauss_newton_step, "change_in_loss", lambda *_: np.asarray(np.inf))
    optimiser = kfgn.GaussNewton(ONE_LAYER, tau=kfgn.Damping(1e-2, 2))
    rng, weights = np.random.default_rng(3), start(ONE_LAYER, "float64")
    X, Y = rng.normal(size=(7, 2)), rng.normal(size=(7, 2))
    (state, (first, second)) = run_on_one_batch(optimiser, weights, X, Y, 2)
    assert [bool(first.ok), bool(second.ok)] == [True, False]
    assert float(state.tau) == pytest.approx(1e-2 / 0.95**2)
    assert float(state.gamma) == 1e-2
