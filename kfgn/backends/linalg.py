"""Cholesky factors and eigendecompositions that answer for what they cannot factorise instead of raising.

Libraries tell of a matrix that is not positive definite by an error, by a number, by NaN or not at all.
Here it is one thing: the results are NaN, and `ok` (0-d, bool) says so where it is not read yet.
"""

import importlib

import numpy as np
from array_api_compat import array_namespace, is_cupy_array, is_jax_array, is_numpy_array, is_torch_array

from .._types import Array, Namespace
from .arrays import device
from .derivatives import with_derivative


def cholesky(A: Array) -> tuple[Array, Array]:
    """The lower L of A = L L^T for A (D, D) symmetric, and whether there is one. Never waits for the device."""
    xp = array_namespace(A)
    if is_torch_array(A):
        import torch

        L, info = torch.linalg.cholesky_ex(A)
        ok = (info == 0) & xp.all(xp.isfinite(L))
    else:
        try:
            L = xp.linalg.cholesky(A)
        except np.linalg.LinAlgError:
            L = xp.full_like(A, float("nan"))
        # CuPy stops half-way without a word: a factor has rows of squared norm A_ii, and a NaN does not
        identity = xp.eye(A.shape[0], dtype=A.dtype, device=device(A))
        diagonal = xp.sum(A * identity, axis=-1)
        ok = xp.all(xp.abs(xp.sum(L * L, axis=-1) - diagonal) <= 0.01 * diagonal)
    return xp.where(ok, L, xp.full_like(L, float("nan"))), ok


def cholesky_solve(L: Array, B: Array) -> Array:
    """(L L^T)^-1 B for L (D, D) lower and B (D, K)."""
    if is_torch_array(L):
        import torch

        return torch.cholesky_solve(B, L)
    if is_jax_array(L):
        from jax.scipy.linalg import cho_solve

        return cho_solve((L, True), B)
    if is_cupy_array(L):
        solve_triangular = importlib.import_module("cupyx.scipy.linalg").solve_triangular
        return solve_triangular(L, solve_triangular(L, B, lower=True), trans=1, lower=True)
    if is_numpy_array(L):
        try:
            linalg = importlib.import_module("scipy.linalg")
        except ImportError:
            return _cholesky_solve(L, B)
        return linalg.cho_solve((L, True), B, check_finite=False)
    return _cholesky_solve(L, B)


def _cholesky_solve(L: Array, B: Array) -> Array:
    """With what the standard has: it knows no triangular matrices."""
    xp = array_namespace(L)
    return xp.linalg.solve(L.T, xp.linalg.solve(L, B))


def eigh(A: Array) -> tuple[Array, Array]:
    """Eigenvalues (..., D), ascending, and eigenvectors (..., D, D) of symmetric matrices, NaN for one not finite."""
    return _eigh(array_namespace(A), A)  # type: ignore[no-any-return]


def _eigh_derivative(xp: Namespace, A: tuple[Array], t: tuple[Array]) -> tuple[Array, Array]:
    """The derivative by first-order perturbation. It keeps vectors of equal eigenvalues, where JAX has NaN."""
    values, V = _eigh(xp, *A)
    M = xp.matrix_transpose(V) @ t[0] @ V
    gaps = values[..., None, :] - values[..., :, None]
    apart = gaps != 0
    turned = xp.where(apart, M / xp.where(apart, gaps, xp.ones_like(gaps)), xp.zeros_like(M))
    return xp.linalg.diagonal(M), V @ turned


@with_derivative(_eigh_derivative)
def _eigh(xp: Namespace, A: Array) -> tuple[Array, Array]:
    finite = xp.all(xp.isfinite(A), axis=(-2, -1), keepdims=True)
    values, vectors = xp.linalg.eigh(xp.where(finite, A, xp.zeros_like(A)))
    nan = float("nan")
    return (
        xp.where(finite[..., 0], values, xp.full_like(values, nan)),
        xp.where(finite, vectors, xp.full_like(vectors, nan)),
    )
