"""Walks: fifty steps of the reference's optimiser, each a question of its own, started from the reference's state.

An implementation is asked for one step from each state, so that what rounding does to one step is not carried into
the next, and which branches of the heuristics it took shows in tau and gamma. A state at which the reference itself
is near to the other branch, so that rounding may decide, is left out.
"""

from dataclasses import replace
from functools import cache
from typing import NamedTuple

import kfgn_reference as ref
import numpy as np

from ..quantities.steps import changes, decreases, definiteness, settings_of, state_of
from ..tolerances import ROUNDOFF
from .cases import case
from .discontinuities import clear_of_kinks, near_border
from .problem import CLASSIFIERS, Array, Checkpoint, Problem, Trajectory, classes, draw_shape, root_columns

STEPS = 50
SAMPLES = 3
MARGIN = 1e-3
"""The least distance of rho from a threshold, of the best gamma from the next, and of the least eigenvalue of an
indefinite factor from 0, each relative to its size. It is far above the u of float32."""

TRAJECTORIES: dict[str, tuple[str, str, Trajectory]] = {
    "kflr": ("categorical", "project", Trajectory("kflr")),
    "kfra": ("bernoulli", "project", Trajectory("kfra")),
    "kfac": ("categorical", "project", Trajectory("kfac")),
    "rp": ("squared_error", "project", Trajectory("rp")),
    "mixture": ("mixture", "project", Trajectory("kfra")),
    "mixture-scalar": ("mixture", "scalar", Trajectory("kfac")),
    "blocks": ("bernoulli", "project", Trajectory("hessian_free_blocks")),
    "whole": ("squared_error", "project", Trajectory("hessian_free")),
    "options": (
        "bernoulli",
        "project",
        Trajectory(
            "kfra",
            inversion="exact",
            thresholds=((1, 4), (3, 4)),
            tau_bounds=(0.25, 0.5),
            gamma_bounds=(0.125, 0.5),
            max_step_size=1.0,
            momentum=(1, 4),
            refresh=3,
        ),
    ),
    "rarely": ("squared_error", "project", Trajectory("rp", inversion="frobenius", refresh=4)),
    "momentum": ("bernoulli", "project", Trajectory("kfra", momentum=(3, 4))),
    "rejected": ("bernoulli", "project", Trajectory("kfra")),
    "saturated": ("bernoulli", "project", Trajectory("kflr")),
    "converged": ("squared_error", "project", Trajectory("hessian_free_blocks")),
}
"""The objective, the matrix in the place of its H_L, and the settings of each walk.

The last four are about rules that are not the paper's: the rho of an update with momentum; a step whose matrix is not
positive definite; a damping that rounding hides; and changes of f that are rounding errors.
"""


class Course(NamedTuple):
    """The start and the batches of a walk, which with its settings decide its course.

    tau, gamma: at first
    eta:        the weight of L2
    inputs:     all inputs of all batches; None for random ones
    flawed:     the number of steps after which the average Q_1 gets an eigenvalue far below 0, which no average has
    """

    tau: float = 2.0**-8
    gamma: float = 1 / 4
    eta: float = 2.0**-8
    inputs: float | None = None
    flawed: int | None = None


COURSES = {
    "kflr": Course(gamma=8.0),
    "kfac": Course(1.0, 8.0),
    "options": Course(7 / 16),
    "rejected": Course(flawed=25),
    "saturated": Course(eta=0.0, inputs=2.0**36),
    "converged": Course(tau=2.0**60),
}
"""The starts of the walks that do not have the usual one."""


@cache
def trajectory_problems() -> tuple[Problem, ...]:
    """The problems of `WALKS`, each the fixed case of its objective with tanh units and the states it goes through."""
    return tuple(trajectory_problem(name, *of) for name, of in TRAJECTORIES.items())


def trajectory_problem(name: str, objective: str, psd: str, settings: Trajectory) -> Problem:
    """That of a name, fifty steps from the case's weights."""
    problem = replace(case(objective, psd, ("tanh", "tanh")), id=f"walk-{name}")
    return with_trajectory(problem, settings, COURSES.get(name, Course()), STEPS)


def with_trajectory(problem: Problem, settings: Trajectory, course: Course, steps: int) -> Problem:
    """The states of a run from the problem's weights, each step on a batch of its own. They are rounded to float32."""
    rng = np.random.Generator(np.random.Philox(0))
    tau, gamma, eta = (np.array(damping) for damping in course[:3])
    arguments = problem.arguments._replace(tau=tau, gamma=gamma, eta=eta)
    problem = replace(problem, arguments=arguments, trajectory=settings)
    net = problem.reference
    state = ref.initial_state(net, arguments.tau[()], arguments.gamma[()])
    checkpoints: list[Checkpoint] = []
    for _ in range(steps):
        if state.t == course.flawed:
            state = flawed(state)
        here = checkpoint(problem, state, rng, course.inputs)
        alone = replace(problem, trajectory=settings._replace(checkpoints=(here,)))
        state, info = ref.optimiser_step(settings_of(alone), state_of(alone, here), here.X, here.Y, here.draws)
        if clear(alone, here, info):
            checkpoints.append(here)
    return replace(problem, trajectory=settings._replace(checkpoints=tuple(checkpoints)))


def flawed(state: ref.State) -> ref.State:
    """The state with one eigenvalue of Q_1 at minus four times the trace."""
    Q = state.Q[1]
    direction = np.arange(1, len(Q) + 1) / np.linalg.norm(np.arange(1, len(Q) + 1))
    return state._replace(Q={**state.Q, 1: Q - 5 * np.trace(Q) * np.outer(direction, direction)})


def single(x: Array) -> Array:
    """Rounded to float32, in float64."""
    return np.asarray(x).astype(np.float32).astype(np.float64)


def checkpoint(problem: Problem, state: ref.State, rng: np.random.Generator, inputs: float | None) -> Checkpoint:
    """The state with a new batch, and draws that are off every border between classes."""
    shape = (problem.N, problem.widths[0])
    layers = range(1, len(problem.layers) + 1)
    ones = {l: np.ones((D, D)) for l, D in enumerate(problem.widths[1:], start=1)}
    appended = {l: np.ones((D + 1, D + 1)) for l, D in enumerate(problem.widths[:-1], start=1)}

    def arrays(per_layer: ref.PerLayer, absent: ref.PerLayer) -> tuple[Array, ...]:
        return tuple(single((per_layer or absent)[l]) for l in layers)

    weights = dict(enumerate(state.net.weights, start=1))
    while True:
        here = Checkpoint(
            t=state.t,
            weights=arrays(weights, weights),
            average=arrays(state.average, weights),
            Q=arrays(state.Q, appended),
            G=arrays(state.G, ones),
            update=arrays(state.update, {l: 0 * W for l, W in weights.items()}),
            tau=single(state.tau),
            gamma=single(state.gamma),
            X=rng.integers(-16, 17, shape) / 16 if inputs is None else np.full(shape, inputs),
            Y=targets(problem, rng),
            draws=draws(problem, rng),
        )
        there = replace(problem, weights=here.weights, X=here.X)
        sampled = here.draws if problem.trajectory is not None and problem.trajectory.method == "kfac" else None
        if clear_of_kinks(there) and (sampled is None or not near_border(replace(there, draws=sampled)).any()):
            return here


def targets(problem: Problem, rng: np.random.Generator) -> Array:
    """Labels of the objective, dyadic where they are real."""
    D = problem.widths[-1]
    shape = draw_shape(problem.objective, (problem.N,), D)
    if problem.objective in CLASSIFIERS:
        return rng.integers(0, classes(problem.objective, D), shape)
    return rng.integers(0, 17, shape) / 16


def draws(problem: Problem, rng: np.random.Generator) -> Array | None:
    """What the method samples from, none for those that do not."""
    method, D = problem.trajectory.method if problem.trajectory is not None else "", problem.widths[-1]
    if method == "rp":
        return rng.integers(-32, 33, (problem.N, SAMPLES, root_columns(problem.objective, problem.psd, D))) / 16
    if method == "kfac":
        shape = draw_shape(problem.objective, (problem.N, SAMPLES), D)
        return rng.integers(0, 2**16, shape) / 2**16
    return None


def clear(problem: Problem, here: Checkpoint, info: ref.Info) -> bool:
    """Whether the step from here is far from taking another branch."""
    settings = settings_of(problem)
    if not (clear_of_indefinite(problem, here) and clear_of_rounding(problem, here, info)):
        return False
    if info.rho is not None:
        thresholds = [n / d for n, d in settings.thresholds]
        if min(abs(info.rho - threshold) for threshold in thresholds) < MARGIN:
            return False
    if (here.t + 1) % settings.T_gamma == 0 and settings.method != "hessian_free":
        best, second = sorted(decreases(problem, here), reverse=True)[:2]
        return bool(best - second > MARGIN * best)
    return True


def clear_of_indefinite(problem: Problem, here: Checkpoint) -> bool:
    """True if no damped factor is nearly singular, among those that are indefinite without their damping."""
    return all(abs(least) > MARGIN * largest for least, largest in definiteness(problem, here))


def clear_of_rounding(problem: Problem, here: Checkpoint, info: ref.Info) -> bool:
    """True if the larger change of (42) is below half of the limit in float64, or above twice the limit in float32."""
    if not info.ok or (here.t + 1) % settings_of(problem).T_tau > 0:
        return True
    larger, rounding = changes(problem, here)
    least, most = (8 * rounding * ROUNDOFF[dtype] / ROUNDOFF["float64"] for dtype in ("float64", "float32"))
    return bool(larger < least / 2 or larger > 2 * most)
