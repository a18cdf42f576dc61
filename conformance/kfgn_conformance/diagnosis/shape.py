"""Description of an error that no known mistake explains. Each sentence has the size that the error is relative to."""

from typing import NamedTuple

import numpy as np

from ..oracle import Oracle
from ..problems.problem import Array, Problem
from ..quantities import Arrays, largest
from ..tolerances import ROUNDOFF

FEW = 4
"""Wrong elements are few if they are at most one in this number of the elements that are not zero.

This number of them is listed.
"""

DESCRIBED = 20
"""The most wrong arrays that are described. An answer to an optimiser trajectory has hundreds of arrays."""

CONSTANT = 1 / 8
"""A factor explains an error if at most this part of the error is left without it."""

FAR = 100
"""A factor explains an error that is at least this many times what is left. A smaller error may fit by chance."""

SINGLE = ROUNDOFF["float32"]
FAINTEST = SINGLE / 8
"""The smallest error, relative to the largest element, that is taken for rounding of float32."""


class Wrong(NamedTuple):
    """A wrong array.

    a:         the array, as float64
    q:         the right one
    tolerance: its tolerance
    single:    its tolerance in float32
    """

    a: Array
    q: Array
    tolerance: float
    single: float

    @property
    def error(self) -> float:
        """The largest difference."""
        return largest(self.a - self.q)

    @property
    def size(self) -> float:
        """The largest element of the right array."""
        return largest(self.q)

    @property
    def places(self) -> list[tuple[int, ...]]:
        """The indices of the elements whose error is above the tolerance."""
        return [tuple(map(int, place)) for place in np.argwhere(np.abs(self.a - self.q) > self.tolerance)]

    @property
    def by(self) -> str:
        """The largest difference, with the size that it is relative to."""
        if self.size == 0:
            return f"by {self.error:.3g}, where all elements should be zero"
        return f"by {self.error:.3g}, which is {self.error / self.size:.1e} of its largest element, {self.size:.3g}"


def shape_of_error(oracle: Oracle, arrays: Arrays, dtype: str) -> str:
    """Describe each wrong array by its factor, its few wrong elements, its lost symmetry, or the size of its error."""
    right, allowed = oracle.value, oracle.tolerances(dtype)
    single = oracle.tolerances("float32") if dtype == "float64" else [0.0] * len(allowed)
    sentences = []
    for i, (a, q, t, s) in enumerate(zip(arrays, right.arrays, allowed, single, strict=True), start=1):
        wrong = Wrong(a.astype(np.float64), q, t, s)
        if wrong.error > t:
            described = few(wrong) or counted(wrong) if right.integer else sentence(oracle.problem, wrong)
            sentences.append(f"array {i}{described}")
    n, more = len(arrays) - len(sentences), len(sentences) - DESCRIBED
    head = f"on {oracle.problem.id} {n} of {len(arrays)} arrays {'is' if n == 1 else 'are'} right"
    rest = [f"{more} more {'is' if more == 1 else 'are'} wrong"] if more > 0 else []
    return "; ".join([head, *sentences[:DESCRIBED], *rest])


def sentence(problem: Problem, wrong: Wrong) -> str:
    """Return the first description that fits. Those that say most come first."""
    if wrong.size == 0:
        return f" should be zero, and its largest element is {largest(wrong.a):.3g}"
    if not np.any(wrong.a):
        return f" is zero, where the largest element should be {wrong.size:.3g}"
    if wrong.q.size == 1:  # a single number is always a multiple of the right one
        return in_single(wrong) or multiple(problem, wrong)
    return multiple(problem, wrong) or transposed(wrong) or few(wrong) or in_single(wrong) or counted(wrong)


def multiple(problem: Problem, wrong: Wrong) -> str:
    """Describe a constant factor. Empty if there is none, or if only one of several elements is wrong."""
    q, difference = wrong.q / wrong.size, (wrong.a - wrong.q) / wrong.size
    excess = float(np.sum(difference * q) / np.sum(q * q))
    left, error, tolerance = np.abs(difference - excess * q), wrong.error / wrong.size, wrong.tolerance / wrong.size
    at = np.abs(difference) > tolerance
    if np.sum(at) == 1 < q.size or np.max(left) > min(CONSTANT * error, max(1.0, abs(1 + excess)) * tolerance):
        return ""
    if FAR * np.max(left) > error and np.any(left[at] > CONSTANT * np.abs(difference[at])):
        return ""
    return f" is {_number(excess)} times the right one{names(problem, 1 + excess, tolerance)}"


def transposed(wrong: Wrong) -> str:
    """Describe a transpose. Empty if the array is not the right one transposed."""
    square = wrong.q.ndim == 2 and wrong.q.shape[0] == wrong.q.shape[1]
    return " is the right one transposed" if square and largest(wrong.a - wrong.q.T) <= wrong.tolerance else ""


def few(wrong: Wrong) -> str:
    """List the wrong elements if there are one or a few of them; else empty."""
    k, n = len(wrong.places), wrong.q.size
    not_zero = int(np.sum(np.abs(wrong.q) > wrong.tolerance))
    if n == 1 or k > max(1, not_zero // FEW):
        return ""
    listed = ", ".join(map(str, map(list, wrong.places[:FEW]))) + (", ..." if k > FEW else "")
    return f": {k} of {n} elements {'is' if k == 1 else 'are'} wrong: {listed}, {wrong.by}"


def in_single(wrong: Wrong) -> str:
    """Describe an error that float32 explains. Empty for a larger error, and for one that is too small for float32."""
    if not FAINTEST * wrong.size <= wrong.error <= wrong.single:
        return ""
    return f" is wrong {wrong.by}, as if a part had been computed in float32, whose roundoff is {SINGLE:.1e}"


def counted(wrong: Wrong) -> str:
    """Describe the number of wrong elements, the size of the error, and the asymmetry if symmetry was lost."""
    k, n = len(wrong.places), wrong.q.size
    lost = ""
    if wrong.q.ndim == 2 and wrong.q.shape[0] == wrong.q.shape[1]:
        asymmetry = largest(wrong.a - wrong.a.T)
        if largest(wrong.q - wrong.q.T) <= wrong.tolerance < asymmetry:
            lost = f"; it is not symmetric, {_part(asymmetry, wrong)}"
    what = f"{k} of {n} elements are" if n > 1 else "it is"
    return f": {what} wrong {wrong.by}{lost}"


def names(problem: Problem, ratio: float, roundoff: float) -> str:
    """Name the symbols whose value equals the ratio. roundoff: the largest relative difference that is allowed."""
    N, D, S = problem.N, problem.widths[-1], problem.labels.shape[1]
    symbols = {"N": N, "D_L": D, "S": S, "N^2": N**2, "D_L^2": D**2, "S^2": S**2, "N S": N * S, "N D_L": N * D}
    values = symbols | {f"1/({name})": 1 / value for name, value in symbols.items()}
    near = min(1e-4, 8 * roundoff)
    found = [name for name, value in values.items() if value != 1 and abs(ratio / value - 1) < near]
    return f", which is {' or '.join(found)}" if found else ""


def _part(x: float, wrong: Wrong) -> str:
    return f"by {x:.3g}, which is {x / wrong.size:.1e} of its largest element"


def _number(excess: float) -> str:
    """Print a ratio, given by its excess over 1. The excess is shown if the ratio is near 1."""
    if abs(excess) >= 1e-3:
        return f"{1 + excess:.6g}"
    return f"1 {'+' if excess > 0 else '-'} {abs(excess):.2g}"
