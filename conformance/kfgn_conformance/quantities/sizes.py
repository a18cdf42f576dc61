"""The magnitudes to which rounding errors are relative: `size` in the tolerance rule, one per array of a quantity."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..problems.problem import Array, Problem

Arrays = tuple[Array, ...]

Size = Callable[[Problem, Arrays], tuple[float, ...]]
"""A function from a problem, and the arrays of a quantity on it, to the size of each array."""


def largest(x: Array) -> float:
    """max |x|, 0 for an empty array."""
    return float(np.max(np.abs(x), initial=0))


def largest_elements(_problem: Problem, arrays: Arrays) -> tuple[float, ...]:
    """max|Q|, for a sum, product or recursion whose terms are no larger than their sum."""
    return tuple(map(largest, arrays))


@dataclass(frozen=True)
class LargestMagnitude:
    """The size of each array as the largest of the magnitudes of its elements.

    elements: a function from a problem and the arrays of a quantity to the magnitudes, one array per array
    """

    elements: Callable[[Problem, Arrays], Arrays]

    def __call__(self, problem: Problem, arrays: Arrays) -> tuple[float, ...]:
        """The size of each array."""
        return tuple(map(largest, self.elements(problem, arrays)))


def magnified_by(condition: Callable[[Problem], tuple[float, ...]]) -> LargestMagnitude:
    """kappa max|Q|, for the solution of a system, whose condition number kappa magnifies rounding errors.

    condition: one kappa per array, or a single kappa for all arrays
    """

    def elements(problem: Problem, arrays: Arrays) -> Arrays:
        kappas = condition(problem)
        kappas = kappas * len(arrays) if len(kappas) == 1 else kappas
        return tuple(kappa * np.abs(array) for kappa, array in zip(kappas, arrays, strict=True))

    return LargestMagnitude(elements)


def condition(A: Array) -> float:
    """The condition number of a symmetric positive definite matrix."""
    values = np.linalg.eigvalsh(A)
    return float(values[-1] / values[0])


def size_of_log_determinant(eigenvalues: Array, rounding: Array) -> float:
    """The size of log det A: the sum of |log|, plus the effect of rounding errors relative to the largest `rounding`.

    log det(A + E) - log det A is about tr(A^-1 E). For errors E with random signs that is about ||A^-1||_F ||E||_2.
    """
    return float(np.sum(np.abs(np.log(eigenvalues))) + np.linalg.norm(1 / eigenvalues) * np.max(rounding))
