"""The eigenvalues and eigenvectors of a symmetric matrix by Jacobi's method, with the same bits on every processor.

Jacobi's method needs only `+ - * /` and `sqrt`, which every processor rounds correctly in float64. The method runs in
float64, and the result is rounded to fewer bits.

Jacobi's method in float64 is more accurate than LAPACK would be in an arithmetic with fewer bits. If LAPACK computed
with unit roundoff u, it would decompose A + F instead of A. The error F depends on the processor, and has a norm of
about u |A|. `eigh` imitates this error: it adds a matrix E to A before the decomposition. E depends on A and u only.
The spectral norm of E is at most about u |A|_F, an upper estimate of the norm of F.
"""

import math

import numpy as np
from numpy.typing import NDArray

from .rounding import Floats, rounded

SWEEPS = 30
"""The maximum number of sweeps of Jacobi's method, which converges quadratically and rarely needs ten sweeps."""

ROUNDOFF = 2.0**-50
"""The largest off-diagonal element that counts as a rounding error, divided by the largest absolute element of A."""

Indices = NDArray[np.intp]


def eigh(A: Floats, bits: int) -> tuple[Floats, Floats]:
    """Return the eigenvalues (D,) in ascending order, and a matrix (D, D) with the eigenvectors as columns.

    Eigenvalues and eigenvectors are rounded to `bits` bits.

    Raises `ArithmeticError` for a matrix whose Frobenius norm is not finite.
    """
    values, vectors = jacobi(A + backward_error(A, 2.0**-bits))
    order = np.argsort(values, kind="stable")
    return rounded(values[order], bits), rounded(vectors[:, order], bits)


def backward_error(A: Floats, u: float) -> Floats:
    """E = u |A|_F S / sqrt(4 D), where S is a fixed symmetric matrix of signs.

    For large D, the spectral norm of S is about sqrt(4 D).
    """
    D = len(A)
    bits = np.random.Philox(key=D).random_raw(D * D).reshape(D, D) & 1
    signs = np.triu(2.0 * bits - 1)
    signs = signs + np.triu(signs, 1).T
    frobenius = math.sqrt(math.fsum(np.ravel(A * A)))
    return np.asarray(u * frobenius / math.sqrt(4 * D) * signs)


def jacobi(A: Floats) -> tuple[Floats, Floats]:
    """Return the eigenvalues (D,) of A in any order, and the eigenvectors as columns of a (D, D) matrix."""
    A, V = np.array(A), np.eye(len(A))
    for _ in range(SWEEPS):
        if converged(A):
            return np.diagonal(A), V
        for p, q in pairings(len(A)):
            rotate(A, V, p, q)
    raise ArithmeticError(f"A: expected a finite symmetric matrix, got no convergence in {SWEEPS} sweeps of {A.shape}")


def converged(A: Floats) -> bool:
    """True if all off-diagonal elements of A are rounding errors."""
    size = np.abs(A)
    off = np.max(size * ~np.eye(len(A), dtype=bool), initial=0)
    return bool(off <= ROUNDOFF * np.max(size, initial=0))


def pairings(D: int) -> list[tuple[Indices, Indices]]:
    """Divide all pairs of the indices 0, ..., D - 1 into rounds of disjoint pairs, as in a round-robin tournament."""
    players = list(range(D + D % 2))
    rounds = []
    for _ in range(len(players) - 1):
        half = len(players) // 2
        pairs = [sorted(pair) for pair in zip(players[:half], reversed(players[half:]), strict=True)]
        met = np.array([pair for pair in pairs if pair[1] < D], dtype=np.intp).reshape(-1, 2)
        rounds.append((met[:, 0], met[:, 1]))
        players = [players[0], players[-1], *players[1:-1]]
    return rounds


def rotate(A: Floats, V: Floats, p: Indices, q: Indices) -> None:
    """Make A[p, q] zero by rotations in the planes (p, q), and apply the rotations to the columns of V."""
    coupled = A[p, q] != 0
    p, q = p[coupled], q[coupled]
    theta = (A[q, q] - A[p, p]) / (2 * A[p, q])
    t = np.where(theta < 0, -1, 1) / (np.abs(theta) + np.sqrt(theta * theta + 1))
    c = 1 / np.sqrt(t * t + 1)
    s = t * c
    A[p], A[q] = c[:, None] * A[p] - s[:, None] * A[q], s[:, None] * A[p] + c[:, None] * A[q]
    for M in (A, V):
        M[:, p], M[:, q] = c * M[:, p] - s * M[:, q], s * M[:, p] + c * M[:, q]
    A[p, q] = A[q, p] = 0
