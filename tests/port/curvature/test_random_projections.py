"""Random projections: equal to KFLR for projections that are a basis, and in the mean over all signs."""

import itertools

import numpy as np
import pytest

import kfgn

OBJECTIVES = ["squared_error", "bernoulli", "categorical", "mixture", "mixture scalar"]
without_jax = pytest.mark.parametrize("backend", ["numpy", "strict", "torch", "torch-cuda", "cupy"], indirect=True)


def assert_kflr(backend, p, projections):
    rp = kfgn.rp(*p[:4], backend.asarray(projections))
    kflr = kfgn.kflr(*p[:4])
    for a, b in zip(rp.G, kflr.G, strict=True):
        exact = backend.to_numpy(b)
        np.testing.assert_allclose(backend.to_numpy(a), exact, rtol=0, atol=1e-13 * np.abs(exact).max())
    for a, b in zip((rp.loss, *rp.gradient, *rp.Q), (kflr.loss, *kflr.gradient, *kflr.Q), strict=True):
        np.testing.assert_allclose(backend.to_numpy(a), backend.to_numpy(b), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("objective", OBJECTIVES)
@without_jax
def test_a_basis(backend, problem, objective):
    # the K projections sqrt(K) e_k have 1/K sum_s z z^T = I
    p = problem(backend, objective, widths=(2, 5, 4, 3))
    *_, K = kfgn.projection_shape(p.network, 7, 1)
    assert_kflr(backend, p, np.broadcast_to(np.eye(K) * K**0.5, (7, K, K)).copy())


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("backend", ["numpy"], indirect=True)
def test_the_mean_over_all_signs(backend, problem, objective):
    # each datapoint has the signs in a different order
    p = problem(backend, objective, widths=(2, 5, 4, 3))
    *_, K = kfgn.projection_shape(p.network, 7, 1)
    signs = np.array(list(itertools.product((-1.0, 1.0), repeat=K)))
    rng = np.random.default_rng(0)
    assert_kflr(backend, p, np.stack([rng.permutation(signs) for _ in range(7)]))


@pytest.mark.parametrize("backend", ["numpy"], indirect=True)
def test_rank_of_one_sample(backend, problem):
    p = problem(backend, "squared_error", widths=(2, 5, 4, 3), N=2, S=1)
    assert [np.linalg.matrix_rank(G) for G in kfgn.rp(*p[:4], p.projections).G] == [2, 2, 2]
