"""The nearest Kronecker product in ball arithmetic: KFOC with a certified error bound.

R is the exact block, rearranged so that every Kronecker product becomes a matrix of rank one. The nearest product needs
only the leading singular vectors of R. All other singular values may be repeated, and the vectors of repeated singular
values cannot be certified. A power of R^T R gives an approximate leading vector. The residual of this vector and the
gap between the two largest eigenvalues of R^T R bound the angle between the vector and the true vector (Davis and
Kahan). The trace of a lower power bounds the second eigenvalue.
"""

from typing import Any

import flint
import kfgn_reference.shared_weights as shared
import numpy as np
from kfgn_reference import trace, unvec

from .problems.problem import Array, Problem
from .quantities import Arrays
from .quantities.shared_weights.pairs import Batch, batches

SQUARINGS = 12
"""The number of squarings of R^T R for the approximate vector.

After these squarings, a second eigenvalue below 0.95 times the largest eigenvalue has no effect on 256 bits.
"""

FEW = 4
"""The number of squarings of R^T R for the bound of the second eigenvalue."""

midpoint = np.frompyfunc(lambda ball: flint.arb(ball).mid(), 1, 1)


def nearest_products(p: Problem) -> Arrays:
    """The nearest Kronecker product to the block of each group. Raises `ValueError` if a product may not be unique."""
    return tuple(map(nearest_product, batches(p)))


def nearest_product(batch: Batch) -> Array:
    """The nearest Kronecker product Q kron G to the exact block of a group."""
    _, O, _ = batch[0].C.shape
    I = batch[0].a.shape[1]
    R = shared.rearranged(shared.exact_block(batch), I)
    v = leading_vector(R.T @ R)
    return shared.Factors(unvec(R @ v, I), unvec(v, O)).block


def leading_vector(A: Array) -> Array:
    """The eigenvector of length 1 for the largest eigenvalue of a positive semi-definite matrix of balls.

    Raises `ValueError` if the largest eigenvalue may be repeated.
    """
    v = approximate(A)
    value = v @ A @ v
    rest = A @ v - value * v
    gap = value - second_eigenvalue(A, value)
    if not gap > 0:
        raise ValueError("expected a largest eigenvalue that is simple")
    residual = np.sum([abs(x).abs_upper() for x in rest])  # at least the length of the residual
    bound = (
        2 * residual / gap
    ).abs_upper()  # the distance of two unit vectors at an acute angle is at most twice the sine of the angle
    return np.asarray(v + np.array([flint.arb(0, bound)] * len(v), dtype=object))


def approximate(A: Array) -> Array:
    """A vector of length 1 near the leading eigenvector, computed with the centres of the balls alone."""
    power = midpoint(A)
    for _ in range(SQUARINGS):
        power = midpoint(power / trace(power))
        power = midpoint(power @ power)
    largest = int(np.argmax([float(x.mid()) for x in np.diagonal(power)]))
    v = power[:, largest]
    return np.asarray(v / np.sum(v * v).sqrt())


def second_eigenvalue(A: Array, value: Any) -> Any:
    """An upper bound of the second eigenvalue of A, where `value` is a lower bound of the largest eigenvalue.

    The bound holds because the trace of A^m is the sum of the m-th powers of all eigenvalues.
    """
    power, m = A / value, 1
    for _ in range(FEW):
        power, m = power @ power, 2 * m
    excess = flint.arb((trace(power) - 1).abs_upper())
    return value * excess.root(m)
