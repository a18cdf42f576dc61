"""The problems of a run: fixed, drawn and real ones, and walks of the optimiser."""

from .cases import cases
from .fixed import fixed
from .problem import Problem
from .real import REAL_PROBLEMS
from .trajectories import trajectory_problems


def drawn(count: int, seed: int) -> list[Problem]:
    """Drawn problems; without any, Hypothesis need not be installed."""
    if count == 0:
        return []
    from .drawn import drawn_problems

    return drawn_problems(count, seed)


def problem_set(examples: int, seed: int) -> tuple[Problem, ...]:
    """All of them, with so many drawn ones."""
    real = (make() for make in REAL_PROBLEMS.values())
    return (*cases(), *fixed(), *drawn(examples, seed), *real, *trajectory_problems())
