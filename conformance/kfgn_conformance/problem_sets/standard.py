"""The problems of a run.

The problems are fixed problems, random problems, problems of real size, problems with shared weights, and optimiser
trajectories.
"""

from collections.abc import Callable, Collection, Sequence
from fnmatch import fnmatchcase

from ..plain import counted
from ..problems.cases import added_cases, cases
from ..problems.fixed import fixed
from ..problems.problem import Problem
from ..problems.real import REAL_PROBLEMS
from ..problems.shared_weights.fixed import shared_problems
from ..problems.shared_weights.masked_sequences import masked_problems
from ..quantities import ROWS, SHARED_WEIGHTS
from ..suggestions import suggestion
from .trajectories import trajectory_problems

Progress = Callable[[str], None]
"""A function that is called with a text about each part of the problems before the part is made."""


class PatternError(ValueError):
    """Raised for a pattern that matches the id of no problem."""


def ignored(_text: str) -> None:
    """Do nothing."""


def drawn(count: int, seed: int, progress: Progress = ignored, *, shared: bool = False) -> list[Problem]:
    """Return `count` random problems. Hypothesis is imported only if `count` is positive.

    shared: True for problems with shared weights
    """
    if count == 0:
        return []
    from .drawn import drawn_problems, drawn_shared_problems

    kind = " with shared weights" if shared else ""
    progress(f"drawing {counted(count, 'random problem')}{kind} and computing their tolerances")
    return (drawn_shared_problems if shared else drawn_problems)(count, seed)


def number_shared(examples: int) -> int:
    """A third of `examples`, rounded down: the number of random problems with shared weights in a run."""
    return examples // 3


def problem_set(
    examples: int, seed: int, progress: Progress = ignored, offered: Collection[str] = ROWS
) -> tuple[Problem, ...]:
    """Return all problems of a run.

    examples: the number of random problems without shared weights
    offered:  the names of the offered quantities. If one of them is defined for shared weights, the run also has the
              fixed problems with shared weights, and `number_shared(examples)` random ones
    """
    progress("preparing the fixed problems")
    added = (problem for problem in added_cases() if problem.objective == "categorical")
    small, walks = (*cases(), *added, *fixed()), trajectory_problems()
    real = (make() for make in REAL_PROBLEMS.values())
    shared: tuple[Problem, ...] = ()
    if not SHARED_WEIGHTS.keys().isdisjoint(offered):
        shared = (*shared_problems(), *masked_problems(), *drawn(number_shared(examples), seed, progress, shared=True))
    return (*small, *drawn(examples, seed, progress), *real, *shared, *walks)


def counts(examples: int) -> dict[str, int]:
    """The numbers of random problems without and with shared weights, by the prefix of their ids."""
    return {"drawn": examples, "drawn-shared": number_shared(examples)}


def random_ids(examples: int) -> list[str]:
    """Return the ids of random problems, without drawing them."""
    return [name for kind, count in counts(examples).items() for name in numbered(kind, count)]


def numbered(name: str, count: int) -> list[str]:
    """Return the ids of `count` random problems."""
    return [f"{name}-{i}" for i in range(1, count + 1)]


def check_patterns(patterns: Sequence[str], examples: int) -> None:
    """Raise `PatternError` if a pattern matches the id of no problem of a run. No random problem is drawn."""
    ids = [problem.id for problem in problem_set(0, 0)]
    every = [*ids, *random_ids(examples)]
    if unknown := [pattern for pattern in patterns if not any(fnmatchcase(name, pattern) for name in every)]:
        random = [f"{name}-1 to {name}-{count}" for name, count in counts(examples).items() if count]
        listed = ", ".join([*ids, *random[:-1]]) + "".join(f", and {last}" for last in random[-1:])
        raise PatternError(
            f"expected a pattern that matches an id, got {' '.join(unknown)}{suggestion(unknown, every)}; the ids are "
            f"{listed}"
        )


def selected(patterns: Sequence[str], examples: int, seed: int, progress: Progress = ignored) -> list[Problem]:
    """Return the problems whose ids match any of the patterns, among all problems of a run.

    Random problems are drawn up to the last match, and come after all other problems.
    """

    def matches(name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in patterns)

    def needed(name: str, count: int) -> int:
        return max((i for i, each in enumerate(numbered(name, count), start=1) if matches(each)), default=0)

    fixed_ones = problem_set(0, seed, progress)
    of_paper = drawn(needed("drawn", examples), seed, progress)
    shared = drawn(needed("drawn-shared", number_shared(examples)), seed, progress, shared=True)
    problems = (*fixed_ones, *of_paper, *shared)
    return [problem for problem in problems if matches(problem.id)]
