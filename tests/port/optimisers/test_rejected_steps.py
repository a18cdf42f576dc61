"""Steps that are rejected without a change of the weights, and runs that are not stopped by saturated units."""

import numpy as np
import pytest

import kfgn
from kfgn.backends import BACKENDS, linalg

from ...pairs import each_pair
from .runs import (
    INVERSIONS,
    METHODS,
    NETWORK,
    SATURATED,
    data,
    leaves,
    numpy_alone,
    run,
    run_on_one_batch,
    start,
    started,
    targets,
    weights,
)

OPTIMISERS = {"gauss_newton": kfgn.GaussNewton(NETWORK), "adam": kfgn.Adam(NETWORK)}


@each_pair(backend=BACKENDS, name=OPTIMISERS, dtype=["float32", "float64"])
def test_a_batch_with_nan_changes_nothing_but_the_counts(backend, name, dtype):
    optimiser = OPTIMISERS[name]
    with backend.scope(dtype):
        states, _ = run(optimiser, backend, 4, dtype)
        X, Y = data(dtype)
        X[3, 1] = np.nan
        state = states[-1]
        for failures in (1, 2):
            after, info = optimiser.step(state, backend.asarray(X), backend.asarray(Y))
            assert not bool(info.ok)
            assert float(info.step_size) == 0
            assert after.t == state.t + 1
            assert [int(c) for c in after.counts] == [4, failures, failures]
            for a, b in zip(leaves(tuple(after)[1:-1]), leaves(tuple(state)[1:-1]), strict=True):
                np.testing.assert_array_equal(backend.to_numpy(a), backend.to_numpy(b))
            state = after
        (_, state), (info,) = run(optimiser, backend, 1, dtype, state)
        assert bool(info.ok)
        assert [int(c) for c in state.counts] == [5, 2, 0]


@pytest.mark.parametrize("optimiser", [kfgn.GaussNewton(NETWORK), kfgn.SGD(NETWORK, 1.0)], ids=["gauss_newton", "sgd"])
def test_overflow_on_numpy_is_rejected_without_a_warning(optimiser):
    state = optimiser.init(tuple(1e200 * W for W in weights()))
    state, info = optimiser.step(state, *data())
    assert not bool(info.ok)
    assert float(info.step_size) == 0
    assert int(state.counts.rejected) == 1


def test_adam_rejects_a_gradient_whose_square_overflows():
    """Otherwise v would be infinite from then on, and the weights would never change again."""
    network = kfgn.Network.dense((1, 1), (), "squared_error")
    optimiser = kfgn.Adam(network, learning_rate=0.1)
    state = optimiser.init((np.zeros((1, 2), "float32"),))
    Y = np.full((2, 1), 1e19, "float32")
    rejected, info = optimiser.step(state, np.full((2, 1), 10, "float32"), Y)
    assert (bool(info.ok), float(info.step_size), int(rejected.counts.rejected)) == (False, 0, 1)
    assert np.isfinite(info.f)
    assert not np.any(rejected.moments[1][0])
    assert bool(optimiser.step(rejected, np.ones((2, 1), "float32"), Y * 0)[1].ok)


@numpy_alone
def test_a_matrix_that_is_not_positive_definite_is_rejected(backend):
    """The factors of a single datapoint are singular without damping."""
    X, Y = data()
    for gamma, ok in ((0.0, False), (0.1, True)):
        optimiser = kfgn.GaussNewton(NETWORK, eta=0.0, gamma=kfgn.Damping(gamma, None))
        state, info = optimiser.step(started(optimiser, backend), X[:1], Y[:1])
        assert bool(info.ok) is ok
        assert int(state.counts.failures) == (not ok)


@each_pair(method=METHODS, inversion=INVERSIONS, inputs=[1e4, 1e6, 1e12], N=[2, 9])
def test_saturated_units_do_not_stop_a_run(method, inversion, inputs, N):
    """G_1 is 0, Q_1 is singular, and in float32 the damping of (36) is lost when it is added to Q_1."""
    X = np.full((N, 4), inputs, dtype=np.float32)
    Y = targets(SATURATED, N, np.float32, np.random.default_rng(1))
    optimiser = kfgn.GaussNewton(SATURATED, kfgn.KroneckerFactored(method, samples=3, inversion=inversion))
    state, infos = run_on_one_batch(optimiser, start(SATURATED, np.float32), X, Y, 30)
    assert not np.any(kfgn.kfra(SATURATED, start(SATURATED, np.float32), X, Y).G[0])
    assert int(state.counts.rejected) == 0
    assert float(infos[-1].loss) < float(infos[0].loss) - 0.1


@pytest.mark.parametrize("curvature", [kfgn.HessianFree(), kfgn.HessianFree(blocks=True)], ids=str)
def test_saturated_units_do_not_stop_hessian_free(curvature):
    X, Y = np.full((9, 4), 1e4, dtype=np.float32), targets(SATURATED, 9, np.float32, np.random.default_rng(1))
    state, infos = run_on_one_batch(kfgn.GaussNewton(SATURATED, curvature), start(SATURATED, np.float32), X, Y, 60)
    assert int(state.counts.rejected) == 0
    assert float(infos[-1].loss) < float(infos[0].loss) - 0.1


@pytest.mark.parametrize("backend", ["numpy", "torch"], indirect=True)  # JAX takes seconds to compile each case
@pytest.mark.parametrize("inversion", INVERSIONS)
@pytest.mark.parametrize("damping", [1e-44, 1e-38, 1e-30, 1e30, 3e38])
def test_a_step_moves_to_finite_weights_or_not_at_all(backend, problem, damping, inversion):
    # with more units than datapoints the factors are singular
    p = problem(backend, "categorical", "float32", widths=(5, 4, 3), N=2)
    given = {name: kfgn.Damping(damping, None, upper=3e38) for name in ("tau", "gamma")}
    optimiser = kfgn.GaussNewton(p.network, kfgn.KroneckerFactored("kflr", inversion=inversion), eta=0.0, **given)
    start = optimiser.init(p.weights)
    after, info = optimiser.step(start, p.X, p.Y)
    for W, W_before in zip(after.weights, start.weights, strict=True):
        came, before = map(backend.to_numpy, (W, W_before))
        assert np.all(np.isfinite(came)) if bool(info.ok) else np.array_equal(came, before)


@pytest.mark.parametrize("backend", ["numpy", "torch"], indirect=True)
@pytest.mark.parametrize("one_thread", [True, False])
def test_smooth_features_reject_no_step(backend, monkeypatch, one_thread):
    """Features that are points of smooth curves have an ill-conditioned Q. With several threads, NumPy works alone."""
    monkeypatch.setattr(linalg, "has_one_thread", lambda: one_thread)
    rng, t = np.random.default_rng(0), np.linspace(0, 1, 150)
    values, vectors = np.linalg.eigh(np.exp(-8 * (t[:, None] - t) ** 2))
    X = rng.standard_normal((300, 150)) @ (vectors * np.sqrt(np.maximum(values, 0))).T
    Y = backend.asarray(X[:, [25, 50]])
    optimiser = kfgn.GaussNewton(kfgn.Network.dense((150, 2), (), "squared_error"), "kflr")
    state, losses = optimiser.init((backend.asarray(np.zeros((2, 151))),)), []
    for _ in range(8):
        state, info = optimiser.step(state, backend.asarray(1e12 * X), Y)
        assert bool(info.ok)
        losses.append(float(info.loss))
    assert losses[-1] < 1e-10 * losses[0]
