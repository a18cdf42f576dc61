"""The checkpoints that ship are steps of the reference, clear of other branches, and serve no other start or code."""

from dataclasses import replace

import numpy as np
import pytest
from kfgn_conformance.problem_sets import known_trajectories, trajectories
from kfgn_conformance.problem_sets.known_trajectories import FILE, known_checkpoints, read, shipped, write
from kfgn_conformance.problem_sets.trajectories import (
    TRAJECTORIES,
    is_clear,
    scenario_of,
    start_of,
    trajectory_problem,
    with_trajectory,
)
from kfgn_conformance.problems.problem import exact
from kfgn_conformance.quantities.steps import step_from

STEPS = 4
NAMES = ("kfra", "kfac", "ekfac", "options", "saturated")


def start(name):
    return start_of(name, *TRAJECTORIES[name])


def shipped_problem(name):
    """The trajectory with the checkpoints that ship."""
    begin = start(name)
    checkpoints = known_checkpoints(begin, scenario_of(begin))
    return replace(begin, trajectory=begin.trajectory._replace(checkpoints=checkpoints))


@pytest.mark.parametrize("name", TRAJECTORIES)
def test_every_trajectory_ships(name):
    begin = start(name)
    assert known_checkpoints(begin, scenario_of(begin)), "run: python -m kfgn_conformance.fixed_oracles write"


@pytest.mark.parametrize("name", NAMES)
def test_the_first_steps_are_those_of_the_reference(name):
    """Except for the last bits of float32, which may be different on a different processor."""
    begin = start(name)
    again = with_trajectory(begin, begin.trajectory, scenario_of(begin), STEPS)
    for here, there in zip(again.trajectory.checkpoints, shipped_problem(name).trajectory.checkpoints, strict=False):
        assert here.t == there.t
        for a, b in zip(numbers(begin, here), numbers(begin, there), strict=True):
            assert (a.dtype, a.shape) == (b.dtype, b.shape)
            assert np.max(np.abs(a - b)) <= 2.0**-20 * np.max(np.abs(a))


def numbers(begin, here):
    """The arrays of a checkpoint."""
    alone = replace(begin, trajectory=begin.trajectory._replace(checkpoints=(here,)))
    return [array for path, array in alone.arrays() if path.startswith("trajectory")]


@pytest.mark.parametrize("name", NAMES)
def test_checkpoints_that_ship_are_exact_and_clear_of_other_branches(name):
    problem = exact(shipped_problem(name))
    for here in problem.trajectory.checkpoints[::7]:
        alone = replace(problem, trajectory=problem.trajectory._replace(checkpoints=(here,)))
        _, info = step_from(alone, here)
        assert is_clear(alone, here, info)


def test_another_start_scenario_or_code_has_no_checkpoints(monkeypatch):
    begin = start("kfra")
    scenario = scenario_of(begin)
    assert known_checkpoints(begin, scenario)
    assert known_checkpoints(replace(begin, X=begin.X / 2), scenario) is None
    assert known_checkpoints(begin, scenario._replace(indefinite_after=3)) is None
    monkeypatch.setattr(known_trajectories, "code_of_trajectories", lambda: "other")
    assert known_checkpoints(begin, scenario) is None


def test_without_checkpoints_the_steps_are_taken(monkeypatch):
    monkeypatch.setattr(trajectories, "known_checkpoints", lambda start, scenario: None)
    monkeypatch.setattr(trajectories, "STEPS", 2)
    assert [here.t for here in trajectory_problem("kfra", *TRAJECTORIES["kfra"]).trajectory.checkpoints] == [0, 1]


def test_an_edited_file_is_not_used(tmp_path):
    with np.load(FILE) as archive:
        arrays = dict(archive)
    name = next(name for name in arrays if name.endswith("tau"))
    arrays[name] = 2 * arrays[name]
    np.savez_compressed(tmp_path / "edited.npz", **arrays)
    assert read(FILE)
    assert read(tmp_path / "edited.npz") == {}
    assert read(tmp_path / "missing.npz") == {}


def test_a_file_that_is_written_is_read_again(tmp_path):
    problem = shipped_problem("kfac")
    write(tmp_path / "one.npz", [problem], scenario_of)
    stored = read(tmp_path / "one.npz")
    assert stored
    assert all(np.array_equal(array, shipped()[name]) for name, array in stored.items())
