"""Conjugate gradients, and with them the Gauss-Newton equations solved without a matrix.

The number of iterations is fixed, so that nothing waits for the device: a solve that has arrived stays where it is.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from array_api_compat import array_namespace

from .._algebra.definiteness import no_inverse
from .._algebra.layerwise import inners, plus
from .._linearisation.arguments import checked, checked_layers, checked_split, checked_targets
from .._linearisation.passes import forward
from .._network.network import Network
from .._types import Array, Arrays, Weights
from .._validation.arrays import known_false
from .._validation.representable import in_dtype
from .._validation.scalars import checked_count, checked_scalar
from ..backends import compiled, device, repeat, with_own_settings
from .diagonal_blocks import gauss_newton_block_operator
from .full_matrix import Operator, gauss_newton_operator

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
    none = xp.zeros(limit.shape, dtype=xp.arange(1, device=device(limit)).dtype, device=device(limit))
    state: tuple[Any, ...] = repeat(iterations, step, (*start, *b, *b, dot(b, b), none))
    x, used = state[:L], state[-1]
    r = plus(b, apply(x), -1.0)
    residual = xp.sqrt(dot(r, r)) / nonzero(xp.sqrt(dot(b, b)))
    x = times(scale, x)
    return Solution(x, each(residual), each(used)) if separate else Solution(x, residual[0], used[0])


@with_own_settings
def solve_gauss_newton(
    network: Network,
    weights: Weights,
    X: Array,
    Y: Array,
    b: Weights,
    *,
    damping: Array | float,
    iterations: int = ITERATIONS,
    tolerance: Array | float = TOLERANCE,
    check: bool = True,
) -> Solution:
    """(G + damping I) x = b with the whole Gauss-Newton matrix (13), mean over the N datapoints.

    b:          arrays of the shapes of the weights, such as the gradient
    damping:    a positive number, or a 0-d array in the dtype of X
    iterations: the number of products to compute, a positive integer; `Solution` has the number that was used
    tolerance:  the residual, relative to b, at which a solve has converged, a number from 0 or a 0-d array

    Without rounding it needs no more iterations than there are rows, and few if the damping is large. It raises nothing
    if it does not converge, which the residual shows. Raises `NotPositiveDefiniteError` with `check` if x is not finite
    because the damping is too small for the dtype. Other arguments and errors as in `preactivation_gauss_newton`.
    """
    return _solve(network, weights, X, Y, b, damping, iterations, tolerance, separate=False, check=check)


@with_own_settings
def solve_gauss_newton_blocks(
    network: Network,
    weights: Weights,
    X: Array,
    Y: Array,
    b: Weights,
    *,
    damping: Array | float,
    iterations: int = ITERATIONS,
    tolerance: Array | float = TOLERANCE,
    check: bool = True,
) -> Solution:
    """(G_l + damping I) x_l = b_l for each layer, with the exact diagonal blocks of `gauss_newton_blocks`.

    Each layer has its own steps and its own end; a product serves them all. Arguments and errors as in
    `solve_gauss_newton`.
    """
    return _solve(network, weights, X, Y, b, damping, iterations, tolerance, separate=True, check=check)


def _solve(
    network: Network,
    weights: Weights,
    X: Array,
    Y: Array,
    b: Weights,
    damping: Array | float,
    iterations: int,
    tolerance: Array | float,
    *,
    separate: bool,
    check: bool,
) -> Solution:
    _, weights, X = checked(network, weights, X, check=check)
    Y = checked_targets(network, X, Y, check=check)
    b = checked_layers(network, X, "b", b, check=check)
    checked_split(network)
    k = checked_scalar("damping", damping, X, check=check, positive=True)
    k = in_dtype("damping", k, X, check=check, positive=True)
    iterations = checked_count("iterations", iterations)
    tolerance = checked_scalar("tolerance", tolerance, X, check=check)
    solution = compiled(_solution, network, iterations, separate, like=X)(weights, X, Y, b, k, tolerance)
    xp = array_namespace(X)
    if check and any(known_false(xp.all(xp.isfinite(x))) for x in solution.x):
        raise no_inverse(xp, "the Gauss-Newton matrix", float(k), 1.0, X.dtype)
    return solution  # type: ignore[no-any-return]


def _solution(
    network: Network,
    iterations: int,
    separate: bool,
    weights: Arrays,
    X: Array,
    Y: Array,
    b: Arrays,
    k: Array | float,
    tolerance: Array | float,
) -> Solution:
    xp = array_namespace(X)
    trace = forward(xp, network, weights, X)
    operator = gauss_newton_block_operator if separate else gauss_newton_operator
    G = operator(xp, weights, trace, checked_split(network).at(xp, trace.outputs, Y))
    return conjugate_gradient(
        lambda v: plus(G(v), v, k), b, iterations=iterations, tolerance=tolerance, separate=separate
    )
