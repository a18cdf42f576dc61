"""The oracle of one quantity on one problem: the reference's answer, and the tolerances for an answer."""

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np

from .batched import agree, batched
from .changes import UnusableOracleError, changes
from .known_oracles import Known, known_oracle
from .problems.problem import Problem
from .quantities import Arrays, Quantity, largest
from .tolerances import MAX_RELATIVE_TOLERANCE, SMALLEST_NORMAL, longest_sum, rounding_bound


class Value(NamedTuple):
    """The reference's arrays as float64.

    scales:  the largest absolute value of each array, max|Q|
    sizes:   the size of each array in the tolerance rule
    integer: True for class indices, for which an answer must have an integer dtype
    """

    arrays: Arrays
    scales: tuple[float, ...]
    sizes: tuple[float, ...]
    integer: bool


def evaluated(problem: Problem, quantity: Quantity, known: Known | None = None) -> Value:
    """Compute the reference's value of a quantity.

    known: the shipped parts of the value, which are not computed again. If signatures ship, `batched` computes the
           arrays, and the reference computes the arrays only if the signatures differ
    """
    if known is not None and known.arrays is not None:
        return Value(known.arrays, tuple(map(largest, known.arrays)), known.sizes, known.integer)
    if known is not None and known.signatures is not None:
        fast = batched(problem, quantity.name)
        if agree(fast, known.signatures, tolerances(problem, known)):
            return Value(fast, tuple(map(largest, fast)), known.sizes, known.integer)
    answers = [np.asarray(array) for array in quantity.value(problem)]
    arrays = tuple(answer.astype(np.float64) for answer in answers)
    sizes = known.sizes if known else quantity.size(problem, arrays)
    return Value(arrays, tuple(map(largest, arrays)), sizes, integer=answers[0].dtype.kind in "iu")


def tolerances(problem: Problem, known: Known) -> tuple[float, ...]:
    """Compute the tolerance of each array in float64 from its size and d, without the smallest normal number."""
    n = longest_sum(problem)
    pairs = zip(known.sizes, known.changes, strict=True)
    return tuple(rounding_bound(n, size, change, "float64") for size, change in pairs)


class Answers(Protocol):
    """A textbook of `diagnosis`: an implementation of every quantity on one problem."""

    def answer(self, quantity: str) -> Arrays:
        """Compute the arrays of a quantity."""
        ...


class Oracle:
    """The reference's answer to one question, which is a quantity on a problem.

    The value, the tolerances and the answers of known mistakes are computed at their first use, and are stored for as
    long as this object exists. The stored values serve every implementation and both dtypes.

    A value, a size or a term d that is not finite, or a term d that cannot be computed, raises `UnusableOracleError`,
    which is a `ValueError`. If the reference raises an error for the value, this error is raised.
    """

    def __init__(self, problem: Problem, quantity: Quantity) -> None:
        self.problem, self.quantity = problem, quantity
        self._answers: dict[Callable[[Problem], Answers], Arrays | None] = {}
        self._bounds: dict[str, tuple[float, ...]] = {}

    def __str__(self) -> str:
        return f"{self.quantity.name} on {self.problem.id}"

    @cached_property
    def known(self) -> Known | None:
        """The part of the oracle that ships with the kit, or None if no part ships."""
        return known_oracle(self.problem, self.quantity)

    @cached_property
    def value(self) -> Value:
        """The reference's value."""
        value = evaluated(self.problem, self.quantity, self.known)
        self._check_finite(*value.scales, *value.sizes)
        return value

    @cached_property
    def changes(self) -> tuple[float, ...]:
        """The term d of the tolerance rule for each array, computed with u = 2^-24."""
        d = self.known.changes if self.known else changes(self.problem, self.quantity)
        self._check_finite(*d)
        return d

    @property
    def arrays(self) -> Arrays:
        """The reference's arrays as float64."""
        return self.value.arrays

    @property
    def scales(self) -> tuple[float, ...]:
        """The largest absolute value of each array, max|Q|."""
        return self.value.scales

    @property
    def sizes(self) -> tuple[float, ...]:
        """The size in the tolerance rule, for each array."""
        return self.value.sizes

    def tolerances(self, dtype: str) -> tuple[float, ...]:
        """Compute the tolerance of each array, by the rule of `tolerances`."""
        return tuple(bound + SMALLEST_NORMAL[dtype] for bound in self._rounding_bounds(dtype))

    def relative_tolerance(self, dtype: str) -> float:
        """Compute the largest tolerance / max|Q| over the arrays.

        In this quotient, the tolerance does not include the smallest normal number. If max|Q| is below the smallest
        normal number, the tolerance is divided by the smallest normal number instead. The quotient is 0 for an array
        that is 0 without any rounding error, and large for an array that is 0 by cancellation.
        """
        pairs = zip(self._rounding_bounds(dtype), self.scales, strict=True)
        return max(bound / max(scale, SMALLEST_NORMAL[dtype]) for bound, scale in pairs)

    @property
    def is_conclusive(self) -> bool:
        """True if the tolerance is so small in every dtype of the problem that no verdict is INCONCLUSIVE.

        The tolerance is too large if the quantity is a difference of nearly equal numbers, such as the gradient near a
        minimum. The result is False if the value or the tolerance raises `UnusableOracleError`.
        """
        try:
            return all(self.relative_tolerance(dtype) <= MAX_RELATIVE_TOLERANCE[dtype] for dtype in self.problem.dtypes)
        except UnusableOracleError:
            return False

    def answer_of(self, textbook: Callable[[Problem], Answers]) -> Arrays | None:
        """Compute a textbook's answer in float64.

        Returns None if the textbook raises a `LinAlgError`, a `ValueError` or a `ZeroDivisionError`, or if its answer
        is not finite or has wrong shapes.
        """
        if textbook not in self._answers:
            self._answers[textbook] = self._answer_of(textbook)
        return self._answers[textbook]

    def _answer_of(self, textbook: Callable[[Problem], Answers]) -> Arrays | None:
        try:
            with np.errstate(all="ignore"):
                made = self.quantity.view(self.problem, textbook(self.problem).answer(self.quantity.name))
        except (np.linalg.LinAlgError, ValueError, ZeroDivisionError):
            return None
        if [a.shape for a in made] != [a.shape for a in self.arrays] or not all(np.all(np.isfinite(a)) for a in made):
            return None
        return made

    def _rounding_bounds(self, dtype: str) -> tuple[float, ...]:
        if dtype not in self._bounds:
            n = longest_sum(self.problem)
            pairs = zip(self.sizes, self.changes, strict=True)
            self._bounds[dtype] = tuple(rounding_bound(n, size, change, dtype) for size, change in pairs)
        return self._bounds[dtype]

    def _check_finite(self, *numbers: float) -> None:
        if not np.all(np.isfinite(numbers)):
            raise UnusableOracleError(f"{self}: the oracle is not finite, so no answer can be compared with it")


class Oracles:
    """The oracles of several questions. Each oracle is made once, and stored for as long as this object exists."""

    def __init__(self) -> None:
        self._made: dict[tuple[Problem, Quantity], Oracle | None] = {}

    def on(self, problem: Problem, quantity: Quantity) -> Oracle | None:
        """Return the oracle of a quantity on the compared datapoints of a problem, or None if none are compared."""
        if (problem, quantity) not in self._made:
            part = quantity.within_reach(problem)
            self._made[problem, quantity] = None if part is None else Oracle(part, quantity)
        return self._made[problem, quantity]
