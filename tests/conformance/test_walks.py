"""Walks: that their states go through every branch of the heuristics, and that a port with another optimiser fails."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from kfgn_conformance import Status, judge
from kfgn_conformance.adapters.kfgn_port import KfgnPort, open_target
from kfgn_conformance.problems.problem import exact
from kfgn_conformance.problems.trajectories import STEPS, WALKS, walk
from kfgn_conformance.quantities import ROWS
from kfgn_conformance.quantities.steps import stepped
from kfgn_conformance.tolerances import LOOSE, looseness

from kfgn._optimisers import adaptation, gauss_newton_step, rejection

STEP = ROWS["optimiser_step"]
walked = cache(lambda name: walk(name, *WALKS[name]))


@pytest.mark.parametrize("name", WALKS)
def test_hardly_a_state_is_left_out(name):
    problem = walked(name)
    waypoints = problem.walk.waypoints
    assert STEPS - 3 <= len(waypoints) <= STEPS
    assert [here.t for here in waypoints] == sorted({here.t for here in waypoints})
    assert waypoints[0].t == 0
    exact(problem)
    assert not STEP.asks(replace(problem, walk=None))


def test_every_branch_is_taken():
    """Over all walks tau rises and falls, gamma rises, falls and stays, and each meets its bounds."""
    turns = {"tau": set(), "gamma": set()}
    for name in WALKS:
        for before, after in zip(walked(name).walk.waypoints, walked(name).walk.waypoints[1:], strict=False):
            for damping, seen in turns.items():
                if (after.t % (5 if damping == "tau" else 20)) == 0 and after.t == before.t + 1:
                    seen.add(int(np.sign(getattr(after, damping) - getattr(before, damping))))
    assert turns["tau"] >= {-1, 1}
    assert turns["gamma"] == {-1, 0, 1}
    bounded = [float(here.tau) for here in walked("options").walk.waypoints]
    assert min(bounded) == 0.25 < max(bounded)
    assert max(float(here.gamma) for here in walked("options").walk.waypoints) == 0.5


def test_the_last_walks_go_through_what_they_are_about():
    """Several rejected steps in a row, which end; a factor that hides its damping; a tau that never moves."""
    problem = walked("rejected")
    rejected = [not info.ok for _, info in stepped(problem)]
    assert 5 <= sum(rejected) <= 10
    first = rejected.index(True)
    assert all(rejected[first : first + sum(rejected)])
    assert not any(rejected[first + sum(rejected) :])
    for here in walked("saturated").walk.waypoints:
        assert here.t == 0 or np.sqrt(here.gamma) < 2.0**-53 * np.trace(here.Q[0])
        assert here.t == 0 or not np.any(here.G[0])
    assert {float(here.tau) for here in walked("converged").walk.waypoints} == {2.0**60}


@pytest.mark.parametrize("name", ["kfra", "options", "momentum", "rejected", "saturated", "converged"])
def test_the_tolerance_proves_something(name):
    for dtype, loose in LOOSE.items():
        assert looseness(walked(name), STEP, dtype) <= loose


def test_problems_without_a_walk_are_refused():
    with pytest.raises(ValueError, match="problem x: expected a walk"):
        STEP.oracle(replace(walked("kfra"), id="x", walk=None))


def short(name, *, period=1):
    """The walk, one state in so many; enough to see a fault of every step, or of the 5th or 20th."""
    problem = walked(name)
    chosen = tuple(here for here in problem.walk.waypoints if (here.t + 1) % period == 0)
    return replace(problem, walk=problem.walk._replace(waypoints=chosen))


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


def without_momentum(at, update, g, state, eta):
    """The change of the model by a step of its own, where it should be by the whole update."""
    own = tuple(u - 0.75 * old for u, old in zip(update, state.update, strict=True))
    return change_in_model(at, own, g, state, eta)


change_in_model = gauss_newton_step.change_in_model
OF_A_RULE = {
    "rho without momentum": ("momentum", lambda m: m.setattr(gauss_newton_step, "change_in_model", without_momentum)),
    "no floor of a damping": (
        "saturated",
        lambda m: m.setattr("kfgn._algebra.damping.visible", lambda xp, A, damping: damping),
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
    assert judge(port, walked(its_own), STEP).status is Status.PASS
    make(monkeypatch)
    assert judge(port, walked(its_own), STEP).status is Status.FAIL
    assert judge(port, short("kfra", period=5), STEP).status is Status.PASS


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_fails(monkeypatch, mistake):
    period, make = MISTAKES[mistake]
    port, problem = KfgnPort(open_target("numpy"), "float64"), short("kfra", period=period)
    assert judge(port, problem, STEP).status is Status.PASS
    make(monkeypatch)
    assert judge(port, problem, STEP).status is Status.FAIL


def test_what_stands_in_the_averages_before_the_first_step_counts_for_nothing():
    """The reference has nothing there, and the port is given ones."""
    (first,) = (here for here in walked("kfra").walk.waypoints if here.t == 0)
    assert all(np.all(Q == 1) for Q in first.Q)
    problem = replace(walked("kfra"), walk=walked("kfra").walk._replace(waypoints=(first,)))
    assert judge(KfgnPort(open_target("numpy"), "float64"), problem, STEP).status is Status.PASS
