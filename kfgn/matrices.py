"""Small matrices that the standard has no function for, outside its optional extension of linear algebra."""

from ._types import Array, Namespace
from .backends import device


def identity_like(xp: Namespace, D: int, like: Array) -> Array:
    """The identity (D, D) in the dtype and on the device of another array."""
    return xp.eye(D, dtype=like.dtype, device=device(like))


def diagonal(xp: Namespace, v: Array) -> Array:
    """diag(v): (..., D) to (..., D, D)."""
    return v[..., None] * identity_like(xp, v.shape[-1], v)


def off_diagonal(xp: Namespace, D: int, like: Array) -> Array:
    """Ones everywhere but on the diagonal, (D, D)."""
    return 1 - identity_like(xp, D, like)


def others(xp: Namespace, p: Array) -> Array:
    """sum_{j != i} p_j in the place of each p_i, without a difference that would cancel: (..., D)."""
    return p @ off_diagonal(xp, p.shape[-1], p)


def diagonal_of(xp: Namespace, A: Array) -> Array:
    """The diagonal of A (D, D): (D,)."""
    return xp.sum(A * identity_like(xp, A.shape[-1], A), axis=-1)


def symmetrised(A: Array) -> Array:
    """(A + A^T) / 2: libraries differ in which triangle of a matrix they read."""
    return (A + A.T) / 2


def kron(xp: Namespace, A: Array, B: Array) -> Array:
    """A kron B for A (P, P) and B (D, D): (P D, P D)."""
    P, D = A.shape[0], B.shape[0]
    return xp.reshape(A[:, None, :, None] * B[None, :, None, :], (P * D, P * D))
