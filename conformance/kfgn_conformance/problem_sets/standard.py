"""The problems of a run.

The problems are fixed problems, random problems, problems of real size, problems with shared weights, and optimiser
trajectories.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from fnmatch import fnmatchcase

from ..problems.cases import added_cases, cases
from ..problems.fixed import fixed
from ..problems.problem import Problem
from ..problems.real import REAL_PROBLEMS
from ..problems.shared_weights.fixed import shared_problems
from ..quantities import SHARED_WEIGHTS
from ..suggestions import suggestion
from .trajectories import trajectory_problems

Progress = Callable[[str], None]
"""A function that is called with a text about each part of the problems before the part is made."""


class PatternError(ValueError):
    """Raised for a pattern that matches the id of no problem."""


def ignored(_text: str) -> None:
    """Do nothing."""


def drawn(count: int, seed: int, progress: Progress = ignored) -> list[Problem]:
    """Return `count` random problems. Hypothesis is imported only if `count` is positive."""
    if count == 0:
        return []
    from .drawn import drawn_problems

    progress(f"drawing {count} random problem{'s' if count > 1 else ''} and computing their tolerances")
    return drawn_problems(count, seed)


def problem_set(examples: int, seed: int, progress: Progress = ignored) -> tuple[Problem, ...]:
    """Return all problems of a run, of which `examples` are random."""
    progress("preparing the fixed problems")
    added = (problem for problem in added_cases() if problem.objective == "categorical")
    small, walks = (*cases(), *added, *fixed()), trajectory_problems()
    real = (make() for make in REAL_PROBLEMS.values())
    return (*small, *drawn(examples, seed, progress), *real, *shared_problems(), *walks)


def of_interest(problems: Iterable[Problem], offered: Collection[str]) -> list[Problem]:
    """Leave out the problems with shared weights, unless an offered quantity is defined on such problems."""
    return [problem for problem in problems if not problem.is_shared or not SHARED_WEIGHTS.keys().isdisjoint(offered)]


def random_ids(examples: int) -> list[str]:
    """Return the ids of random problems, without drawing them."""
    return [f"drawn-{i}" for i in range(1, examples + 1)]


def check_patterns(patterns: Sequence[str], examples: int) -> None:
    """Raise `PatternError` if a pattern matches the id of no problem of a run. No random problem is drawn."""
    ids = [problem.id for problem in problem_set(0, 0)]
    every = [*ids, *random_ids(examples)]
    if unknown := [pattern for pattern in patterns if not any(fnmatchcase(name, pattern) for name in every)]:
        random = f", and drawn-1 to drawn-{examples}" if examples else ""
        raise PatternError(
            f"expected a pattern that matches an id, got {' '.join(unknown)}{suggestion(unknown, every)}; the ids are "
            f"{', '.join(ids)}{random}"
        )


def selected(patterns: Sequence[str], examples: int, seed: int, progress: Progress = ignored) -> list[Problem]:
    """Return the problems of a run whose ids match any of the patterns. Random problems are drawn up to the last match.

    The random problems come after all others.
    """

    def matches(name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in patterns)

    needed = max((i for i, name in enumerate(random_ids(examples), start=1) if matches(name)), default=0)
    problems = (*problem_set(0, seed, progress), *drawn(needed, seed, progress))
    return [problem for problem in problems if matches(problem.id)]
