"""Adaptation of tau at a minimum, where both changes of (42) are rounding errors, and in an ordinary run."""

import numpy as np
import pytest

import kfgn
from kfgn._optimisers import gauss_newton_step

from ...pairs import each_pair
from .runs import INVERSIONS, METHODS, PLAIN, run_on_one_batch, start, targets

CONVERGED = {
    "bernoulli": (kfgn.Network.dense((4, 3), (), "bernoulli"), "float32"),
    "one layer": (kfgn.Network.dense((4, 3), (), "squared_error"), "float32"),
    "one layer in float64": (kfgn.Network.dense((4, 3), (), "squared_error"), "float64"),
    "two layers": (kfgn.Network.dense((4, 5, 3), ("tanh",), "squared_error"), "float32"),
    "two layers in float64": (kfgn.Network.dense((4, 5, 3), ("tanh",), "squared_error"), "float64"),
}


@pytest.mark.parametrize(
    "name",
    [
        *("bernoulli", "one layer in float64", "two layers"),
        *(pytest.param(name, marks=pytest.mark.thorough) for name in ("one layer", "two layers in float64")),
    ],
)
def test_tau_does_not_follow_rounding(name, monkeypatch):
    """At a minimum both changes of (42) are rounding errors. Without the rule tau grows without bound."""
    network, dtype = CONVERGED[name]
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(5, 4)).astype(dtype), targets(network, 5, dtype, rng)
    optimiser = kfgn.GaussNewton(network, eta=0.0, tau=kfgn.Damping(1e-2, 1, decay=0.95**5, lower=1e-6))
    state, infos = run_on_one_batch(optimiser, start(network, dtype), X, Y, 400)
    assert int(state.counts.rejected) == 0
    assert max(float(info.tau) for info in infos) < 0.1
    assert sum(np.isnan(info.rho) for info in infos[-50:]) > 40
    monkeypatch.setattr(gauss_newton_step, "nan_within_rounding", lambda xp, rho, *_: rho)
    for _ in range(400):
        state, _ = optimiser.step(state, X, Y)
        if float(state.tau) > 1e6:
            return
    pytest.fail("tau did not grow")


@each_pair(method=METHODS, inversion=INVERSIONS, dtype=["float32", "float64"])
def test_an_ordinary_run_is_what_it_is_without_these_rules(method, inversion, dtype, monkeypatch):
    """The rules change no bit of a run whose steps all succeed and change f."""
    rng = np.random.default_rng(2)
    X, Y = rng.normal(size=(23, 4)).astype(dtype), rng.integers(0, 3, 23)
    optimiser = kfgn.GaussNewton(
        PLAIN,
        kfgn.KroneckerFactored(method, samples=3, inversion=inversion),
        tau=kfgn.Damping(1e-2, 2, lower=1e-6),
        gamma=kfgn.Damping(1e-2, 5, lower=1e-6),
    )
    with_rules, _ = run_on_one_batch(optimiser, start(PLAIN, dtype), X, Y, 10)
    monkeypatch.setattr("kfgn._algebra.damping.visible", lambda xp, A, damping: damping)
    monkeypatch.setattr(gauss_newton_step, "nan_within_rounding", lambda xp, rho, *_: rho)
    monkeypatch.setattr(gauss_newton_step, "with_more_damping", lambda xp, state, *_, **__: state)
    without, _ = run_on_one_batch(optimiser, start(PLAIN, dtype), X, Y, 10)
    for W, V in zip(with_rules.weights + with_rules.average, without.weights + without.average, strict=True):
        np.testing.assert_array_equal(W, V)
    assert float(with_rules.tau) == float(without.tau) != 1e-2
