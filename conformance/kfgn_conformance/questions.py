"""The questions on small problems that are repeated in other orders."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from .adapters import Adapter
from .adapters.conventions import compared
from .problems.problem import Problem
from .quantities import ROWS, Quantity
from .relatives import relatives
from .rough import compare_roughly, oracle
from .verdicts import UNASKED, Verdict, judge

SHAPES = 3
"""The number of problems of different shapes. The first of them comes with its relatives."""

SMALL = 4000
"""The bound below which the number of weights times datapoints makes a problem small."""

STEPS = 2
"""The number of steps of a walk that are run."""


class Question(NamedTuple):
    """A quantity on a problem."""

    problem: Problem
    quantity: Quantity

    def judged(self, adapter: Adapter) -> Verdict:
        """The verdict on the adapter's answer, by the rough rule."""
        return judge(adapter, self.problem, self.quantity, by=compare_roughly)

    def __str__(self) -> str:
        return f"{self.quantity.name} on {self.problem.id}"


def chosen(adapter: Adapter, problems: Sequence[Problem], names: Sequence[str], *, short: bool) -> list[Question]:
    """The questions on small problems that the adapter takes, on relatives of the first of them, and on a walk."""
    found = list(of_different_shapes(adapter, problems, names, 1 if short else SHAPES))
    questions = [Question(problem, ROWS[name]) for problem in found for name in names]
    if not short:
        for other in relatives(found[0]) if found else ():
            differing = (
                name for name in names if not ROWS[name].of_trajectories and differs(ROWS[name], found[0], other)
            )
            questions += [Question(other, ROWS[name]) for name in differing]
        questions += [
            Question(trajectory, ROWS[name]) for trajectory in trajectory_problems(problems) for name in names
        ]
    conventions = adapter.describe().conventions
    return [q for q in questions if q.quantity.asks(q.problem) and has_oracle(q, compared(q.quantity, conventions))]


def of_different_shapes(
    adapter: Adapter, problems: Sequence[Problem], names: Sequence[str], count: int
) -> Iterator[Problem]:
    """Small problems that the adapter takes, each as different as can be from those before; curved units come first."""
    small = [problem for problem in problems if problem.trajectory is None and problem.parameters * problem.N < SMALL]
    left = sorted(small, key=lambda problem: problem.transfers.count("identity"))
    found: list[Problem] = []
    while left and len(found) < count:
        problem = max(left, key=lambda problem: news(problem, found))
        left.remove(problem)
        if news(problem, found) and takes(adapter, problem, names):
            found.append(problem)
            yield problem


def news(problem: Problem, found: Sequence[Problem]) -> int:
    """One more than the number of ways in which a problem differs from all found so far; 0 if the shape is known."""
    if any((problem.widths, problem.N) == (other.widths, other.N) for other in found):
        return 0
    sizes: tuple[Callable[[Problem], object], ...] = (lambda p: p.N, lambda p: p.widths, lambda p: p.objective)
    return 1 + sum(all(size(problem) != size(other) for other in found) for size in sizes)


def takes(adapter: Adapter, problem: Problem, names: Sequence[str]) -> bool:
    """True if the adapter answers any of the quantities on the problem."""
    asked = (Question(problem, ROWS[name]) for name in names)
    usable = (q for q in asked if q.quantity.asks(problem) and has_oracle(q, q.quantity))
    return any(question.judged(adapter).status not in UNASKED for question in usable)


def trajectory_problems(problems: Sequence[Problem]) -> Iterator[Problem]:
    """The first walk, with only its first steps."""
    for problem in problems:
        if problem.trajectory is not None:
            yield replace(
                problem, trajectory=problem.trajectory._replace(checkpoints=problem.trajectory.checkpoints[:STEPS])
            )
            return


def differs(quantity: Quantity, problem: Problem, other: Problem) -> bool:
    """True if the quantity depends on the part that differs, so that a kept answer would be wrong."""
    pairs = zip(quantity.value(problem), quantity.value(other), strict=True)
    return not all(np.array_equal(a, b) for a, b in pairs)


def has_oracle(question: Question, quantity: Quantity) -> bool:
    """True if an answer to the question can be judged."""
    try:
        oracle(question.problem, quantity)
    except (ArithmeticError, ValueError):
        return False
    return True
