"""The curvature of EKFAC in a run: directions, averages, new bases, and steps between two refreshes."""

from itertools import pairwise

import numpy as np
import pytest

import kfgn
from kfgn._optimisers.eigen_factors import in_new_basis

from .runs import NETWORK, N, data, equal, numpy_alone, run, started, weights

ETA, GAMMA = 0.125, 0.25
FIXED = {"eta": ETA, "tau": kfgn.Damping(1.0, None), "gamma": kfgn.Damping(GAMMA, None)}


def rotations(rng, *sizes):
    return tuple(np.linalg.qr(rng.normal(size=(n, n)))[0] for n in sizes)


@pytest.mark.parametrize("samples", [None, 3])
@numpy_alone
def test_the_direction_of_the_first_step(backend, samples):
    optimiser = kfgn.GaussNewton(NETWORK, kfgn.EigenvalueCorrected(samples=samples), **FIXED)
    X, Y = data()
    draws = optimiser.draw(0, 1, N)
    assert (draws is None) is (samples is None)
    options = {}
    if samples is not None:
        draws = draws.astype("float64")
        options = {"labels": kfgn.sample_labels(NETWORK, weights(), X, draws)}
    state, info = optimiser.step(started(optimiser, backend), X, Y, draws)
    _, gradient, blocks = kfgn.ekfac(NETWORK, weights(), X, Y, **options)
    parts = zip(blocks, gradient, weights(), state.weights, strict=True)
    for block, g, W, after in parts:
        delta = float(info.step_size) * block.solve(g + ETA * W, damping=GAMMA + ETA)
        np.testing.assert_allclose(after - W, delta, rtol=0, atol=1e-12 * np.abs(delta).max())


@numpy_alone
def test_averages(backend):
    """Averages of factors, and of eigenvalues that are taken into the basis of each step."""
    optimiser = kfgn.GaussNewton(NETWORK, kfgn.EigenvalueCorrected(average=0.6), **FIXED)
    states, _ = run(optimiser, backend, 4)
    Q = G = S = bases = None
    for t, (before, after) in enumerate(pairwise(states), start=1):
        X, Y = data(seed=t)
        _, _, Q_t, G_t = kfgn.kflr(NETWORK, before.weights, X, Y)
        beta = min(0.6, 1 - 1 / t)
        Q, G = (
            new if old is None else tuple(beta * a + (1 - beta) * b for a, b in zip(old, new, strict=True))
            for old, new in ((Q, Q_t), (G, G_t))
        )
        found = after.factors
        for ours, expected in ((found.Q, Q), (found.G, G)):
            for a, b in zip(ours, expected, strict=True):
                np.testing.assert_allclose(a, b, rtol=0, atol=1e-13 * np.abs(b).max())
        S_t = kfgn.ekfac_diagonal(NETWORK, before.weights, X, Y, found.U_Q, found.U_G)
        if S is not None:  # the diagonal of the dense matrix in the new basis
            turned = [
                np.diag(U.T @ kfgn.EigenBlock(*one).dense() @ U).reshape(one[2].shape[::-1]).T
                for one, U in zip(zip(*bases, S, strict=True), map(np.kron, found.U_Q, found.U_G), strict=True)
            ]
            S_t = [beta * a + (1 - beta) * b for a, b in zip(turned, S_t, strict=True)]
        S, bases = S_t, (found.U_Q, found.U_G)
        for a, b in zip(found.S, S, strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-12 * np.abs(b).max())
    assert int(found.count) == int(found.batches) == 4


def test_eigenvalues_in_a_new_basis():
    rng = np.random.default_rng(0)
    S, old, new = rng.random((3, 4)), rotations(rng, 4, 3), rotations(rng, 4, 3)
    turned = in_new_basis(S, old, new)
    np.testing.assert_allclose(turned.sum(), S.sum(), rtol=1e-14)
    U, V = np.kron(*old), np.kron(*new)
    expected = np.diag(V.T @ U @ np.diag(S.T.ravel()) @ U.T @ V).reshape(4, 3).T
    np.testing.assert_allclose(turned, expected, rtol=0, atol=1e-14)
    order, signs = [2, 0, 3, 1], np.array([1.0, -1.0, -1.0, 1.0])
    permuted = in_new_basis(S, old, (old[0][:, order] * signs, old[1]))
    np.testing.assert_allclose(permuted, S[:, order], rtol=0, atol=1e-14)


@numpy_alone
def test_between_refreshes_the_eigenvalues_are_updated_alone(backend):
    optimiser = kfgn.GaussNewton(NETWORK, kfgn.EigenvalueCorrected(refresh=3), **FIXED)
    states, _ = run(optimiser, backend, 7)
    assert [int(state.factors.count) for state in states] == [0, 1, 1, 1, 2, 2, 2, 3]
    assert [int(state.factors.batches) for state in states] == list(range(8))
    for t, (a, b) in enumerate(pairwise(states), start=1):
        for name in ("Q", "G", "U_Q", "U_G"):
            assert equal(getattr(a.factors, name), getattr(b.factors, name)) is ((t - 1) % 3 != 0)
        assert not equal(a.factors.S, b.factors.S)


@numpy_alone
def test_after_a_rejected_first_step_the_bases_are_unit_vectors_until_the_next_refresh(backend):
    """The eigenvalues are then the diagonal of the exact blocks, so that no step has to wait for a refresh."""
    optimiser, (X, Y) = kfgn.GaussNewton(NETWORK, kfgn.EigenvalueCorrected(refresh=3), **FIXED), data()
    with np.errstate(all="ignore"):
        first, info = optimiser.step(started(optimiser, backend), X * np.inf, Y)
    assert not bool(info.ok)
    assert equal(first.factors, started(optimiser, backend).factors)
    second, info = optimiser.step(first, X, Y)
    assert bool(info.ok)
    exact = kfgn.gauss_newton_blocks(NETWORK, weights(), X, Y)
    for S, F in zip(second.factors.S, exact, strict=True):
        np.testing.assert_allclose(S, np.diag(F).reshape(S.shape[::-1]).T, rtol=0, atol=1e-13)


@numpy_alone
def test_gamma_is_adapted_between_refreshes(backend):
    """A step that tries three values of gamma needs no new eigenvectors."""
    optimiser = kfgn.GaussNewton(NETWORK, kfgn.EigenvalueCorrected(refresh=100), gamma=kfgn.Damping(1.0, 2))
    states, infos = run(optimiser, backend, 6)
    assert all(bool(info.ok) for info in infos)
    assert equal(states[1].factors.U_Q, states[6].factors.U_Q)
    assert len({float(state.gamma) for state in states}) > 1


@pytest.mark.parametrize("curvature", ["tkfac", "ekfac"])
def test_draws_that_do_not_fit(curvature):
    kinds = {"tkfac": lambda S: kfgn.KroneckerFactored("tkfac", S), "ekfac": kfgn.EigenvalueCorrected}
    X, Y = data()
    exact, sampled = (kfgn.GaussNewton(NETWORK, kinds[curvature](S)) for S in (None, 2))
    draws = sampled.draw(0, 1, N)
    assert draws.shape == (N, 2, 2)
    with pytest.raises(ValueError, match=rf"^draws: expected None for {curvature}, which samples nothing"):
        exact.step(exact.init(weights()), X, Y, draws)
    with pytest.raises(ValueError, match=rf"^draws: expected the random numbers of {curvature} from `draw`, got None"):
        sampled.step(sampled.init(weights()), X, Y)
    state, info = sampled.step(sampled.init(weights()), X, Y, draws.astype("float64") + 2)  # not in [0, 1)
    assert not bool(info.ok)
    assert int(state.counts.rejected) == 1
