"""The leading eigenvector of each block of a linear operator, by the Lanczos iteration.

The number of steps is fixed, so that the host never waits for the device.
"""

from collections.abc import Callable
from typing import TypeAlias

from array_api_compat import array_namespace

from .._types import Array, Arrays, Namespace
from ..backends import device, eigh, index_dtype, repeat
from .matrices import root, zero

Operator: TypeAlias = Callable[[Arrays], Arrays]
"""A function of one array per block that applies each block to its array."""

ROUNDING = 16
"""The number c of the limit c eps |A v|, with the machine epsilon eps of the dtype.

A part of the product A v that is not longer than this limit is treated as a rounding error.
"""


def leading_eigenvectors(apply: Operator, start: Arrays, steps: int) -> Arrays:
    """An approximate unit eigenvector of the largest eigenvalue of each block, in the shapes of `start`.

    A step multiplies the last vector by the block A, and subtracts from the product its projection on all vectors so
    far. The subtraction is done twice, to remove the rounding errors of the first. The remainder is divided by its norm
    and is the next vector. The next vector is 0 if the remainder is a rounding error. Let V be the matrix whose rows
    are all vectors. The result is V^T u, where u is the leading eigenvector of V A V^T. The error falls faster with the
    number of steps than in a power iteration. Only a rounding error is left if `steps` is at least the dimension of the
    smallest space that contains `start` and that A maps to itself.

    apply: the product with symmetric positive semi-definite blocks
    start: for each block, a vector that is not orthogonal to the leading eigenvector; the vector 0 has the result 0
    """
    xp, L = array_namespace(*start), len(start)
    index = xp.arange(steps, dtype=index_dtype(start[0]), device=device(start[0]))

    def step(state: tuple[Array, ...]) -> tuple[Array, ...]:
        bases, projections, vectors, j = state[:L], state[L : 2 * L], state[2 * L : 3 * L], state[3 * L]
        now = index == j
        shaped = (xp.reshape(v, like.shape) for v, like in zip(vectors, start, strict=True))
        products = [xp.reshape(w, (-1,)) for w in apply(tuple(shaped))]
        bases = tuple(xp.where(now[:, None], v[None, :], V) for V, v in zip(bases, vectors, strict=True))
        pairs = list(zip(bases, products, strict=True))
        columns = zip(projections, pairs, strict=True)
        projections = tuple(xp.where(now[None, :], (V @ w)[:, None], T) for T, (V, w) in columns)
        return *bases, *projections, *(_next(xp, V, w) for V, w in pairs), j + 1

    vectors = tuple(_unit(xp, xp.reshape(v, (-1,)), zero(xp, v)) for v in start)

    def blank(v: Array, columns: int) -> Array:
        return xp.zeros((steps, columns), dtype=v.dtype, device=device(v))

    bases, projections = [blank(v, v.shape[0]) for v in vectors], [blank(v, steps) for v in vectors]
    count = xp.zeros((), dtype=index.dtype, device=device(index))
    state = repeat(steps, step, (*bases, *projections, *vectors, count))
    leading = (_leading(xp, T) @ V for V, T in zip(state[:L], state[L : 2 * L], strict=True))
    return tuple(xp.reshape(v, like.shape) for v, like in zip(leading, start, strict=True))


def _next(xp: Namespace, V: Array, w: Array) -> Array:
    """The unit vector of the part of w that is orthogonal to the rows of V, or 0 if this part is a rounding error."""
    limit = ROUNDING * xp.finfo(w.dtype).eps * _norm(xp, w)
    for _ in range(2):  # the rounding error of the first difference is relative to w, which may be much longer
        w = w - (V @ w) @ V
    return _unit(xp, w, limit)


def _unit(xp: Namespace, v: Array, limit: Array) -> Array:
    """v / |v|, or 0 if |v| is at most `limit`."""
    norm = _norm(xp, v)
    longer = norm > limit
    return xp.where(longer, v / xp.where(longer, norm, xp.ones_like(norm)), xp.zeros_like(v))


def _norm(xp: Namespace, v: Array) -> Array:
    return root(xp, xp.vecdot(v, v))


def _leading(xp: Namespace, T: Array) -> Array:
    """The leading eigenvector of a symmetric matrix, from its upper triangle."""
    return eigh(xp.triu(T) + xp.matrix_transpose(xp.triu(T, k=1)))[1][:, -1]
