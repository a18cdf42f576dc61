"""The eigenvalues of a symmetric matrix by Jacobi's method, the same on every processor.

Jacobi's method needs only `+ - * /` and `sqrt`, which float64 rounds correctly everywhere. The method runs in float64,
and its result is rounded to fewer bits. This loses less accuracy than LAPACK with the same number of bits. LAPACK
computes the decomposition of A + E, where E has the size of u |A| and depends on the processor. This module therefore
adds a fixed E to A, as a bound for the E of LAPACK. Its signs are fixed, and its spectral norm is a little below
u |A|_F.
"""

import math

import numpy as np
from numpy.typing import NDArray

from .rounding import Floats, rounded

SWEEPS = 30
"""The largest number of sweeps. Convergence is quadratic, and ten sweeps are usually more than enough."""

ROUNDOFF = 2.0**-50
"""The relative size below which an off-diagonal element is a rounding error."""

Indices = NDArray[np.intp]


def eigh(A: Floats, bits: int) -> tuple[Floats, Floats]:
    """The eigenvalues (D,), ascending, and the eigenvectors, the columns of (D, D), rounded to `bits` bits.

    Raises `ArithmeticError` for a matrix that is not finite.
    """
    values, vectors = jacobi(A + backward_error(A, 2.0**-bits))
    order = np.argsort(values, kind="stable")
    return rounded(values[order], bits), rounded(vectors[:, order], bits)


def backward_error(A: Floats, u: float) -> Floats:
    """E = u |A|_F / sqrt(4 D) times a fixed symmetric matrix of signs, whose spectral norm is near sqrt(4 D)."""
    D = len(A)
    bits = np.random.Philox(key=D).random_raw(D * D).reshape(D, D) & 1
    signs = np.triu(2.0 * bits - 1)
    signs = signs + np.triu(signs, 1).T
    frobenius = math.sqrt(math.fsum(np.ravel(A * A)))
    return np.asarray(u * frobenius / math.sqrt(4 * D) * signs)


def jacobi(A: Floats) -> tuple[Floats, Floats]:
    """The eigenvalues (D,), in any order, and the eigenvectors, the columns of (D, D)."""
    A, V = np.array(A), np.eye(len(A))
    for _ in range(SWEEPS):
        if converged(A):
            return np.diagonal(A), V
        for p, q in pairings(len(A)):
            rotate(A, V, p, q)
    raise ArithmeticError(f"expected eigenvalues of a finite symmetric matrix {A.shape} within {SWEEPS} sweeps")


def converged(A: Floats) -> bool:
    """True if all off-diagonal elements are rounding errors."""
    size = np.abs(A)
    off = np.max(size * ~np.eye(len(A), dtype=bool), initial=0)
    return bool(off <= ROUNDOFF * np.max(size, initial=0))


def pairings(D: int) -> list[tuple[Indices, Indices]]:
    """All pairs of D indices, in rounds of disjoint pairs, as in a round-robin tournament."""
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
