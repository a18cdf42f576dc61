"""Walks: that their states go through every branch of the heuristics, and that a port with another optimiser fails."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from kfgn_conformance import Status
from kfgn_conformance.adapters.kfgn_port import KfgnPort, open_target
from kfgn_conformance.implementation import Implementation
from kfgn_conformance.judging import judged
from kfgn_conformance.oracle import Oracle
from kfgn_conformance.problem_sets.few_states import with_few_states
from kfgn_conformance.problem_sets.trajectories import STEPS, TRAJECTORIES, trajectory_problem
from kfgn_conformance.problems.problem import exact
from kfgn_conformance.quantities import ROWS
from kfgn_conformance.quantities.steps import stepped
from kfgn_conformance.tolerances import MAX_RELATIVE_TOLERANCE

from kfgn._optimisers import adaptation, gauss_newton_step, rejection

STEP = ROWS["optimiser_step"]
along = cache(lambda name: trajectory_problem(name, *TRAJECTORIES[name]))


@cache
def whole(name):
    """The question on all states of a walk."""
    return Oracle(along(name), STEP)


def status(port, question):
    """Return the status of the port's answer."""
    return judged(Implementation("", port), question).verdict.status


@pytest.mark.parametrize("name", TRAJECTORIES)
def test_hardly_a_state_is_left_out(name):
    problem = along(name)
    checkpoints = problem.trajectory.checkpoints
    refreshing = problem.trajectory.refresh if problem.trajectory.method == "ekfac" else STEPS + 1
    moments = [t for t in range(STEPS) if refreshing > STEPS or t % refreshing]  # EKFAC has no state before new bases
    assert len(moments) - 3 <= len(checkpoints) <= len(moments)
    assert [here.t for here in checkpoints] == sorted({here.t for here in checkpoints})
    assert {here.t for here in checkpoints} <= set(moments)
    assert checkpoints[0].t == moments[0]
    exact(problem)
    assert not STEP.applies_to(replace(problem, trajectory=None))


def test_every_branch_is_taken():
    """Over all walks tau rises and falls, gamma rises, falls and stays, and each meets its bounds."""
    turns = {"tau": set(), "gamma": set()}
    for name in TRAJECTORIES:
        for before, after in zip(
            along(name).trajectory.checkpoints, along(name).trajectory.checkpoints[1:], strict=False
        ):
            for damping, seen in turns.items():
                if (after.t % (5 if damping == "tau" else 20)) == 0 and after.t == before.t + 1:
                    seen.add(int(np.sign(getattr(after, damping) - getattr(before, damping))))
    assert turns["tau"] >= {-1, 1}
    assert turns["gamma"] == {-1, 0, 1}
    bounded = [float(here.tau) for here in along("options").trajectory.checkpoints]
    assert min(bounded) == 0.25 < max(bounded)
    assert max(float(here.gamma) for here in along("options").trajectory.checkpoints) == 0.5


def test_the_last_walks_go_through_what_they_are_about():
    """The last trajectories have several rejected steps, a factor that hides its damping, and a constant tau."""
    problem = along("rejected")
    rejected = [not info.ok for _, info in stepped(problem)]
    assert 5 <= sum(rejected) <= 10
    first = rejected.index(True)
    assert all(rejected[first : first + sum(rejected)])
    assert not any(rejected[first + sum(rejected) :])
    for here in along("saturated").trajectory.checkpoints:
        assert here.t == 0 or np.sqrt(here.gamma) < 2.0**-53 * np.trace(here.Q[0])
        assert here.t == 0 or not np.any(here.G[0])
    assert {float(here.tau) for here in along("converged").trajectory.checkpoints} == {2.0**60}


@pytest.mark.parametrize("name", ["kfra", "ekfac", "options", "momentum", "rejected", "saturated", "converged"])
def test_the_tolerance_proves_something(name):
    right = whole(name)
    for dtype, loose in MAX_RELATIVE_TOLERANCE.items():
        assert right.relative_tolerance(dtype) <= loose


def test_problems_without_a_walk_are_refused():
    with pytest.raises(ValueError, match="problem x: expected an optimiser trajectory"):
        STEP.oracle(replace(along("kfra"), id="x", trajectory=None))


@cache
def short(name, *, period=1):
    """The question on one state in so many; enough to see a fault of every step, or of the 5th or 20th."""
    return with_few_states(whole(name), lambda here: (here.t + 1) % period == 0)


def swapped(xp, damping, value, rho, thresholds):
    """tau up where it should go down."""
    low, high = thresholds
    down, up = adaptation.decreased(xp, damping, value), adaptation.increased(xp, damping, value)
    return xp.where(rho > high, up, xp.where(rho < low, down, value))


MISTAKES = {
    "tau the wrong way": (5, lambda m: m.setattr(gauss_newton_step, "levenberg_marquardt", swapped)),
    "gamma stays": (20, lambda m: m.setattr("kfgn._optimisers.candidates.decreased", lambda xp, damping, value: value)),
    "no factor of alpha": (
        7,
        lambda m: m.setattr(gauss_newton_step, "step_size", lambda xp, c, bound: -(c.curvature_along**0)),
    ),
    "averages from the start": (
        7,
        lambda m: m.setattr(gauss_newton_step, "averaged", lambda xp, old, new, n, beta_max: new),
    ),
}


def without_momentum(*terms, **_):
    """Compute the change of the model by the step alone. The right change is that by the whole update."""
    return change_in_model(*terms, momentum=False)


change_in_model = gauss_newton_step.change_in_model
OF_A_RULE = {
    "rho without momentum": ("momentum", lambda m: m.setattr(gauss_newton_step, "change_in_model", without_momentum)),
    "no floor of a damping": (
        "saturated",
        lambda m: m.setattr("kfgn._algebra.damping.visible", lambda xp, factors, dampings: dampings),
    ),
    "rejected for ever": (
        "rejected",
        lambda m: m.setattr(rejection, "after_rejection", lambda xp, damping, value: value),
    ),
    "tau follows rounding": (
        "converged",
        lambda m: m.setattr(gauss_newton_step, "nan_within_rounding", lambda xp, rho, *_: rho),
    ),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("mistake", OF_A_RULE)
def test_a_rule_that_is_missing_fails_on_its_walk_and_on_no_other(monkeypatch, mistake, dtype):
    its_own, make = OF_A_RULE[mistake]
    port = KfgnPort(open_target("numpy"), dtype)
    assert status(port, whole(its_own)) is Status.PASS
    make(monkeypatch)
    assert status(port, whole(its_own)) is Status.FAIL
    assert status(port, short("kfra", period=5)) is Status.PASS


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_fails(monkeypatch, mistake):
    period, make = MISTAKES[mistake]
    port, question = KfgnPort(open_target("numpy"), "float64"), short("kfra", period=period)
    assert status(port, question) is Status.PASS
    make(monkeypatch)
    assert status(port, question) is Status.FAIL


def test_what_stands_in_the_averages_before_the_first_step_counts_for_nothing():
    """The reference has no averages there, and the port gets ones."""
    (first,) = (here for here in along("kfra").trajectory.checkpoints if here.t == 0)
    assert all(np.all(Q == 1) for Q in first.Q)
    question = with_few_states(whole("kfra"), lambda here: here.t == 0)
    assert status(KfgnPort(open_target("numpy"), "float64"), question) is Status.PASS
