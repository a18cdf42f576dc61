"""What rounding errors are relative to: the size in the rule of `tolerances`, one for each array of a quantity."""

from collections.abc import Callable

import numpy as np

from ..problems.problem import Array, Problem

Arrays = tuple[Array, ...]

Size = Callable[[Problem, Arrays], tuple[float, ...]]
"""The sizes of a quantity whose arrays are these."""


def largest(x: Array) -> float:
    """max |x|, 0 for an empty array."""
    return float(np.max(np.abs(x), initial=0))


def largest_elements(_problem: Problem, arrays: Arrays) -> tuple[float, ...]:
    """max|Q|: of a sum, product or recursion whose terms are no larger than their sum."""
    return tuple(map(largest, arrays))


def magnified_by(condition: Callable[[Problem], tuple[float, ...]]) -> Size:
    """kappa max|Q|: of the solution of a system, whose condition magnifies its rounding. One kappa may serve all."""

    def size(problem: Problem, arrays: Arrays) -> tuple[float, ...]:
        kappas = condition(problem)
        kappas = kappas * len(arrays) if len(kappas) == 1 else kappas
        return tuple(kappa * largest(array) for kappa, array in zip(kappas, arrays, strict=True))

    return size


def condition(A: Array) -> float:
    """The condition number of a symmetric positive definite matrix."""
    values = np.linalg.eigvalsh(A)
    return float(values[-1] / values[0])


def size_of_log_determinant(eigenvalues: Array, rounding: Array) -> float:
    """The logarithms, and what rounding errors that are relative to the largest of `rounding` make of them.

    log det(A + E) - log det A = tr(A^-1 E): for errors of either sign some ||A^-1||_F ||E||_2.
    """
    return float(np.sum(np.abs(np.log(eigenvalues))) + np.linalg.norm(1 / eigenvalues) * np.max(rounding))
