"""The problems of a run.

These are fixed problems, random problems, problems of real size, problems with shared weights, and optimiser
trajectories.
"""

from collections.abc import Collection, Iterable

from ..problems.cases import added_cases, cases
from ..problems.fixed import fixed
from ..problems.problem import Problem
from ..problems.real import REAL_PROBLEMS
from ..problems.shared_weights.fixed import shared_problems
from ..quantities import SHARED_WEIGHTS
from .trajectories import trajectory_problems


def drawn(count: int, seed: int) -> list[Problem]:
    """Return `count` random problems. Hypothesis is imported only if `count` is positive."""
    if count == 0:
        return []
    from .drawn import drawn_problems

    return drawn_problems(count, seed)


def problem_set(examples: int, seed: int) -> tuple[Problem, ...]:
    """Return all problems of a run, of which `examples` are random."""
    real = (make() for make in REAL_PROBLEMS.values())
    added = (problem for problem in added_cases() if problem.objective == "categorical")
    return (*cases(), *added, *fixed(), *drawn(examples, seed), *real, *shared_problems(), *trajectory_problems())


def of_interest(problems: Iterable[Problem], offered: Collection[str]) -> list[Problem]:
    """The problems without those with shared weights, unless some of the offered quantities are defined on these."""
    return [problem for problem in problems if not problem.is_shared or not SHARED_WEIGHTS.keys().isdisjoint(offered)]
