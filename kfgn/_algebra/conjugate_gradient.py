"""Conjugate gradients for linear equations whose unknown is a tuple of one array per layer.

For arrays of JAX and for arrays on a GPU, the number of iterations is fixed, so that the host never waits for the
device.
An iteration after convergence leaves the solution unchanged.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from array_api_compat import array_namespace

from .._documentation import documented_tuple
from .._types import Array, Arrays
from ..backends import device, index_dtype, plus_multiple, repeat
from .layerwise import inners, plus

Operator: TypeAlias = Callable[[Arrays], Arrays]
"""A function that maps a vector v to the product A v with a matrix A.

Computations that do not depend on v run once, when the function is created.
"""


ITERATIONS = 50
"""The default number of iterations. An iteration costs about as much as two gradients."""

TOLERANCE = 1e-5
"""The default tolerance: about the relative residual that float32 reaches if the condition number is 100."""


@documented_tuple
class Solution(NamedTuple):
    """The solution x of A x = b, with its residual and the number of iterations.

    `solve_gauss_newton` and `solve_gauss_newton_blocks` return a `Solution`. A `Solution` is a named tuple of arrays
    and of tuples of arrays, and so a pytree.

    Attributes
    ----------
    x : tuple of L arrays
        The solution, in the shapes of b.
    residual : array, shape (), or tuple of L such arrays
        The relative residual |b - A x| / |b|, computed from x after the last iteration. The residual is 0 if b is 0. If
        the layers were solved separately, `residual` is a tuple with one relative residual per layer.
    iterations : integer array, shape (), or tuple of L such arrays
        The number of iterations that changed x. If the layers were solved separately, `iterations` is a tuple with
        one number per layer.

    Examples
    --------
    >>> import numpy as np
    >>> import kfgn
    >>> network, weights = kfgn.Network.dense((2, 1), (), "squared_error"), [np.zeros((1, 3))]
    >>> X, Y, b = np.array([[1.0, 0.0], [0.0, 2.0]]), np.ones((2, 1)), [np.array([[1.0, 0.0, 2.0]])]
    >>> x, residual, iterations = kfgn.solve_gauss_newton(network, weights, X, Y, b, damping=0.5)
    >>> print(x[0].round(3), residual < 1e-6)
    [[ 0.118 -0.706  1.765]] True
    """

    x: Arrays
    residual: Array | Arrays
    iterations: Array | Arrays


def conjugate_gradient(
    apply: Operator,
    b: Arrays,
    *,
    iterations: int,
    tolerance: Array | float,
    separate: bool = False,
    residual: bool = True,
) -> Solution:
    """Solve A x = b for a symmetric positive definite A, starting at x = 0, where apply(v) = A v.

    separate: True if A has one block per array of b; each block then has its own step sizes and its own convergence
    residual: False to save the product with A that the residual of the solution needs; `Solution.residual` is then ()

    x no longer changes once |r| <= tolerance |b|, where r is the residual that the recurrence updates. The solution x
    also no longer changes once |r|^2 is at most the smallest normal number divided by eps^2, since the rounding errors
    of a smaller |r|^2 would spoil x. The same holds once a direction p has p^T A p <= 0. For arrays in host memory, no
    iteration is computed after x has stopped changing in all systems. For all other arrays, such as those of JAX and
    those on a GPU, all iterations are computed, since the host does not wait for the device. The right-hand side of
    each system is divided by its largest absolute value, so that |b|^2 neither overflows nor underflows to 0.
    """
    xp, L = array_namespace(b[0]), len(b)

    def reduced(scalars: Arrays, reduction: Callable[..., Array]) -> Array:
        """Reduce one scalar per layer to one per system of equations: (L,) if `separate`, and (1,) otherwise."""
        stacked = xp.stack(scalars)
        return stacked if separate else reduction(stacked, axis=0, keepdims=True)

    def dot(u: Arrays, v: Arrays) -> Array:
        return reduced(inners(xp, u, v), xp.sum)

    def each(scalars: Array) -> Arrays:
        """For each array of b, the scalar of its system of equations."""
        return tuple(scalars[l if separate else 0] for l in range(L))

    def times(scalars: Array, v: Arrays) -> Arrays:
        return tuple(c * x for c, x in zip(each(scalars), v, strict=True))

    def plus_times(u: Arrays, scalars: Array, v: Arrays) -> Arrays:
        return tuple(plus_multiple(x, c, y) for x, c, y in zip(u, each(scalars), v, strict=True))

    def nonzero(c: Array) -> Array:
        return xp.where(c == 0, xp.ones_like(c), c)

    scale = nonzero(reduced(tuple(xp.max(xp.abs(x)) for x in b), xp.max))
    b = tuple(x / c for c, x in zip(each(scale), b, strict=True))  # no product with 1 / c, which may overflow
    limit = tolerance * xp.sqrt(dot(b, b))
    # far below this floor, |r|^2 is subnormal, and the rounding errors of |r|^2 would spoil x
    information = xp.finfo(limit.dtype)
    floor = math.sqrt(information.smallest_normal) / information.eps
    limit = xp.where(limit < floor, xp.full_like(limit, floor), limit)

    def step(state: tuple[Array, ...]) -> tuple[Array, ...]:
        x, r, p, (rr, used) = state[:L], state[L : 2 * L], state[2 * L : 3 * L], state[3 * L :]
        Ap = apply(p)
        pAp = dot(p, Ap)
        active = (xp.sqrt(rr) > limit) & ~(pAp <= 0)  # also true for a NaN in p^T A p, so x becomes NaN
        alpha = xp.where(active, rr / nonzero(pAp), xp.zeros_like(rr))
        x, r = plus_times(x, alpha, p), plus_times(r, -alpha, Ap)
        new = dot(r, r)
        beta = xp.where(active, new / nonzero(rr), xp.zeros_like(rr))
        p = plus_times(r, beta, p)
        rr = xp.where(active, new, xp.zeros_like(new))  # 0 makes all later iterations inactive, and x constant
        return (*x, *r, *p, rr, used + xp.astype(active, used.dtype))

    def ended(state: tuple[Array, ...]) -> Array:
        return xp.all(xp.sqrt(state[3 * L]) <= limit)

    start = tuple(xp.zeros_like(x) for x in b)
    zero = xp.zeros(limit.shape, dtype=index_dtype(limit), device=device(limit))
    state: tuple[Any, ...] = repeat(iterations, step, (*start, *b, *b, dot(b, b), zero), ended)
    x, used = state[:L], state[-1]
    solution = times(scale, x)
    if not residual:
        return Solution(solution, (), each(used) if separate else used[0])
    r = plus(b, apply(x), -1.0)
    relative = xp.sqrt(dot(r, r)) / nonzero(xp.sqrt(dot(b, b)))
    return Solution(solution, *((each(relative), each(used)) if separate else (relative[0], used[0])))
