"""Cholesky factors, their solves and eigenvalues on every library, also of matrices without a Cholesky factor."""

import sys

import numpy as np
import pytest

from kfgn.backends import cholesky, cholesky_solve, eigh, linalg, numpy_equations
from kfgn.backends.triangular import solve_in_halves


@pytest.fixture(autouse=True)
def scope(backend):
    with backend.scope("float64"):
        yield


@pytest.fixture(params=[True, False], ids=["one thread", "several threads"])
def threads(request, monkeypatch):
    """NumPy's BLAS has one thread or several. SciPy is used with one thread alone."""
    monkeypatch.setattr(linalg, "has_one_thread", lambda: request.param)
    return request.param


def by_halves(L, B):
    return solve_in_halves(L, B.T).T


def matrix(n, seed=0):
    B = np.random.default_rng(seed).standard_normal((n, n + 2))
    return B @ B.T


@pytest.mark.parametrize("n", [1, 2, 7, 40, 300])
def test_cholesky(backend, n):
    A, B = matrix(n), np.random.default_rng(1).standard_normal((n, 3))
    L, ok = cholesky(backend.asarray(A))
    assert bool(ok)
    assert tuple(ok.shape) == ()
    np.testing.assert_allclose(backend.to_numpy(L), np.linalg.cholesky(A), rtol=1e-9, atol=1e-12)
    X = backend.to_numpy(cholesky_solve(L, backend.asarray(B)))
    np.testing.assert_allclose(A @ X, B, rtol=0, atol=1e-9)


@pytest.mark.parametrize("n", [1, 128, 129, 300])
def test_equations_in_halves(backend, n):
    L = np.linalg.cholesky(matrix(n) + np.eye(n))
    B = np.random.default_rng(1).standard_normal((3, n))
    X = backend.to_numpy(solve_in_halves(backend.asarray(L), backend.asarray(B)))
    np.testing.assert_allclose(X @ L @ L.T, B, rtol=0, atol=1e-9)


@pytest.mark.parametrize("backend", ["torch"], indirect=True)
@pytest.mark.parametrize("halves", [True, False])
@pytest.mark.parametrize("n", [7, 300])
def test_equations_of_pytorch(backend, monkeypatch, n, halves):
    """Both routes solve the equations, on every processor. Halves are for more than `BLOCK` rows."""
    split = []
    monkeypatch.setattr(linalg, "onednn_is_faster", lambda: halves)
    monkeypatch.setattr(linalg, "solve_in_halves", lambda L, B: split.append(1) or solve_in_halves(L, B))
    L, B = np.linalg.cholesky(matrix(n) + np.eye(n)), np.random.default_rng(1).standard_normal((n, 3))
    X = backend.to_numpy(cholesky_solve(backend.asarray(L), backend.asarray(B)))
    np.testing.assert_allclose(L @ L.T @ X, B, rtol=0, atol=1e-9)
    assert len(split) == (halves and n == 300)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("n", [5, 40, 129, 300])
@pytest.mark.parametrize("solve", [cholesky_solve, by_halves])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_residual_of_ill_conditioned_equations(backend, n, solve, dtype):
    """The matrix is the covariance of a smooth curve at n points, with a damping near the rounding errors.

    With inverses of blocks, such a matrix had no factor, and residuals were up to a million times the rounding errors.
    The bounds are 50 times the errors of substitution, or more.
    """
    rng, u, t = np.random.default_rng(0), np.finfo(dtype).eps / 2, np.linspace(0, 1, n)
    A = np.exp(-8 * (t[:, None] - t) ** 2)
    A += 10 * u * np.sqrt(n) * np.trace(A) * np.eye(n)
    with backend.scope(dtype):
        L, ok = cholesky(backend.asarray(A.astype(dtype)))
        assert bool(ok)
        B = (A @ rng.standard_normal((n, 3))).astype(dtype)
        X = backend.to_numpy(solve(L, backend.asarray(B)))
    L = backend.to_numpy(L).astype("float64")
    assert np.linalg.norm(L @ L.T - A) < 10 * n * u * np.linalg.norm(A)
    size = np.linalg.norm(B) + np.linalg.norm(L) ** 2 * np.linalg.norm(X)
    assert np.linalg.norm(B - L @ L.T @ X) < 10 * n * u * size


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize(("n", "row"), [(1, 0), (3, 1), (7, 3), (300, 0), (300, 200)])
@pytest.mark.parametrize("solve", [cholesky_solve, by_halves])
def test_a_factor_without_an_inverse(backend, n, row, solve):
    """The result is not finite, and nothing is raised, so that a step is rejected. Some L have a huge element."""
    for seed in range(20 if n < 100 else 2):
        L = np.tril(np.random.default_rng(seed).standard_normal((n, n)))
        if seed % 2:
            L[-1, 0] *= 1e300
        L[row, row] = 0
        with np.errstate(all="raise" if backend.name == "numpy" else "ignore"):
            X = backend.to_numpy(solve(backend.asarray(L), backend.asarray(np.ones((n, 2)))))
        assert X.shape == (n, 2)
        assert not np.all(np.isfinite(X)), seed


def with_entry(i, j, value):
    """A positive definite matrix of 6 rows with the entries A_ij and A_ji replaced."""
    A = matrix(6) + np.eye(6)
    A[i, j] = A[j, i] = value
    return A


NOT_POSITIVE = {
    **{
        f"{value} at {i}, {j}": with_entry(i, j, value)
        for value in (np.nan, np.inf, -np.inf)
        for i in range(6)
        for j in range(i + 1)
    },
    "overflow of a square": with_entry(5, 0, 1e200),
    "negative": -np.eye(3),
    "zero": np.zeros((3, 3)),
    "indefinite at the end": np.diag([1.0, 1.0, 1.0, -1e-3]),
    "indefinite inside": np.array([[1.0, 2.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    "NaN": np.full((2, 2), np.nan),
    "a NaN": np.array([[1.0, np.nan], [np.nan, 1.0]]),
    "infinity": np.diag([np.inf, 1.0]),
}


@pytest.mark.parametrize("case", NOT_POSITIVE)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_not_positive_definite(backend, case):
    # every library gives NaN and a flag on the device, and no error
    A = NOT_POSITIVE[case]
    L, ok = cholesky(backend.asarray(A))
    assert not bool(ok)
    assert np.all(np.isnan(np.diagonal(backend.to_numpy(L))))
    X = cholesky_solve(L, backend.asarray(np.ones((len(A), 2))))
    assert np.all(np.isnan(backend.to_numpy(X)))


def test_half_a_factor_is_none(backend, monkeypatch):
    # the trailing rows of an incomplete factor of CuPy are those of A
    if backend.library in ("torch", "jax"):
        pytest.skip("only CuPy returns an incomplete factor without an error")
    A = np.array([[4.0, 2.0, 2.0], [2.0, 1.0, 3.0], [2.0, 3.0, 9.0]])
    half = np.array([[2.0, 0.0, 0.0], [1.0, 0.0, 0.0], [1.0, 3.0, 9.0]])
    given = backend.asarray(A)
    monkeypatch.setattr("kfgn.backends.linalg.is_cupy_array", lambda _: True)
    monkeypatch.setattr("kfgn.backends.linalg.is_numpy_array", lambda _: False)
    monkeypatch.setattr(backend.xp.linalg, "cholesky", lambda _: backend.asarray(half))
    L, ok = cholesky(given)
    assert not bool(ok)
    assert np.all(np.isnan(backend.to_numpy(L)))


@pytest.mark.parametrize("shape", [(3, 3), (6, 3, 3), (2, 1, 1)])
def test_eigh(backend, shape):
    M = np.random.default_rng(0).standard_normal(shape)
    M = M + np.swapaxes(M, -1, -2)
    values, vectors = map(backend.to_numpy, eigh(backend.asarray(M)))
    np.testing.assert_allclose(values, np.linalg.eigvalsh(M), rtol=0, atol=1e-13)
    np.testing.assert_allclose((vectors * values[..., None, :]) @ np.swapaxes(vectors, -1, -2), M, rtol=0, atol=1e-13)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_eigh_of_what_is_not_finite(backend, bad):
    # libraries raise or return arbitrary values; the port gives NaN for this matrix and for no other
    M = np.stack([np.eye(3), np.eye(3), 2 * np.eye(3)])
    M[1, 0, 2] = M[1, 2, 0] = bad
    values, vectors = map(backend.to_numpy, eigh(backend.asarray(M)))
    np.testing.assert_array_equal(values, [[1, 1, 1], [np.nan] * 3, [2, 2, 2]])
    assert np.all(np.isnan(vectors[1]))
    assert np.all(np.isfinite(vectors[[0, 2]]))


@pytest.mark.parametrize("backend", ["numpy"], indirect=True)
def test_without_scipy(monkeypatch, threads):
    pytest.importorskip("scipy.linalg")
    A, B = matrix(4), np.random.default_rng(1).standard_normal((4, 3))
    assert (linalg._scipy(A) is not None) == threads
    L, _ = cholesky(A)
    expected = cholesky_solve(L, B)
    monkeypatch.setitem(sys.modules, "scipy.linalg", None)
    assert linalg._scipy(A) is None
    np.testing.assert_allclose(cholesky(A)[0], L, rtol=1e-10)
    np.testing.assert_allclose(cholesky_solve(L, B), expected, rtol=1e-10)


@pytest.mark.parametrize("backend", ["numpy"], indirect=True)
@pytest.mark.parametrize("case", NOT_POSITIVE)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning", "ignore:overflow:RuntimeWarning")
def test_numpy_alone_reports_a_matrix_without_a_factor(monkeypatch, backend, case):
    """Blocks of two columns, so that a bad element is in a block on the diagonal or below it."""
    monkeypatch.setattr(linalg, "has_one_thread", lambda: False)
    monkeypatch.setattr(numpy_equations, "BLOCK", 2)
    test_not_positive_definite(backend, case)


@pytest.mark.parametrize("backend", ["jax"], indirect=True)
@pytest.mark.parametrize("recent", [True, False])
def test_halves_of_jax_are_for_recent_processors_of_amd(backend, monkeypatch, recent):
    jax = pytest.importorskip("jax")
    monkeypatch.setattr(linalg, "is_recent_amd", lambda: recent)
    assert linalg._is_split(backend.asarray(np.eye(129))) == (recent and jax.default_backend() == "cpu")
    assert not linalg._is_split(backend.asarray(np.eye(128)))
