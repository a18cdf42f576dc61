"""The tolerance of an answer, which is computed for each problem and is never a bare 1e-5.

    |answer - oracle| <= c (sqrt(n) u size + d) + the smallest normal number

u is the unit roundoff of the dtype. n is the larger of N and the most units of a layer, inputs included, plus one.
size is what rounding errors are relative to. For most quantities it is the largest element of the oracle's array. For
the solution of a system it is this times the condition of the system, and for a difference of larger terms it is the
terms. d is how far the array moves when the inputs and every operation of the reference are rounded to u (`changes`).
No implementation can avoid the first part of d, and the paper's formulas lose the second.

Rounding errors of either sign grow like sqrt(n), not like n (Higham and Mary 2019). For the widths of the
autoencoder in float32 that is the difference between 1.5e-5 and 4.8e-4 of the size.

d is measured with the 24 bits of float32 for both dtypes, and scaled to u. It is a first derivative, and changes of
2^-53 would be lost in the rounding of the reference itself.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from .changes import UnusableOracleError, changes
from .known_changes import known_changes
from .problems.problem import Problem
from .quantities import Arrays, Quantity, largest

C = 8
"""The c of the rule; docs/conformance.md says which ratios it leaves to right implementations."""

ROUNDOFF = {"float32": 2.0**-24, "float64": 2.0**-53}
"""u, by dtype."""

LOOSE = {"float32": 1e-3, "float64": 1e-9}
"""A tolerance above this part of max|Q| proves nothing: the verdict is INCONCLUSIVE."""

SMALLEST_NORMAL = {"float32": 2.0**-126, "float64": 2.0**-1022}
"""The smallest normal numbers. A smaller number has fewer digits, and some libraries put 0 in its place. So an absolute
error of this size is always allowed. The looseness is computed without it."""


class Truth(NamedTuple):
    """The oracle's arrays as float64, and for each of them max|Q|, the size of the rule, and d for u = 2^-24.

    integer: whether they are classes, and an answer must be integers too
    """

    arrays: Arrays
    scales: tuple[float, ...]
    sizes: tuple[float, ...]
    changes: tuple[float, ...]
    integer: bool


@lru_cache(maxsize=2048)
def truth(problem: Problem, quantity: Quantity) -> Truth:
    """The oracle's answer with what its tolerance is made of; the same for every adapter and dtype, so kept."""
    answers = [np.asarray(array) for array in quantity.value(problem)]
    arrays = tuple(answer.astype(np.float64) for answer in answers)
    moves = known_changes(problem, quantity) or changes(problem, quantity)
    scales = tuple(largest(array) for array in arrays)
    sizes = quantity.size(problem, arrays)
    if not np.all(np.isfinite([*scales, *sizes, *moves])):
        raise UnusableOracleError(
            f"{quantity.name} on {problem.id}: the oracle is not finite, so no answer can be compared with it"
        )
    return Truth(arrays, scales, sizes, moves, integer=answers[0].dtype.kind in "iu")


def longest_sum(problem: Problem) -> int:
    """n: over the datapoints, or over the units of a layer and one. Sums over N S or N K stay within it too."""
    return max(problem.N, max(problem.widths) + 1)


def tolerances(problem: Problem, quantity: Quantity, dtype: str) -> tuple[float, ...]:
    """The tolerance of each array of the quantity, by the rules in this module's docstring."""
    return tuple(tolerance + SMALLEST_NORMAL[dtype] for tolerance in of_rounding(problem, quantity, dtype))


def of_rounding(problem: Problem, quantity: Quantity, dtype: str) -> tuple[float, ...]:
    """c (sqrt(n) u size + d) of each array."""
    growth, u = math.sqrt(longest_sum(problem)), ROUNDOFF[dtype]
    oracle = truth(problem, quantity)
    moves = (d * u / ROUNDOFF["float32"] for d in oracle.changes)
    return tuple(C * (growth * u * size + d) for size, d in zip(oracle.sizes, moves, strict=True))


def looseness(problem: Problem, quantity: Quantity, dtype: str) -> float:
    """tolerance / max|Q|, of the array for which it is largest; max|Q| counts as the smallest normal number at least.

    So an array that is 0, without any rounding error, is distinguished from one that is not.
    """
    pairs = zip(of_rounding(problem, quantity, dtype), truth(problem, quantity).scales, strict=True)
    return max(tolerance / max(scale, SMALLEST_NORMAL[dtype]) for tolerance, scale in pairs)


def telling(problem: Problem, quantity: Quantity) -> bool:
    """True if an answer could fail in every dtype of the problem: its tolerance is small relative to the quantity.

    The tolerance is not small if the quantity is a difference of nearly equal numbers, as the gradient is at a fit.
    """
    try:
        return all(looseness(problem, quantity, dtype) <= LOOSE[dtype] for dtype in problem.dtypes)
    except UnusableOracleError:
        return False


def quotient(error: float, tolerance: float) -> float:
    """error / tolerance, where nothing allowed and nothing wrong is no error."""
    if error == 0:
        return 0.0
    return error / tolerance if tolerance > 0 else np.inf
