"""The `size` of each array of a quantity in the tolerance rule. Rounding errors are proportional to this size."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..problems.problem import Array, Problem

Arrays = tuple[Array, ...]

Size = Callable[[Problem, Arrays], tuple[float, ...]]
"""A function that returns the size of each array, given a problem and the arrays of a quantity on this problem."""


def largest(x: Array) -> float:
    """max |x|, or 0 for an empty array x."""
    return float(np.max(np.abs(x), initial=0))


def largest_elements(_problem: Problem, arrays: Arrays) -> tuple[float, ...]:
    """max |x| for each array x: the right size if no term of a sum, product or recursion is larger than the result."""
    return tuple(map(largest, arrays))


@dataclass(frozen=True)
class LargestMagnitude:
    """The size of each array as the largest of the magnitudes of its elements.

    elements: a function that returns the magnitudes of the elements of each array, given a problem and the arrays of a
              quantity on this problem
    """

    elements: Callable[[Problem, Arrays], Arrays]

    def __call__(self, problem: Problem, arrays: Arrays) -> tuple[float, ...]:
        """Return the size of each array."""
        return tuple(map(largest, self.elements(problem, arrays)))


def magnified_by(condition: Callable[[Problem], tuple[float, ...]]) -> LargestMagnitude:
    """Return a function that computes the size kappa max |x| of each array x.

    An example of x is the solution of a linear system with the condition number kappa.

    condition: a function of a problem that returns one kappa per array, or a single kappa for all arrays
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
    """The size of log det A: the sum of |log(eigenvalues)|, plus ||A^-1||_F times the largest element of `rounding`.

    The second term is the effect of a rounding error E of A. log det(A + E) - log det A is about tr(A^-1 E). If E has
    random signs, this trace is about ||A^-1||_F ||E||_2.

    eigenvalues: the eigenvalues of A
    rounding:    an array whose largest element is ||E||_2 / u, where u is the unit roundoff
    """
    return float(np.sum(np.abs(np.log(eigenvalues))) + np.linalg.norm(1 / eigenvalues) * np.max(rounding))
