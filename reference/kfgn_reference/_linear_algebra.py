"""Solving, rank and definiteness without a root or an eigenvalue, so that rationals stay rational."""

from typing import Any

import numpy as np

from ._arithmetic import one, zero
from ._types import Array


class NotPositiveDefiniteError(ValueError):
    """A matrix that has no inverse with positive pivots or eigenvalues."""


def copied(A: Array) -> Array:
    """A copy to eliminate in. Raises `TypeError` for an array of integers, in which quotients would be cut off."""
    if A.dtype.kind in "biu":
        raise TypeError(f"expected an array of float64 or of objects that divide exactly, got {A.dtype}")
    return A.copy()


def ldl(A: Array) -> tuple[Array, Array]:
    """A = L diag(d) L^T of a symmetric positive definite matrix (D, D): unit lower triangular L, and d (D,).

    Cholesky's factor is L diag(sqrt d). Raises `NotPositiveDefiniteError` at a pivot that is not positive.
    """
    A, L, d = copied(A), zero(A), zero(A[0])
    for j in range(len(A)):
        if not A[j, j] > 0:
            raise NotPositiveDefiniteError(
                f"expected a positive definite matrix, got pivot {j + 1} of {len(A)} equal to {A[j, j]}"
            )
        d[j] = A[j, j]
        L[j:, j] = A[j:, j] / d[j]
        A[j:, j:] -= np.outer(L[j:, j] * d[j], L[j:, j])
    return L, d


def solve(A: Array, B: Array) -> Array:
    """A^-1 B for a symmetric positive definite A (D, D) and B (D,) or (D, K), by substitution through `ldl`."""
    L, d = ldl(A)
    X = B * one(A[0, 0])
    for i in range(len(L)):
        X[i] = X[i] - L[i, :i] @ X[:i]
    X = (X.T / d).T
    for i in reversed(range(len(L))):
        X[i] = X[i] - L[i + 1 :, i] @ X[i + 1 :]
    return X


def rank(A: Array) -> int:
    """The rank of a matrix by elimination. For exact arithmetic: a rounding error counts as a rank."""
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
    """Whether v^T A v >= 0 for every v, A symmetric, by elimination. For exact arithmetic, like `rank`.

    A pivot must not be negative, and one that is 0 allows nothing else in its row.
    """
    A = copied(A)
    for j in range(len(A)):
        if A[j, j] < 0 or (A[j, j] == 0 and np.any(A[j, j:] != 0)):
            return False
        if A[j, j] > 0:
            A[j:, j:] = A[j:, j:] - np.outer(A[j:, j], A[j, j:]) / A[j, j]
    return True


def trace(A: Array) -> Any:
    """tr(A)."""
    return np.sum(np.diagonal(A))
