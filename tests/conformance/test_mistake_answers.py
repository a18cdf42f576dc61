"""The answers of mistakes. A mistake that does not concern a quantity has the answer of the right formulas."""

from dataclasses import replace

import numpy as np
import pytest
from kfgn_conformance.diagnosis import MISTAKES, mistakes_of
from kfgn_conformance.diagnosis.answers import answer_of, overridden, recorded
from kfgn_conformance.oracle import Oracle
from kfgn_conformance.problem_sets.trajectories import TRAJECTORIES, trajectory_problem
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.problems.shared_weights.fixed import shared_problems
from kfgn_conformance.quantities import ROWS


@pytest.fixture(scope="module")
def problems():
    """For each kind of quantity, a small problem to which most quantities apply."""
    (tokens,) = (p for p in shared_problems() if p.id == "shared-tokens-mean-categorical")
    (mixture,) = (p for p in cases() if p.id == "case-mixture-tanh")
    steps = trajectory_problem("kfra", *TRAJECTORIES["kfra"])
    few = steps.trajectory._replace(checkpoints=steps.trajectory.checkpoints[3:5])
    return tokens, mixture, replace(steps, trajectory=few)


def is_close(a, b):
    """True if both arrays are equal up to rounding, which may depend on the place of an array in memory."""
    return np.max(np.abs(a - b), initial=0) <= 1e-12 * np.max(np.abs(b), initial=0)


SOME = ("labels", "hessian_blocks", "solve_trace", "reduction_ratio", "optimiser_step", "shared_gradient", "tnt_blocks")
"""Quantities that together use most methods of both textbooks."""


@pytest.mark.parametrize(
    "name", [name if name in SOME else pytest.param(name, marks=pytest.mark.thorough) for name in ROWS]
)
def test_the_answer_is_that_of_the_formulas_of_the_mistake(name, problems):
    row = ROWS[name]
    problem = next((p for p in problems if row.applies_to(p)), None)
    if problem is None:
        pytest.skip(f"{name} applies to none of the three problems")
    oracle, alone = Oracle(problem, row), Oracle(problem, row)
    for mistake in mistakes_of(row).values():
        found, expected = answer_of(mistake.textbook, oracle), alone.answer_of(mistake.textbook)
        assert (found is None) == (expected is None), mistake.name
        for a, b in zip(found or (), expected or (), strict=True):
            assert is_close(a, b), mistake.name


@pytest.mark.parametrize("name", ["q", "kfra", "labels"])
def test_pairs_of_mistakes_and_factors_are_computed(name, problems):
    oracle = Oracle(problems[1], ROWS[name])
    first, second = (MISTAKES[mistake].textbook for mistake in ("bias-forgotten", "slope-twice"))

    class Doubled(first):
        def answer(self, quantity):
            return tuple(2 * array for array in super().answer(quantity))

    for textbook in (type("Both", (first, second), {}), Doubled):
        for a, b in zip(answer_of(textbook, oracle), oracle.answer_of(textbook), strict=True):
            assert is_close(a, b)
    for a, b in zip(answer_of(Doubled, oracle), answer_of(first, oracle), strict=True):
        assert is_close(a, 2 * b)


def test_a_mistake_that_does_not_concern_a_quantity_is_not_computed(problems):
    """The labels need the forward pass alone, and no mistake of the backward pass changes them."""
    row = ROWS["labels"]
    oracle = Oracle(problems[1], row)
    right = recorded(oracle)
    assert {"answer", "labels", "__init__"} <= right.used
    shared = [m for m in mistakes_of(row).values() if answer_of(m.textbook, oracle) is oracle.answer_of(right.textbook)]
    assert len(shared) > len(mistakes_of(row)) / 2
    assert all(overridden(m.textbook).isdisjoint(right.used) for m in shared)
