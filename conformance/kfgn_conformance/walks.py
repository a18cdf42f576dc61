"""Walks: fifty steps of the reference's optimiser, each a question of its own, started from the reference's state.

An implementation is asked for one step from each state, so that what rounding does to one step is not carried into
the next, and which branches of the heuristics it took shows in tau and gamma. A state at which the reference itself
is near to the other branch, so that rounding may decide, is left out.
"""

from dataclasses import replace
from functools import cache

import kfgn_reference as ref
import numpy as np

from .cases import case
from .margins import clear_of_kinks, near_border
from .problems import CLASSIFIERS, Array, Problem, Walk, Waypoint, classes, draw_shape, root_columns
from .quantities.steps import decreases, settings_of, state_of

STEPS = 50
SAMPLES = 3
MARGIN = 1e-3
"""How far rho is from a threshold, and the best gamma from the next, relative to itself: far above float32's u."""

WALKS: dict[str, tuple[str, str, Walk]] = {
    "kflr": ("categorical", "project", Walk("kflr")),
    "kfra": ("bernoulli", "project", Walk("kfra")),
    "kfac": ("categorical", "project", Walk("kfac")),
    "rp": ("squared_error", "project", Walk("rp")),
    "mixture": ("mixture", "project", Walk("kfra")),
    "mixture-scalar": ("mixture", "scalar", Walk("kfac")),
    "blocks": ("bernoulli", "project", Walk("blocks")),
    "whole": ("squared_error", "project", Walk("whole")),
    "options": (
        "bernoulli",
        "project",
        Walk(
            "kfra",
            inversion="exact",
            thresholds=((1, 4), (3, 4)),
            tau_bounds=(0.25, 0.5),
            gamma_bounds=(0.125, 0.5),
            longest_step=1.0,
            momentum=(1, 4),
            refresh=3,
        ),
    ),
    "rarely": ("squared_error", "project", Walk("rp", inversion="frobenius", refresh=4)),
}
"""The objective and what stands for its H_L, and the settings of each walk."""

START = {"kflr": (2**-8, 8.0), "kfac": (1.0, 8.0), "options": (7 / 16, 1 / 4)}
"""tau and gamma at first, where they are not 2^-8 and 1/4."""


@cache
def walks() -> tuple[Problem, ...]:
    """The problems of `WALKS`, each the fixed case of its objective with tanh units and the states it goes through."""
    return tuple(walk(name, *of) for name, of in WALKS.items())


def walk(name: str, objective: str, psd: str, settings: Walk) -> Problem:
    """That of a name, fifty steps from the case's weights."""
    problem = replace(case(objective, psd, ("tanh", "tanh")), id=f"walk-{name}")
    return walked(problem, settings, START.get(name, (2**-8, 1 / 4)), STEPS)


def walked(problem: Problem, settings: Walk, start: tuple[float, float], steps: int) -> Problem:
    """So many steps from the problem's weights, tau and gamma from `start`, on batches of their own.

    Every state is rounded to what float32 holds.
    """
    rng = np.random.Generator(np.random.Philox(0))
    tau, gamma = start
    probes = problem.probes._replace(tau=np.array(tau), gamma=np.array(gamma), eta=np.array(2**-8))
    problem = replace(problem, probes=probes, walk=settings)
    net = problem.reference
    state = ref.initial_state(net, probes.tau[()], probes.gamma[()])
    waypoints: list[Waypoint] = []
    for _ in range(steps):
        here = waypoint(problem, state, rng)
        alone = replace(problem, walk=settings._replace(waypoints=(here,)))
        state, info = ref.optimiser_step(settings_of(alone), state_of(alone, here), here.X, here.Y, here.draws)
        if clear(alone, here, info):
            waypoints.append(here)
    return replace(problem, walk=settings._replace(waypoints=tuple(waypoints)))


def single(x: Array) -> Array:
    """Rounded to float32, in float64."""
    return np.asarray(x).astype(np.float32).astype(np.float64)


def waypoint(problem: Problem, state: ref.State, rng: np.random.Generator) -> Waypoint:
    """The state with a new batch, and draws that are off every border between classes."""
    layers = range(1, len(problem.layers) + 1)
    ones = {l: np.ones((D, D)) for l, D in enumerate(problem.widths[1:], start=1)}
    appended = {l: np.ones((D + 1, D + 1)) for l, D in enumerate(problem.widths[:-1], start=1)}

    def arrays(per_layer: ref.PerLayer, absent: ref.PerLayer) -> tuple[Array, ...]:
        return tuple(single((per_layer or absent)[l]) for l in layers)

    weights = dict(enumerate(state.net.weights, start=1))
    while True:
        here = Waypoint(
            t=state.t,
            weights=arrays(weights, weights),
            average=arrays(state.average, weights),
            Q=arrays(state.Q, appended),
            G=arrays(state.G, ones),
            update=arrays(state.update, {l: 0 * W for l, W in weights.items()}),
            tau=single(state.tau),
            gamma=single(state.gamma),
            X=rng.integers(-16, 17, (problem.N, problem.widths[0])) / 16,
            Y=targets(problem, rng),
            draws=draws(problem, rng),
        )
        there = replace(problem, weights=here.weights, X=here.X)
        sampled = here.draws if problem.walk is not None and problem.walk.method == "kfac" else None
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
    method, D = problem.walk.method if problem.walk is not None else "", problem.widths[-1]
    if method == "rp":
        return rng.integers(-32, 33, (problem.N, SAMPLES, root_columns(problem.objective, problem.psd, D))) / 16
    if method == "kfac":
        shape = draw_shape(problem.objective, (problem.N, SAMPLES), D)
        return rng.integers(0, 2**16, shape) / 2**16
    return None


def clear(problem: Problem, here: Waypoint, info: ref.Info) -> bool:
    """Whether the step from here is far from taking another branch."""
    settings = settings_of(problem)
    if info.rho is not None:
        thresholds = [n / d for n, d in settings.thresholds]
        if min(abs(info.rho - threshold) for threshold in thresholds) < MARGIN:
            return False
    if (here.t + 1) % settings.T_gamma == 0 and settings.method != "whole":
        best, second = sorted(decreases(problem, here), reverse=True)[:2]
        return bool(best - second > MARGIN * best)
    return True
