"""Linear systems, rank and definiteness, computed without square roots or eigenvalues, so that rationals stay rational.

>>> import numpy as np
>>> from kfgn_reference import ldl, solve
>>> A = np.array([[4.0, 2.0], [2.0, 3.0]])
>>> [factor.tolist() for factor in ldl(A)], solve(A, np.array([8.0, 6.0])).tolist()
([[[1.0, 0.0], [0.5, 1.0]], [4.0, 2.0]], [1.5, 1.0])
"""

from typing import Any

import numpy as np

from ._arithmetic import one, zero
from ._types import Array


class NotPositiveDefiniteError(ValueError):
    """Error for a matrix with a pivot or an eigenvalue that is not positive, or with NaN."""


def copied(A: Array) -> Array:
    """A copy of A for the elimination.

    Raises `TypeError` for an array of integers or booleans, since a quotient would lose its fractional part when it is
    stored in the copy.
    """
    if A.dtype.kind in "biu":
        raise TypeError(f"A: expected float64, float32 or objects that divide exactly, got {A.dtype}")
    return A.copy()


def ldl(A: Array) -> tuple[Array, Array]:
    """A = L diag(d) L^T for a symmetric positive definite A (D, D), with unit lower triangular L and d (D,).

    The Cholesky factor is L diag(sqrt d). Raises `NotPositiveDefiniteError` at a pivot that is not positive.
    """
    A, L, d = copied(A), zero(A), zero(A[0])
    for j in range(len(A)):
        if not A[j, j] > 0:
            raise NotPositiveDefiniteError(
                f"A: expected a positive definite matrix, got pivot {j + 1} of {len(A)} equal to {A[j, j]}"
            )
        d[j] = A[j, j]
        L[j:, j] = A[j:, j] / d[j]
        A[j:, j:] -= np.outer(L[j:, j] * d[j], L[j:, j])
    return L, d


def solve(A: Array, B: Array) -> Array:
    """A^-1 B for a symmetric positive definite A (D, D) and B (D,) or (D, K), by `ldl` and substitution."""
    L, d = ldl(A)
    X = B * one(A[0, 0])
    for i in range(len(L)):
        X[i] = X[i] - L[i, :i] @ X[:i]
    X = (X.T / d).T
    for i in reversed(range(len(L))):
        X[i] = X[i] - L[i + 1 :, i] @ X[i + 1 :]
    return X


def rank(A: Array) -> int:
    """The rank of a matrix by elimination. Exact arithmetic is needed, since a rounding error can raise the rank."""
    A, found = copied(A), 0
    for j in range(A.shape[1]):
        rows = [i for i in range(found, len(A)) if A[i, j] != 0]
        if not rows:
            continue
        A[[found, rows[0]]] = A[[rows[0], found]]
        A[found + 1 :] = A[found + 1 :] - np.outer(A[found + 1 :, j], A[found]) / A[found, j]
        found += 1
    return found


def is_positive_semidefinite(A: Array) -> bool:
    """True if v^T A v >= 0 for every v, for a symmetric A, by elimination.

    A is positive semi-definite if no pivot is negative and the row of every zero pivot is zero. Exact arithmetic is
    needed, since a rounding error can make a zero pivot negative.
    """
    A = copied(A)
    for j in range(len(A)):
        if A[j, j] < 0 or (A[j, j] == 0 and np.any(A[j, j:] != 0)):
            return False
        if A[j, j] > 0:
            A[j:, j:] = A[j:, j:] - np.outer(A[j:, j], A[j, j:]) / A[j, j]
    return True


def trace(A: Array) -> Any:
    """tr(A), the sum of the diagonal."""
    return np.sum(np.diagonal(A))
