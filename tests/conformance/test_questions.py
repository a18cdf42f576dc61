"""The questions that are repeated in other orders: their problems, the relatives of a problem, and copies."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kfgn_conformance.adapters.loading import load
from kfgn_conformance.implementation import Implementation
from kfgn_conformance.inputs import changed, copied
from kfgn_conformance.opening import open_implementations
from kfgn_conformance.orders import in_every_order
from kfgn_conformance.problem_sets.trajectories import TRAJECTORIES, trajectory_problem
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.problems.problem import exact
from kfgn_conformance.problems.real import digits
from kfgn_conformance.questions import chosen, of_different_shapes, small_problems
from kfgn_conformance.relatives import PARTS, relatives

CASES = [p for p in cases() if p.id in ("case-bernoulli-tanh", "case-mixture-tanh", "case-squared_error-tanh")]
SMALL = small_problems(CASES)
NAMES = ("gradient", "kflr", "kfra", "solve_exact")


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def test_every_array_of_a_problem_has_a_name_and_is_copied():
    problem = trajectory_problem("kfac", *TRAJECTORIES["kfac"])
    names = dict(problem.arrays())
    assert {
        "weights[2]",
        "Y",
        "arguments.gamma",
        "trajectory.checkpoints[7].Q[0]",
        "trajectory.checkpoints[7].draws",
    } <= set(names)
    given = copied(problem)
    for name, array in given.arrays():
        assert not np.shares_memory(array, names[name])
    given.trajectory.checkpoints[7].update[1][0, 0] += 1
    assert changed(problem, given) == ["trajectory.checkpoints[7].update[1]"]


def test_relatives_differ_in_one_part():
    for problem in CASES:
        others = relatives(problem)
        assert [other.id for other in others] == [f"{problem.id}-other-{part}" for part in PARTS]
        for other in others:
            exact(other)
            assert (other.widths, other.N, other.transfers) == (problem.widths, problem.N, problem.transfers)
            parts = {name.split("[")[0].split(".")[0] for name in changed(problem, other)}
            assert parts <= {"weights"} or parts <= {"X"} or parts <= {"Y", "labels", "draws"} or parts <= {"arguments"}
            assert parts


def test_every_quantity_is_asked_again_after_every_other():
    """Over all orders, each of two quantities comes before the other."""
    implementation = Implementation("", load("stateful:CachesRightly", "float64"))
    questions = chosen(implementation, SMALL, NAMES)
    assert len({(q.problem.widths, q.problem.N) for q in questions}) > 1
    order = list(in_every_order(questions))
    places = {name: [i for i, q in enumerate(order) if q.quantity.name == name] for name in NAMES}
    for a in NAMES:
        for b in NAMES:
            assert min(places[a]) < max(places[b])


def test_problems_of_different_shapes_are_taken():
    """The second and third problem differ in N too, if such a problem exists. No large problem is chosen."""
    tall = replace(CASES[2].head(3), id="short")
    implementation = Implementation("", load("stateful:CachesRightly", "float64"))
    taken = of_different_shapes(implementation, small_problems([*CASES, tall, digits()]), NAMES, 3)
    assert [each.problem.id for each in taken] == ["case-bernoulli-tanh", "case-mixture-tanh", "short"]


def test_a_walk_is_among_the_questions():
    (numpy,) = open_implementations(("numpy",), "float64")
    small = small_problems([CASES[0], trajectory_problem("kfra", *TRAJECTORIES["kfra"])])
    (of_walk,) = [q for q in chosen(numpy, small, ["loss", "optimiser_step"]) if q.problem.trajectory]
    assert of_walk.quantity.name == "optimiser_step"
    assert len(of_walk.problem.trajectory.checkpoints) == 2
