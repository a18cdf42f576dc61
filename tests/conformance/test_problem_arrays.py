"""The functions that visit every array of a problem: paths, order, and the structure of the result."""

import numpy as np
from kfgn_conformance.problem_sets.trajectories import TRAJECTORIES, trajectory_problem
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.problems.problem import Arguments, Checkpoint, Trajectory

CATEGORICAL = next(p for p in cases() if p.objective == "categorical")


def test_every_array_has_its_path_in_the_order_of_the_fields():
    assert [path for path, _ in CATEGORICAL.arrays()] == [
        *(f"weights[{i}]" for i in range(3)),
        *("X", "Y", "labels", "draws"),
        *(f"arguments.direction[{i}]" for i in range(3)),
        *(f"arguments.{name}" for name in ("cotangents", "projections", "tau", "gamma", "eta")),
    ]


def test_a_map_keeps_the_records_and_gets_every_path(monkeypatch):
    monkeypatch.setattr("kfgn_conformance.problem_sets.trajectories.STEPS", 2)
    problem, seen = trajectory_problem("kfra", *TRAJECTORIES["kfra"]), []

    def negative(path, array):
        seen.append(path)
        return -array

    mapped = problem.map_arrays(negative)
    assert seen == [path for path, _ in problem.arrays()]
    for (path, array), (_, other) in zip(problem.arrays(), mapped.arrays(), strict=True):
        np.testing.assert_array_equal(other, -array, err_msg=path)
    assert (type(mapped.arguments), type(mapped.trajectory)) == (Arguments, Trajectory)
    assert all(type(here) is Checkpoint and here.draws is None for here in mapped.trajectory.checkpoints)
    assert (mapped.layers, mapped.trajectory[:-1], mapped.id) == (problem.layers, problem.trajectory[:-1], problem.id)


def test_scalars_of_numpy_count_as_arrays():
    """NumPy's arithmetic turns an array without an axis into a scalar, and the next map must not skip it."""
    twice = CATEGORICAL.map_reals(lambda array: array * 2).map_reals(lambda array: array * 2)
    assert [path for path, _ in twice.arrays()] == [path for path, _ in CATEGORICAL.arrays()]
    for (path, array), (_, other) in zip(CATEGORICAL.arrays(), twice.arrays(), strict=True):
        factor = 1 if path in ("Y", "labels") else 4
        np.testing.assert_array_equal(other, factor * array, err_msg=path)


def test_indices_of_classes_are_not_real_numbers():
    mapped = CATEGORICAL.map_reals(lambda array: array + 1)
    np.testing.assert_array_equal(mapped.Y, CATEGORICAL.Y)
    np.testing.assert_array_equal(mapped.labels, CATEGORICAL.labels)
    np.testing.assert_array_equal(mapped.X, CATEGORICAL.X + 1)
