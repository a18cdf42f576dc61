"""Dampings at the ends of a dtype: a solve gives an answer, or states that its damping is too small or too large."""

import numpy as np
import pytest

import kfgn
from kfgn import KroneckerBlock, NotPositiveDefiniteError
from kfgn.backends import BACKENDS

from ...pairs import each_pair

INVERSIONS = ["trace", "frobenius", "spectral", "exact"]
P, D = 6, 4


@pytest.fixture
def block(backend):
    """A block of rank 1 in each factor, or with full rank, and a vector."""

    def make(dtype, *, rank=1):
        rng = np.random.default_rng(3)
        Q, G = (A @ A.T for A in (rng.standard_normal((n, rank if rank == 1 else n)) for n in (P, D)))
        return KroneckerBlock(*(backend.asarray(A.astype(dtype)) for A in (Q, G))), backend.asarray(
            rng.standard_normal((D, P)).astype(dtype)
        )

    with backend.scope("float64"):
        yield make


def calls(block, V, damping, inversion, **options):
    return (
        lambda: block.solve(V, damping=damping, inversion=inversion, **options),
        lambda: block.logdet(damping=damping, inversion=inversion, **options),
    )


@pytest.mark.parametrize("inversion", INVERSIONS)
@pytest.mark.parametrize("damping", [1e-50, 1e-39, 1e39, 1e300])
def test_numbers_that_float32_cannot_hold(block, damping, inversion):
    for rank in (1, P):
        for call in calls(*block("float32", rank=rank), damping, inversion):
            with pytest.raises(ValueError, match=rf"^damping: .*float32.* too {'large' if damping > 1 else 'small'}"):
                call()


@each_pair(backend=BACKENDS, case=[("float32", 1e-36), ("float64", 1e-300), ("float64", 1e-60)], inversion=INVERSIONS)
def test_too_small_for_the_factors(backend, block, case, inversion):
    # a pivot of the size of rounding errors is rejected, since its sign is arbitrary
    dtype, damping = case
    b, V = block(dtype)
    solve, _ = calls(b, V, damping, inversion)
    if (
        inversion == "exact"
    ):  # the zeros of the spectrum are exact, and 1e36, 1e300 and 1e60 are in the range of the dtype
        assert np.all(np.isfinite(backend.to_numpy(solve())))
        return
    with pytest.raises(
        NotPositiveDefiniteError, match=r"^damping: expected a larger value, since this value is too small .*Q \(6, 6\)"
    ):
        solve()


@pytest.mark.parametrize("inversion", INVERSIONS)
def test_a_damping_of_0d_is_read(backend, block, inversion):
    b, V = block("float32")
    for call in calls(b, V, backend.asarray(np.asarray(1e-40, "float32")), inversion):
        with pytest.raises(ValueError, match=r"^damping: expected a .*number"):
            call()


@pytest.mark.parametrize("inversion", INVERSIONS)
def test_too_large_for_the_solution(backend, block, inversion):
    b, V = block("float32", rank=P)
    tiny = V * 1e-20
    with pytest.raises(
        NotPositiveDefiniteError,
        match=r"^damping: expected a smaller value, since this value is too large .*inverse of Q \(6, 6\)",
    ):
        b.solve(tiny, damping=1e38, inversion=inversion)
    zero = b.solve(V * 0, damping=1e38, inversion=inversion)
    assert not np.any(backend.to_numpy(zero))


@pytest.mark.parametrize("inversion", INVERSIONS)
def test_full_rank_needs_no_damping(backend, block, inversion):
    b, V = block("float64", rank=P)
    Q, G, v = map(backend.to_numpy, (*b, V))
    expected = np.linalg.solve(G, np.linalg.solve(Q, v.T).T)
    came = backend.to_numpy(b.solve(V, damping=1e-200, inversion=inversion))
    np.testing.assert_allclose(came, expected, rtol=1e-8)


@pytest.mark.parametrize("inversion", INVERSIONS)
def test_zero_factors(backend, block, inversion):
    # omega is 1, and the matrix is the damping times the identity
    b, V = block("float32")
    nothing = KroneckerBlock(b.Q * 0, b.G * 0)
    for damping in (1e-20, 1.0, 1e20):
        solved = backend.to_numpy(nothing.solve(V, damping=damping, inversion=inversion))
        np.testing.assert_allclose(solved, backend.to_numpy(V) / damping, rtol=1e-5)
    with pytest.raises(NotPositiveDefiniteError, match="too small"):
        nothing.solve(V * 1e30, damping=1e-20, inversion=inversion)


@pytest.mark.parametrize("inversion", INVERSIONS)
def test_without_check_it_is_nan(backend, block, inversion):
    b, V = block("float32", rank=P)
    indefinite = KroneckerBlock(b.Q, b.G * -1)
    for call in calls(indefinite, V, 1e-3, inversion, check=False):
        assert np.all(np.isnan(backend.to_numpy(call())))


@pytest.mark.parametrize("name", ["tau", "eta", "damping"])
def test_functions_of_a_batch(backend, problem, functions, refuses, name):
    p = problem(backend, "categorical", "float32")
    for function in functions(name):
        refuses(backend, function, p, ValueError, name, "float32", "too large", **{name: 1e300})
        if name == "damping":
            refuses(backend, function, p, ValueError, name, "float32", "too small", damping=1e-39)


@pytest.mark.parametrize("solve", [kfgn.solve_gauss_newton, kfgn.solve_gauss_newton_blocks])
def test_conjugate_gradients_that_overflow(backend, shallow, solve):
    p = shallow(backend, "categorical", "float32", N=1)
    b = tuple(x * 1e30 for x in p.b)
    with pytest.raises(
        NotPositiveDefiniteError,
        match=r"^damping: expected a larger value, since this value is too small",
    ):
        solve(*p[:4], b, damping=1e-30)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("D", [2, 5, 20, 100, 300])
def test_the_floor_of_a_damping_makes_singular_factors_positive_definite(D, dtype):
    """The damping is enough for factors of every rank, and it is a small part of the factor."""
    from kfgn._algebra.damping import visible
    from kfgn.backends import cholesky

    rng = np.random.default_rng(D)
    for rank in {1, 2, D // 3, D - 1} - {0}:
        for rows in (np.ones((rank, D)), rng.normal(size=(rank, D)), 1e8 * (1 + 1e-3 * rng.normal(size=(rank, D)))):
            a = rows[rng.integers(0, rank, 3 * D)].astype(dtype)
            Q = a.T @ a / np.asarray(len(a), dtype=dtype)
            (k,) = visible(np, (Q,), np.asarray([1e-30], dtype=dtype))
            assert k < 0.01 * np.trace(Q)
            assert cholesky(Q + k * np.eye(D, dtype=dtype))[1]
