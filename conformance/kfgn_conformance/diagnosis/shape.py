"""Description of an error that no known mistake explains, by comparison with the right array."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ..oracle import Oracle
from ..problems.problem import Array, Problem
from ..quantities import Arrays, largest
from ..tolerances import ROUNDOFF
from .explaining import NEAR, Answered

FEW = 4
"""The largest number of wrong elements that a description lists.

The wrong elements of an array with several elements are listed in two cases: one element is wrong, or the number of
wrong elements is at most 1 / `FEW` of the number of elements that should not be zero.
"""

DESCRIBED = 20
"""The largest number of wrong arrays that a description covers.

An answer for the steps of an optimiser has hundreds of arrays.
"""

CONSTANT = 1 / 8
"""A constant factor explains an error only if at most this fraction of the error remains.

The remaining error is the difference between the wrong array and the factor times the right array.
"""

FAR = 100
"""If at most 1 / `FAR` of an error remains, a constant factor need not explain the error of every wrong element.

Any other constant factor must explain the error of every wrong element, because a small error may agree with a factor
by chance.
"""

SINGLE = ROUNDOFF["float32"]
FAINTEST = SINGLE / 8
"""The smallest error, relative to the largest element, that is described as rounding in float32."""


class Wrong(NamedTuple):
    """A wrong array.

    a:         the wrong array, as float64
    q:         the right array
    tolerance: the tolerance of the array
    single:    the tolerance of the array in float32, or 0 if the answer itself is in float32
    """

    a: Array
    q: Array
    tolerance: float
    single: float

    @property
    def error(self) -> float:
        """The largest absolute difference between the wrong array and the right array."""
        return largest(self.a - self.q)

    @property
    def size(self) -> float:
        """The largest absolute value of an element of the right array."""
        return largest(self.q)

    @property
    def places(self) -> list[tuple[int, ...]]:
        """The indices of the elements whose error is above the tolerance."""
        return [tuple(map(int, place)) for place in np.argwhere(np.abs(self.a - self.q) > self.tolerance)]

    @property
    def by(self) -> str:
        """A phrase with the error, and with the ratio of the error to `size` unless `size` is 0."""
        if self.size == 0:
            return f"by {self.error:.3g}, where all elements should be zero"
        return f"by {self.error:.3g}, which is {self.error / self.size:.1e} of the largest element, {self.size:.3g}"


SYMBOLS: dict[str, Callable[[int, int, int], float]] = {
    "N": lambda N, D, S: N,
    "D_L": lambda N, D, S: D,
    "S": lambda N, D, S: S,
    "N^2": lambda N, D, S: N**2,
    "D_L^2": lambda N, D, S: D**2,
    "S^2": lambda N, D, S: S**2,
    "N S": lambda N, D, S: N * S,
    "N D_L": lambda N, D, S: N * D,
}
"""The products that a constant factor may equal, as functions of N, D_L and S. The factor may also be 1 / product.

N is the number of datapoints, D_L is the number of outputs, and S is the number of labels of KFAC per datapoint.
"""


def shape_of_error(oracle: Oracle, arrays: Arrays, dtype: str, wrong_answers: Sequence[Answered] = ()) -> str:
    """Describe at most `DESCRIBED` wrong arrays, for example by a constant factor, a transpose, or the wrong elements.

    wrong_answers: the wrong answers on all problems; a constant factor gets a name, such as N, only if the name fits
                   all these answers
    """
    others = _Others(wrong_answers, dtype)
    right, allowed = oracle.value, oracle.tolerances(dtype)
    single = oracle.tolerances("float32") if dtype == "float64" else [0.0] * len(allowed)
    sentences = []
    for i, (a, q, t, s) in enumerate(zip(arrays, right.arrays, allowed, single, strict=True), start=1):
        wrong = Wrong(a.astype(np.float64), q, t, s)
        if wrong.error > t:
            described = few(wrong) or counted(wrong) if right.integer else sentence(oracle.problem, wrong, others)
            sentences.append(f"array {i}{described}")
    n, more = len(arrays) - len(sentences), len(sentences) - DESCRIBED
    head = f"on {oracle.problem.id} {n} of {len(arrays)} arrays {'is' if n == 1 else 'are'} right"
    rest = [f"{more} more {'is' if more == 1 else 'are'} wrong"] if more > 0 else []
    return "; ".join([head, *sentences[:DESCRIBED], *rest])


class _Others:
    """The wrong answers on all problems, with which the description of an array is compared."""

    def __init__(self, answers: Sequence[Answered], dtype: str) -> None:
        self.answers, self.dtype = answers, dtype

    def __len__(self) -> int:
        return len(self.answers)

    def are_multiples(self, factor: Callable[[Problem], float]) -> bool:
        """True if every wrong array of every answer is the right array times the factor of its problem."""
        return all(self._is_multiple(answer, factor(answer.oracle.problem)) for answer in self.answers)

    def _is_multiple(self, answer: Answered, factor: float) -> bool:
        assert answer.arrays is not None
        each = zip(answer.arrays, answer.oracle.arrays, answer.oracle.tolerances(self.dtype), strict=True)
        wrong = ((a.astype(np.float64), q, t) for a, q, t in each if largest(a - q) > t)
        return all(largest(a - factor * q) <= NEAR * max(1.0, abs(factor)) * t for a, q, t in wrong)


def sentence(problem: Problem, wrong: Wrong, others: _Others) -> str:
    """Return the most specific description that fits the error of an array."""
    if wrong.size == 0:
        return f" should be zero, and its largest element is {largest(wrong.a):.3g}"
    if not np.any(wrong.a):
        return f" is zero, where the largest element should be {wrong.size:.3g}"
    if wrong.q.size == 1:  # a single number is always a multiple of the right number
        return in_single(wrong) or multiple(problem, wrong, others)
    return multiple(problem, wrong, others) or transposed(wrong) or few(wrong) or in_single(wrong) or counted(wrong)


def multiple(problem: Problem, wrong: Wrong, others: _Others) -> str:
    """Describe a constant factor. Returns "" if no factor fits, or if only one of several elements is wrong."""
    q, difference = wrong.q / wrong.size, (wrong.a - wrong.q) / wrong.size
    excess = float(np.sum(difference * q) / np.sum(q * q))
    left, error, tolerance = np.abs(difference - excess * q), wrong.error / wrong.size, wrong.tolerance / wrong.size
    at = np.abs(difference) > tolerance
    if np.sum(at) == 1 < q.size or np.max(left) > min(CONSTANT * error, max(1.0, abs(1 + excess)) * tolerance):
        return ""
    if FAR * np.max(left) > error and np.any(left[at] > CONSTANT * np.abs(difference[at])):
        return ""
    return f" is {_number(excess)} times the right array{names(problem, 1 + excess, tolerance, others)}"


def transposed(wrong: Wrong) -> str:
    """Describe a transpose. Returns "" if the array is not the transpose of the right array."""
    square = wrong.q.ndim == 2 and wrong.q.shape[0] == wrong.q.shape[1]
    return " is the transpose of the right array" if square and largest(wrong.a - wrong.q.T) <= wrong.tolerance else ""


def few(wrong: Wrong) -> str:
    """List the wrong elements. Returns "" for more than a few wrong elements, or for an array with a single element."""
    k, n = len(wrong.places), wrong.q.size
    not_zero = int(np.sum(np.abs(wrong.q) > wrong.tolerance))
    if n == 1 or k > max(1, not_zero // FEW):
        return ""
    listed = ", ".join(map(str, map(list, wrong.places[:FEW]))) + (", ..." if k > FEW else "")
    return f": {k} of {n} elements {'is' if k == 1 else 'are'} wrong: {listed}, {wrong.by}"


def in_single(wrong: Wrong) -> str:
    """Describe an error of the size of rounding in float32.

    Returns "" for a larger or a smaller error, and for an answer in float32.
    """
    if not FAINTEST * wrong.size <= wrong.error <= wrong.single:
        return ""
    return f" is wrong {wrong.by}, as if a part of the computation were in float32, whose roundoff is {SINGLE:.1e}"


def counted(wrong: Wrong) -> str:
    """Describe the number of wrong elements, the size of the error, and the asymmetry if symmetry was lost."""
    k, n = len(wrong.places), wrong.q.size
    lost = ""
    if wrong.q.ndim == 2 and wrong.q.shape[0] == wrong.q.shape[1]:
        asymmetry = largest(wrong.a - wrong.a.T)
        if largest(wrong.q - wrong.q.T) <= wrong.tolerance < asymmetry:
            lost = f"; the array is not symmetric, {_part(asymmetry, wrong)}"
    what = f"{k} of {n} elements are" if n > 1 else "the element is"
    return f": {what} wrong {wrong.by}{lost}"


def names(problem: Problem, ratio: float, roundoff: float, others: _Others) -> str:
    """Name the symbols, such as N or D_L, whose value equals a ratio on every problem with a wrong answer.

    If no symbol equals the ratio, but several problems have a wrong answer and the ratio is the same on all of them,
    the text states the number of these problems. If neither holds, the text is empty.

    roundoff: the tolerance of the array, relative to the array's largest element
    """
    near = min(1e-4, 8 * roundoff)
    inverses = {f"1/({name})": _inverse(value) for name, value in SYMBOLS.items()}
    found = [
        name
        for name, value in (SYMBOLS | inverses).items()
        if _value(value, problem) != 1 and abs(ratio / _value(value, problem) - 1) < near
        if others.are_multiples(lambda other, value=value: _value(value, other))  # type: ignore[misc]
    ]
    if found:
        return f", and this factor is {' or '.join(found)}"
    same = len(others) > 1 and others.are_multiples(lambda _: ratio)
    return f", as on all {len(others)} problems with a wrong answer" if same else ""


def _value(symbol: Callable[[int, int, int], float], problem: Problem) -> float:
    return symbol(problem.N, problem.widths[-1], problem.labels.shape[1])


def _inverse(symbol: Callable[[int, int, int], float]) -> Callable[[int, int, int], float]:
    return lambda N, D, S: 1 / symbol(N, D, S)


def _part(x: float, wrong: Wrong) -> str:
    return f"by {x:.3g}, which is {x / wrong.size:.1e} of the largest element"


def _number(excess: float) -> str:
    """The text of the ratio 1 + excess. A ratio near 1 is written as a sum or a difference, such as 1 + 3e-05."""
    if abs(excess) >= 1e-3:
        return f"{1 + excess:.6g}"
    return f"1 {'+' if excess > 0 else '-'} {abs(excess):.2g}"
