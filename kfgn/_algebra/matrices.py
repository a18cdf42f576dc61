"""Functions of arrays and of small matrices that several packages of kfgn share."""

from .._types import Array, Arrays, Namespace
from ..backends import device, gram, matmul, symmetric_product, with_derivative


def identity_like(xp: Namespace, D: int, like: Array) -> Array:
    """The identity (D, D) in the dtype and on the device of the array `like`."""
    return xp.eye(D, dtype=like.dtype, device=device(like))


def diagonal(xp: Namespace, v: Array) -> Array:
    """diag(v): (..., D) to (..., D, D)."""
    return v[..., None] * identity_like(xp, v.shape[-1], v)


def with_diagonal(xp: Namespace, v: Array, A: Array) -> Array:
    """The matrix A (..., D, D) with its diagonal replaced by v (..., D)."""
    i = xp.arange(A.shape[-1], device=device(A))
    return xp.where(i[:, None] == i[None, :], v[..., None], A)


def is_index(xp: Namespace, i: Array, like: Array) -> Array:
    """A boolean array (..., D) for indices i (...), True only where the index along the last axis is i."""
    return i[..., None] == xp.arange(like.shape[-1], dtype=i.dtype, device=device(like))


def is_largest(xp: Namespace, p: Array) -> Array:
    """A boolean array (..., D), True only at the first of the largest elements of each row of p."""
    return is_index(xp, xp.argmax(p, axis=-1), p)


def at_largest(xp: Namespace, v: Array, p: Array) -> Array:
    """The element v_k of each row of v (..., N, D), for the largest p_k in the same row of p (N, D): (..., N, 1)."""
    # take_along_axis is faster, but the array API standard of 2023 lacks this function
    return xp.sum(xp.where(is_largest(xp, p), v, zero(xp, v)), axis=-1, keepdims=True)


def zero(xp: Namespace, like: Array) -> Array:
    """The 0-d zero in the dtype and on the device of the array `like`."""
    return xp.zeros((), dtype=like.dtype, device=device(like))


def one_minus(xp: Namespace, p: Array) -> Array:
    """1 - p_i for probabilities p (..., D) that sum to 1, without cancellation: (..., D).

    Only the largest p_i can be near 1. For the largest p_i, 1 - p_i is computed as the sum of the other elements.
    """
    largest = is_largest(xp, p)
    rest = xp.sum(xp.where(largest, zero(xp, p), p), axis=-1, keepdims=True)
    return xp.where(largest, rest, 1 - p)


def _root_derivative(xp: Namespace, x: Arrays, t: Arrays) -> Array:
    """t / (2 sqrt(x)), and 0 at x = 0."""
    above = x[0] > 0
    return xp.where(above, t[0] / (2 * xp.sqrt(xp.where(above, x[0], xp.ones_like(x[0])))), xp.zeros_like(x[0]))


@with_derivative(_root_derivative)
def root(xp: Namespace, x: Array) -> Array:
    """sqrt(x) for x >= 0, such as a probability or an eigenvalue. The derivative at x = 0 is defined as 0."""
    return xp.sqrt(x)


def diagonal_of(xp: Namespace, A: Array) -> Array:
    """The diagonal of A (D, D): (D,)."""
    return xp.linalg.diagonal(A)


def symmetrised(A: Array) -> Array:
    """(A + A^T) / 2, since some libraries read only the upper triangle of a symmetric A, and others the lower one."""
    return (A + A.T) / 2


def outer(v: Array) -> Array:
    """v v^T for each row v: (N, D) to (N, D, D)."""
    return v[:, :, None] * v[:, None, :]


def kron(xp: Namespace, A: Array, B: Array) -> Array:
    """A kron B for A (P, P) and B (D, D): (P D, P D)."""
    P, D = A.shape[0], B.shape[0]
    return xp.reshape(A[:, None, :, None] * B[None, :, None, :], (P * D, P * D))


def congruence(M: Array, A: Array) -> Array:
    """A^T M A for a symmetric M (D, D) and A (D, P): (P, P)."""
    return symmetric_product(A, matmul(M, A))


def mean_kron(xp: Namespace, a: Array, M: Array) -> Array:
    """1/N sum_n (a_n a_n^T) kron M_n for a (N, P) and M (N, D, D): (P D, P D).

    The sum over n is one product of matrices, (P^2, N) by (N, D^2).
    """
    (N, P), D = a.shape, M.shape[-1]
    products = xp.reshape(outer(a), (N, P * P)).T @ xp.reshape(M, (N, D * D)) / N
    blocks = xp.permute_dims(xp.reshape(products, (P, P, D, D)), (0, 2, 1, 3))
    return xp.reshape(blocks, (P * D, P * D))


def second_moment(xp: Namespace, rows: Array) -> Array:
    """The mean of v v^T (D, D) over all rows v of an array (..., D)."""
    flat = xp.reshape(rows, (-1, rows.shape[-1]))
    return gram(flat) / flat.shape[0]
