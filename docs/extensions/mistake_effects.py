"""The quantities that each mistake of the catalogue changes, found on a few fixed problems."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np
from kfgn_conformance.diagnosis import MISTAKES, Mistake
from kfgn_conformance.diagnosis.answers import overridden, recording
from kfgn_conformance.diagnosis.mistake import AnyTextbook, right_formulas
from kfgn_conformance.problem_sets.trajectories import trajectory_problems
from kfgn_conformance.problems.cases import added_cases, cases
from kfgn_conformance.problems.fixed import fixed
from kfgn_conformance.problems.problem import Problem
from kfgn_conformance.problems.shared_weights.fixed import shared_problems
from kfgn_conformance.problems.shared_weights.masked_sequences import masked_problems
from kfgn_conformance.quantities import ROWS, Arrays

FIRST = "shape-square-layers-categorical"
"""The problem that is compared first. A mistake that exchanges layers shows only if the layers have equal widths."""

DATAPOINTS = 33
"""The upper bound of the number of datapoints of a problem, so that the page is built in seconds."""

STEPS = (1, 2, 3, 5, 10, 15, 20, 28, 40)
"""The steps of a trajectory at which something begins or is decided: averages, factors, tau, gamma, a rejected step."""

NEAR = 1e-9
"""An array is changed if its relative error is larger. The formulas are computed in float64."""


AT_ONCE = 10
"""The number of consecutive mistakes that a process takes. Mistakes of a family need the same right answers."""


def effects() -> dict[str, list[str]]:
    """Return the names of the changed quantities for each mistake, in the order of the table of the kit."""
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        return dict(zip(MISTAKES, pool.map(_changed_by, MISTAKES, chunksize=AT_ONCE), strict=True))


def _changed_by(name: str) -> list[str]:
    """Return the quantities that the mistake of this name changes."""
    return list(changed(MISTAKES[name]))


def changed(mistake: Mistake) -> Iterator[str]:
    """Yield the quantities that a mistake changes. An answer without an overridden step is not computed."""
    names = overridden(mistake.textbook)
    quantities = [name for name in ROWS if issubclass(mistake.textbook, right_formulas(ROWS[name]))]
    for quantity in quantities:
        concerned = (problem for problem in problems_of(quantity) if names & _right(quantity, problem.id).used)
        if any(_differs(mistake, quantity, problem) for problem in concerned):
            yield quantity


@cache
def problems_of(quantity: str) -> tuple[Problem, ...]:
    """Return the problems on which a quantity is compared."""
    if ROWS[quantity].of_trajectories:
        return tuple(map(_few_steps, trajectory_problems()))
    if ROWS[quantity].of_shared_weights:
        return (*shared_problems(), *masked_problems())
    small = (problem for problem in (*cases(), *added_cases(), *fixed()) if problem.N <= DATAPOINTS)
    return tuple(sorted(small, key=lambda problem: problem.id != FIRST))


def _few_steps(problem: Problem) -> Problem:
    """The problem with the states before `STEPS` alone."""
    assert problem.trajectory is not None
    kept = tuple(here for here in problem.trajectory.checkpoints if here.t + 1 in STEPS)
    return replace(problem, trajectory=problem.trajectory._replace(checkpoints=kept))


def _differs(mistake: Mistake, quantity: str, problem: Problem) -> bool:
    """True if the mistake changes an array of the answer, or has no answer."""
    right, wrong = _right(quantity, problem.id).answer, _answer(mistake.textbook, quantity, problem)
    if [a.shape for a in wrong] != [a.shape for a in right]:
        return True
    pairs = zip(wrong, right, strict=True)
    return any(not np.max(abs(w - r), initial=0) <= NEAR * np.max(abs(r), initial=0) for w, r in pairs)


class Right(NamedTuple):
    """The answer of the textbook, and the names of the methods and attributes that it uses."""

    answer: Arrays
    used: frozenset[str]


@cache
def _right(quantity: str, name: str) -> Right:
    """The answer of the textbook on the problem with this id."""
    (problem,) = (each for each in problems_of(quantity) if each.id == name)
    textbook, names = recording(ROWS[quantity])
    return Right(_answer(textbook, quantity, problem), frozenset(names))


def _answer(textbook: AnyTextbook, quantity: str, problem: Problem) -> Arrays:
    """The answer of a textbook, or no arrays if the textbook cannot compute it."""
    try:
        with np.errstate(all="ignore"):
            return textbook(problem).answer(quantity) if ROWS[quantity].applies_to(problem) else ()
    except (ArithmeticError, ValueError):  # such as the factorisation of a matrix that is not positive definite
        return ()
