"""Cholesky factors and their equations by NumPy alone, in blocks of columns that are written in place.

SciPy factors and solves faster than these functions, but the wheels of SciPy have a separate BLAS. With several
threads, the threads of one BLAS wait for the next product in a loop for about 0.1 seconds, and take the processors of
the other. A program that changes between NumPy and SciPy is then slower than one by NumPy alone. Where NumPy and SciPy
share one BLAS, as in packages of conda, SciPy would be faster with several threads too, but this is not detected.
"""

import os
import re
from functools import lru_cache

import numpy as np

from .._types import Array

BLOCK = 64
"""The largest number of columns of a block. In measurements, 64 was faster than 128 for large matrices."""

LEAF = 32
"""The largest number of rows of a triangular matrix that NumPy inverts as a general matrix, by measurement."""

LIMITS = ("OPENBLAS_NUM_THREADS", "OPENBLAS_DEFAULT_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS")
"""The environment variables that limit the number of threads of OpenBLAS. The first positive number decides."""

ENVIRONMENT = {name: os.environ.get(name, "") for name in LIMITS}
"""The values of `LIMITS` when this module is imported. OpenBLAS reads them when NumPy is imported."""


@lru_cache(maxsize=1)
def has_one_thread() -> bool:
    """True if OpenBLAS starts with one thread: by an environment variable, or since there is one processor.

    A limit that is set after the import of NumPy has no effect on OpenBLAS. It is still seen here if it is set before
    the import of kfgn, and SciPy is then used although NumPy has several threads.
    """
    given = (re.match(r"\s*\+?(\d+)", ENVIRONMENT[name]) for name in LIMITS)
    limit = next((number for found in given if found and (number := int(found[1])) > 0), None)
    return limit == 1 or _processors() == 1


def _processors() -> int:
    """The number of processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows do not have this function
        return os.cpu_count() or 1


@np.errstate(all="ignore")  # LAPACK gives no warning for results that are not finite
def factor_in_blocks(A: Array) -> Array:
    """The lower Cholesky factor of a symmetric A (D, D). Raises `LinAlgError` if A is not positive definite."""
    L = np.zeros_like(A)
    for start, end in _blocks(len(A)):
        column = _rest(A[start:, start:end], L[start:, :start], L[start:end, :start].T)
        L[start:end, start:end] = diagonal = np.linalg.cholesky(column[: end - start])
        if end < len(A):
            L[end:, start:end] = _divided(column[end - start :], diagonal.T, _inverse(diagonal).T)
    return L


@np.errstate(all="ignore")
def solve_in_blocks(L: Array, B: Array) -> Array:
    """X (K, D) with X L L^T = B (K, D), for a lower triangular L (D, D). X has NaN if L has a 0 on its diagonal."""
    X, blocks = np.array(B, dtype=np.result_type(L, B), order="K"), _blocks(len(L))
    diagonals = [L[start:end, start:end] for start, end in blocks]
    inverses = [_inverse(diagonal) for diagonal in diagonals]
    parts = list(zip(blocks, diagonals, inverses, strict=True))
    for (start, end), diagonal, inverse in parts:  # X L^T = B
        rest = _rest(X[:, start:end], X[:, :start], L[start:end, :start].T)
        X[:, start:end] = _divided(rest, diagonal.T, inverse.T)
    for (start, end), diagonal, inverse in reversed(parts):  # X L = B
        rest = _rest(X[:, start:end], X[:, end:], L[end:, start:end])
        X[:, start:end] = _divided(rest, diagonal, inverse)
    return X


def _divided(B: Array, T: Array, inverse: Array) -> Array:
    """B T^-1 for a triangular T, by its inverse and one step of iterative refinement.

    If the condition of T is large, B times the inverse does not satisfy the equation to rounding. The refined result
    satisfies it for conditions up to 1 / sqrt(u), with the unit roundoff u. The Cholesky factor of a matrix of
    condition 1 / u has this condition.
    """
    X = B @ inverse
    X += _rest(B, X, T) @ inverse
    return X


def _rest(B: Array, X: Array, A: Array) -> Array:
    """B - X A, written into the memory of X A."""
    product = X @ A
    return np.subtract(B, product, out=product)


def _blocks(D: int) -> list[tuple[int, int]]:
    """The first column and the end of each block."""
    number = -(-D // BLOCK)
    return [(D * i // number, D * (i + 1) // number) for i in range(number)]


def _inverse(L: Array) -> Array:
    """L^-1 for a lower triangular L, by halves: L_11^-1, L_22^-1, and -L_22^-1 L_21 L_11^-1 below the diagonal.

    The inverse of a block is NaN if the block has a 0 on its diagonal. `numpy.linalg.inv` eliminates and then
    substitutes. The upper triangular L^T needs no elimination. In L, the elimination would exchange rows and round.
    """
    half = len(L) // 2
    if len(L) <= LEAF:
        try:
            return np.linalg.inv(L.T).T
        except np.linalg.LinAlgError:
            return np.full_like(L, np.nan)
    X = np.zeros_like(L)
    X[:half, :half], X[half:, half:] = _inverse(L[:half, :half]), _inverse(L[half:, half:])
    X[half:, :half] = -(X[half:, half:] @ L[half:, :half]) @ X[:half, :half]
    return X
