"""The choice of the questions that `orders` repeats in several orders.

A question is one quantity on one problem, and is represented by its `Oracle`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from .implementation import Implementation
from .judging import judged
from .oracle import Oracle, Oracles
from .problems.problem import Problem
from .quantities import ROWS, Quantity
from .relatives import relatives
from .rough import ROUGH, has_value
from .verdicts import NOT_RUN

SHAPES = 3
"""The maximum number of problems, of different shapes and without shared weights, whose questions are repeated."""

SMALL = 4000
"""The bound of small problems: the number of weights times the number of datapoints is below this bound."""

STEPS = 2
"""The maximum number of steps of an optimiser trajectory in a repeated question."""


class SmallProblem:
    """A small problem or the start of an optimiser trajectory, with its oracles and its relatives.

    Oracles and relatives are computed once, and all implementations share them.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._oracles = Oracles()

    @cached_property
    def relatives(self) -> tuple["SmallProblem", ...]:
        """The relatives of this problem, which differ from it in one part."""
        return tuple(map(SmallProblem, relatives(self.problem)))

    def question(self, name: str, implementation: Implementation) -> Oracle | None:
        """Return the question about the comparable part of a quantity, or None if no answer can be compared."""
        quantity = implementation.compared(ROWS[name])
        if not quantity.applies_to(self.problem):
            return None
        oracle = self._oracles.on(self.problem, quantity)
        return oracle if oracle is not None and has_value(oracle) else None

    def questions(self, names: Iterable[str], implementation: Implementation) -> list[Oracle]:
        """Return the questions about the quantities in `names` whose answers can be compared with the oracle."""
        found = (self.question(name, implementation) for name in names)
        return [question for question in found if question is not None]


def small_problems(problems: Iterable[Problem]) -> list[SmallProblem]:
    """Select the small problems, and the first optimiser trajectory, cut to its first `STEPS` steps."""
    found: list[SmallProblem] = []
    trajectory = None
    for problem in problems:
        if problem.trajectory is None and problem.parameters * problem.N < SMALL:
            found.append(SmallProblem(problem))
        elif problem.trajectory is not None and trajectory is None:
            checkpoints = problem.trajectory.checkpoints[:STEPS]
            trajectory = SmallProblem(replace(problem, trajectory=problem.trajectory._replace(checkpoints=checkpoints)))
    return found if trajectory is None else [*found, trajectory]


def chosen(implementation: Implementation, small: Sequence[SmallProblem], names: Sequence[str]) -> list[Oracle]:
    """Choose questions on a few small problems that the implementation supports.

    At most `SHAPES` problems without shared weights are chosen, or at most one if `short` is True for the
    implementation. At most one problem with shared weights is chosen. Unless `short` is True, two groups of questions
    follow. The first group has questions on the relatives of the first problem without shared weights and of the first
    problem with shared weights. These questions are about the quantities that differ between the problem and the
    relative. The second group has the questions on an optimiser trajectory.
    """
    short = implementation.short
    count = 1 if short else SHAPES
    of_kinds = [
        list(
            of_different_shapes(implementation, [each for each in small if each.problem.is_shared is shared], names, n)
        )
        for shared, n in ((False, count), (True, 1))
    ]
    questions = [question for found in of_kinds for each in found for question in each.questions(names, implementation)]
    if not short:
        for first in (found[0] for found in of_kinds if found):
            for other in first.relatives:
                differing = [name for name in names if differs(ROWS[name], first.problem, other.problem)]
                questions += other.questions(differing, implementation)
        for each in small:
            questions += each.questions(names, implementation) if each.problem.trajectory is not None else []
    return questions


def of_different_shapes(
    implementation: Implementation, small: Sequence[SmallProblem], names: Sequence[str], count: int
) -> Iterator[SmallProblem]:
    """Choose at most `count` supported problems, each as different as possible from the problems chosen before.

    Of equally different problems, the problem with the fewest identity transfer functions is chosen.
    """
    without_walk = [each for each in small if each.problem.trajectory is None]
    left = sorted(without_walk, key=lambda each: each.problem.transfers.count("identity"))
    found: list[Problem] = []
    while left and len(found) < count:
        best = max(left, key=lambda each: novelty(each.problem, found))
        left.remove(best)
        if novelty(best.problem, found) and supports(implementation, best, names):
            found.append(best.problem)
            yield best


def novelty(problem: Problem, found: Sequence[Problem]) -> int:
    """Return 1 plus the number of properties in which the problem differs from every found problem.

    The properties are N, the widths and the objective. The result is 0 if a found problem has the same N and widths.
    """
    if any((problem.widths, problem.N) == (other.widths, other.N) for other in found):
        return 0
    sizes: tuple[Callable[[Problem], object], ...] = (lambda p: p.N, lambda p: p.widths, lambda p: p.objective)
    return 1 + sum(all(size(problem) != size(other) for other in found) for size in sizes)


def supports(implementation: Implementation, small: SmallProblem, names: Sequence[str]) -> bool:
    """True if the implementation runs at least one of the quantities on the problem, with an answer or an ERROR."""
    questions = (small.question(name, implementation) for name in names)
    return any(judged(implementation, q, ROUGH).verdict.status not in NOT_RUN for q in questions if q is not None)


def differs(quantity: Quantity, problem: Problem, other: Problem) -> bool:
    """True if the quantity applies to both problems and has different values on the two problems.

    An answer that was stored for one problem is then wrong for the other problem.
    """
    if not (quantity.applies_to(problem) and quantity.applies_to(other)):
        return False
    pairs = zip(quantity.value(problem), quantity.value(other), strict=True)
    return not all(np.array_equal(a, b) for a, b in pairs)
