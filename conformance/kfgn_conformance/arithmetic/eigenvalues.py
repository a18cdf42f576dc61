"""The eigenvalues of a symmetric matrix by Jacobi's method, in an arithmetic that rounds every operation.

Every A here is an array that rounds its operations to `A.bits` bits. LAPACK computes the decomposition of A + E,
where E is of the size of u |A| and depends on the processor. This module adds an E of its own, which has fixed signs
and the spectral norm u |A|_F or a little less, as a bound for that of LAPACK.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

SWEEPS = 30
"""The most sweeps, more than any matrix needs: convergence is quadratic, and ten sweeps are many."""


def eigh(A: Any) -> tuple[Any, Any]:
    """The eigenvalues (D,), ascending, and the eigenvectors, the columns of (D, D).

    Raises `ArithmeticError` for a matrix that is not finite.
    """
    A = A + backward_error(A)
    D = len(A)
    V = A * 0 + np.eye(D)
    rounds = pairings(D)
    for _ in range(SWEEPS):
        if converged(A):
            break
        for p, q in rounds:
            rotate(A, V, p, q)
    else:
        raise ArithmeticError(f"expected eigenvalues of a finite symmetric matrix {A.shape} within {SWEEPS} sweeps")
    values = np.diagonal(A)
    order = np.argsort(np.asarray(values), kind="stable")
    return values[order], V[:, order]


def backward_error(A: Any) -> Any:
    """E = u |A|_F / sqrt(4 D) times a fixed symmetric matrix of signs, whose spectral norm is near sqrt(4 D)."""
    D = len(A)
    bits = np.random.Philox(key=D).random_raw(D * D).reshape(D, D) & 1
    signs = np.triu(2.0 * bits - 1)
    signs = signs + np.triu(signs, 1).T
    frobenius = np.sqrt(np.sum(A * A))
    return frobenius * (2.0**-A.bits) / np.sqrt(frobenius * 0 + 4 * D) * signs


def converged(A: Any) -> bool:
    """True if the elements off the diagonal are within the rounding of the diagonal."""
    size = np.abs(np.asarray(A))
    off = np.max(size * ~np.eye(len(A), dtype=bool), initial=0)
    return bool(off <= 2.0**-A.bits * np.max(size, initial=0))


def pairings(D: int) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Every pair of D indices once, in rounds of pairs that share no index, as in a round-robin tournament."""
    players = list(range(D + D % 2))
    rounds = []
    for _ in range(len(players) - 1):
        half = len(players) // 2
        pairs = [sorted(pair) for pair in zip(players[:half], reversed(players[half:]), strict=True)]
        met = np.array([pair for pair in pairs if pair[1] < D], dtype=np.intp).reshape(-1, 2)
        rounds.append((met[:, 0], met[:, 1]))
        players = [players[0], players[-1], *players[1:-1]]
    return rounds


def rotate(A: Any, V: Any, p: NDArray[np.intp], q: NDArray[np.intp]) -> None:
    """Make A[p, q] zero by rotations in the planes of p and q, and apply them to the columns of V."""
    apart = A[p, q] != 0
    p, q = p[np.asarray(apart)], q[np.asarray(apart)]
    if not len(p):
        return
    theta = (A[q, q] - A[p, p]) / (2 * A[p, q])
    t = np.where(theta < 0, theta * 0 - 1, theta * 0 + 1) / (abs(theta) + np.sqrt(theta * theta + 1))
    c = 1 / np.sqrt(t * t + 1)
    s = t * c
    A[p], A[q] = c[:, None] * A[p] - s[:, None] * A[q], s[:, None] * A[p] + c[:, None] * A[q]
    for M in (A, V):
        M[:, p], M[:, q] = c * M[:, p] - s * M[:, q], s * M[:, p] + c * M[:, q]
    A[p, q] = A[q, p] = 0
