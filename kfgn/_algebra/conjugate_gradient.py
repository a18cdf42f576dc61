"""Conjugate gradients for systems of equations whose unknowns are arrays, one for each layer.

The number of iterations is fixed, so that nothing waits for the device: a solve that has converged changes no more.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from array_api_compat import array_namespace

from .._types import Array, Arrays
from ..backends import device, index_dtype, repeat
from .layerwise import inners, plus

Operator: TypeAlias = Callable[[Arrays], Arrays]
"""v to A v for a matrix A. The passes that do not depend on v are behind it, so that each product costs little."""


ITERATIONS = 50
"""By default: each is a product with the matrix, about two gradients."""

TOLERANCE = 1e-5
"""By default: near what float32 can reach when the damped matrix has a condition number of a hundred."""


class Solution(NamedTuple):
    """The x of A x = b, and how well it solves it.

    x:          in the shapes of b
    residual:   |b - A x| / |b|, computed from x anew, 0-d; 0 if b is
    iterations: how many were used, 0-d integer

    Of equations that are solved layer by layer, residual and iterations are tuples, one for each layer.
    """

    x: Arrays
    residual: Array | Arrays
    iterations: Array | Arrays


def conjugate_gradient(
    apply: Operator, b: Arrays, *, iterations: int, tolerance: Array | float, separate: bool = False
) -> Solution:
    """x with A x = b for a symmetric positive definite A, from x = 0, where apply(v) = A v.

    Each of the iterations is computed. Those after |r| <= tolerance |b|, with r as the recurrence has it, or after a p
    with p^T A p <= 0, change nothing. If A has a block for each array of b, `separate` solves each with its own
    scalars and its own end. b is scaled to a largest element of 1, so that no square underflows.
    """
    xp, L = array_namespace(b[0]), len(b)

    def joined(scalars: Arrays, how: Callable[..., Array]) -> Array:
        """One scalar for each system of equations, (L,) or (1,)."""
        stacked = xp.stack(scalars)
        return stacked if separate else how(stacked, axis=0, keepdims=True)

    def dot(u: Arrays, v: Arrays) -> Array:
        return joined(inners(xp, u, v), xp.sum)

    def each(scalars: Array) -> Arrays:
        """The scalar of each array."""
        return tuple(scalars[l if separate else 0] for l in range(L))

    def times(scalars: Array, v: Arrays) -> Arrays:
        return tuple(c * x for c, x in zip(each(scalars), v, strict=True))

    def nonzero(c: Array) -> Array:
        return xp.where(c == 0, xp.ones_like(c), c)

    scale = nonzero(joined(tuple(xp.max(xp.abs(x)) for x in b), xp.max))
    b = times(1 / scale, b)
    limit = tolerance * xp.sqrt(dot(b, b))
    # below the floor |r|^2 nears the smallest normal number, and what is computed of it would lead x astray
    information = xp.finfo(limit.dtype)
    floor = math.sqrt(information.smallest_normal) / information.eps
    limit = xp.where(limit < floor, xp.full_like(limit, floor), limit)

    def step(state: tuple[Array, ...]) -> tuple[Array, ...]:
        x, r, p, (rr, used) = state[:L], state[L : 2 * L], state[2 * L : 3 * L], state[3 * L :]
        Ap = apply(p)
        pAp = dot(p, Ap)
        going = (xp.sqrt(rr) > limit) & ~(pAp <= 0)  # so NaN goes on and is seen in the result
        alpha = xp.where(going, rr / nonzero(pAp), xp.zeros_like(rr))
        x, r = plus(x, times(alpha, p)), plus(r, times(-alpha, Ap))
        new = dot(r, r)
        beta = xp.where(going, new / nonzero(rr), xp.zeros_like(rr))
        turned = plus(r, times(beta, p))
        p = tuple(xp.where(go, q, old) for go, q, old in zip(each(going), turned, p, strict=True))
        return (*x, *r, *p, xp.where(going, new, rr), used + xp.astype(going, used.dtype))

    start = tuple(xp.zeros_like(x) for x in b)
    none = xp.zeros(limit.shape, dtype=index_dtype(limit), device=device(limit))
    state: tuple[Any, ...] = repeat(iterations, step, (*start, *b, *b, dot(b, b), none))
    x, used = state[:L], state[-1]
    r = plus(b, apply(x), -1.0)
    residual = xp.sqrt(dot(r, r)) / nonzero(xp.sqrt(dot(b, b)))
    x = times(scale, x)
    return Solution(x, each(residual), each(used)) if separate else Solution(x, residual[0], used[0])
