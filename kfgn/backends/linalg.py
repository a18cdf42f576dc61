"""Cholesky factors and eigendecompositions that report failure in their results instead of raising an exception.

For a matrix that is not positive definite, some libraries raise an exception, some return a status number or NaN, and
some report nothing. `cholesky` reports such a matrix in one way for all libraries: the diagonal of the factor is NaN,
and the 0-d bool array `ok` is False. `cholesky` and `cholesky_solve` do not wait for the device.
"""

import importlib
import math
from types import ModuleType

import numpy as np
from array_api_compat import array_namespace, is_cupy_array, is_jax_array, is_numpy_array, is_torch_array

from .._types import Array, Namespace
from .derivatives import with_derivative
from .multiplication import is_recent_amd, onednn_is_faster
from .numpy_equations import factor_in_blocks, has_one_thread, solve_in_blocks
from .triangular import BLOCK, solve_in_halves


def cholesky(A: Array) -> tuple[Array, Array]:
    """Return the lower Cholesky factor of a matrix, and whether the factor exists.

    Parameters
    ----------
    A : array (D, D), float32 or float64
        A symmetric matrix.

    Returns
    -------
    L : array (D, D)
        The lower triangular factor of A = L L^T. If A is not numerically positive definite, the diagonal of L is NaN,
        so that every solution with L is NaN.
    ok : array (), bool
        True if the factor exists.

    Notes
    -----
    The function does not wait for the device.

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn.backends import cholesky
    >>> L, ok = cholesky(np.array([[4.0, 2.0], [2.0, 5.0]]))
    >>> L.tolist(), bool(ok)
    ([[2.0, 0.0], [1.0, 2.0]], True)
    >>> L, ok = cholesky(np.array([[1.0, 2.0], [2.0, 1.0]]))
    >>> bool(ok)
    False
    """
    xp = array_namespace(A)
    if is_torch_array(A):
        import torch

        L, info = torch.linalg.cholesky_ex(A)
        ok = _has_finite_diagonal(xp, L) > info  # info is 0 for a complete factor, or else the row where it ends
        L.diagonal().masked_fill_(~ok, float("nan"))
        return L, ok
    L = _factor(xp, A)
    ok = _has_norms_of_factor(xp, L, A) if is_cupy_array(A) else _has_finite_diagonal(xp, L)
    if is_numpy_array(L) and ok:  # no copy of a factor that the host can read
        return L, ok
    return xp.where(ok, L, xp.full_like(L, float("nan"))), ok


def _factor(xp: Namespace, A: Array) -> Array:
    """The Cholesky factor, or NaN if the library raises `LinAlgError`."""
    if is_jax_array(A):
        from jax.lax.linalg import cholesky

        return cholesky(A, symmetrize_input=False)
    scipy = _scipy(A)
    try:
        if scipy is not None:  # SciPy does not copy a matrix that is stored by columns, such as A.T
            return scipy.cholesky(A.T, lower=True, check_finite=False)
        return factor_in_blocks(A) if is_numpy_array(A) else xp.linalg.cholesky(A)
    except np.linalg.LinAlgError:
        return xp.full_like(A, float("nan"))


def _has_finite_diagonal(xp: Namespace, L: Array) -> Array:
    """True if L is finite. Since A_ii = sum_k L_ik^2, NaN or infinity in row i of A or L makes L_ii NaN or infinite.

    Each L_ii is a square root, so the sum of all L_ii does not overflow.
    """
    return xp.sum(xp.linalg.diagonal(L)) < math.inf


def _has_norms_of_factor(xp: Namespace, L: Array, A: Array) -> Array:
    """True if A_ii is near sum_k L_ik^2 for every row i. CuPy may return an incomplete factor without an error."""
    diagonal = xp.linalg.diagonal(A)
    return xp.all(xp.abs(xp.sum(L * L, axis=-1) - diagonal) <= 0.01 * diagonal)


def cholesky_solve(L: Array, B: Array) -> Array:
    """Solve L L^T X = B for a lower Cholesky factor L.

    Parameters
    ----------
    L : array (D, D), float32 or float64
        A lower triangular matrix, as `cholesky` returns it.
    B : array (D, K) of the dtype of L

    Returns
    -------
    array (D, K)
        X = (L L^T)^-1 B. If L has a 0 on its diagonal, X has elements that are not finite, and no error is raised.

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn.backends import cholesky_solve
    >>> cholesky_solve(np.array([[2.0, 0.0], [1.0, 2.0]]), np.array([[8.0], [12.0]])).round(6).tolist()
    [[1.0], [2.0]]
    """
    if is_numpy_array(L):
        scipy = _scipy(L)
        return solve_in_blocks(L, B.T).T if scipy is None else scipy.cho_solve((L, True), B, check_finite=False)
    if is_torch_array(L) and not _is_split(L):
        import torch

        if L.shape[0] <= BLOCK or L.device.type != "cpu":
            return torch.cholesky_solve(B, L)
        # `torch.cholesky_solve` copies both matrices. For many rows, the copies take more time than a second call
        half = torch.linalg.solve_triangular(L.T, B.T, upper=True, left=False)
        return torch.linalg.solve_triangular(L, half, upper=False, left=False).T
    if is_jax_array(L) and not _is_split(L):
        from jax.scipy.linalg import cho_solve

        return cho_solve((L, True), B)
    if is_cupy_array(L):
        solve_triangular = importlib.import_module("cupyx.scipy.linalg").solve_triangular
        return solve_triangular(L, solve_triangular(L, B, lower=True), trans=1, lower=True)
    return solve_in_halves(L, B.T).T


def _is_split(L: Array) -> bool:
    """True if JAX or PyTorch solves in halves: more than `BLOCK` rows, on a CPU that is an AMD processor of family 26.

    Later families count as 26. On a processor of family 25, halves were slower. On one of Intel, they were slower in
    PyTorch, and were not measured in JAX. On other devices, their many small operations would be slow.
    """
    if L.shape[0] <= BLOCK:
        return False
    if is_jax_array(L):
        import jax

        return bool(jax.default_backend() == "cpu" and is_recent_amd())
    return bool(is_torch_array(L) and L.device.type == "cpu" and onednn_is_faster())


def _scipy(A: Array) -> ModuleType | None:
    """The module `scipy.linalg` for an array of NumPy, if SciPy is installed and NumPy has one thread, or None."""
    if not is_numpy_array(A) or not has_one_thread():
        return None
    try:
        return importlib.import_module("scipy.linalg")
    except ImportError:
        return None


def eigh(A: Array) -> tuple[Array, Array]:
    """Return the eigenvalues and eigenvectors of symmetric matrices.

    Parameters
    ----------
    A : array (..., D, D), float32 or float64
        Symmetric matrices.

    Returns
    -------
    values : array (..., D)
        The eigenvalues, in ascending order.
    vectors : array (..., D, D)
        The eigenvectors, as columns. The eigenvalues and eigenvectors are NaN for a matrix with a non-finite element.

    Notes
    -----
    Under JAX the derivative is given by first-order perturbation theory. In the derivative, eigenvectors of equal
    eigenvalues do not rotate into each other. JAX's own rule gives NaN for equal eigenvalues.

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn.backends import eigh
    >>> values, vectors = eigh(np.array([[2.0, 1.0], [1.0, 2.0]]))
    >>> values.round(6).tolist()
    [1.0, 3.0]
    """
    return _eigh(array_namespace(A), A)  # type: ignore[no-any-return]


def _eigh_derivative(xp: Namespace, A: tuple[Array], t: tuple[Array]) -> tuple[Array, Array]:
    """Return the derivative of `_eigh` along t by first-order perturbation theory, finite for equal eigenvalues."""
    values, V = _eigh(xp, *A)
    M = xp.matrix_transpose(V) @ t[0] @ V
    gaps = values[..., None, :] - values[..., :, None]
    distinct = gaps != 0
    rotation = xp.where(distinct, M / xp.where(distinct, gaps, xp.ones_like(gaps)), xp.zeros_like(M))
    return xp.linalg.diagonal(M), V @ rotation


@with_derivative(_eigh_derivative)
def _eigh(xp: Namespace, A: Array) -> tuple[Array, Array]:
    finite = xp.all(xp.isfinite(A), axis=(-2, -1), keepdims=True)
    values, vectors = xp.linalg.eigh(xp.where(finite, A, xp.zeros_like(A)))
    nan = float("nan")
    return (
        xp.where(finite[..., 0], values, xp.full_like(values, nan)),
        xp.where(finite, vectors, xp.full_like(vectors, nan)),
    )
