"""Optimiser trajectories: fifty steps of the reference's optimiser, with a checkpoint before each step.

An implementation makes one step from each checkpoint of the reference, so that rounding errors of the implementation do
not carry over to the next step. The values of tau and gamma after a step show which branches of the heuristics the
implementation takes. A checkpoint is omitted if the reference is so close to a different branch that rounding may
decide the branch.
"""

import math
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import kfgn_reference as ref
import numpy as np
from kfgn_reference.shared_weights import EkfacState, initial_ekfac_state

from ..problems.arrays import Array
from ..problems.cases import case
from ..problems.discontinuities import clear_of_kinks, near_border
from ..problems.problem import CLASSIFIERS, Checkpoint, Problem, Trajectory, classes, label_shape, root_columns
from ..quantities.steps import changes, decreases, definiteness, of_paper, settings_of, step_from
from ..tolerances import ROUNDOFF
from .known_trajectories import known_checkpoints

STEPS = 50
SAMPLES = 3
MARGIN = 1e-3
"""The lower bound of three distances that separate a step from a different branch of a heuristic.

The first distance is |rho - threshold|. The second distance is the difference between the best and the second best
decrease of the model, divided by the best decrease. The third distance is the absolute value of the smallest eigenvalue
of a damped indefinite factor, divided by the largest absolute eigenvalue of the factor without damping. The lower bound
is far above the unit roundoff of float32.
"""

TRAJECTORIES: dict[str, tuple[str, str, Trajectory]] = {
    "kflr": ("categorical", "project", Trajectory("kflr")),
    "kfra": ("bernoulli", "project", Trajectory("kfra")),
    "kfac": ("categorical", "project", Trajectory("kfac")),
    "rp": ("squared_error", "project", Trajectory("rp")),
    "ekfac": ("categorical", "project", Trajectory("ekfac", refresh=10)),
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
"""For each trajectory: the objective, the replacement for an indefinite H_L, and the settings of the optimiser.

The last four trajectories test rules that are not in the paper. The rules are about the rho of an update with momentum,
a matrix that is not positive definite, a damping that is lost by rounding, and changes of f that are rounding errors.
"""


class Scenario(NamedTuple):
    """The initial dampings, the L2 term and the inputs of a trajectory, and a change of Q_1.

    tau, gamma:       the initial values of the dampings
    eta:              the weight of the L2 term
    inputs:           the value of every element of X in every batch, or None for random inputs
    indefinite_after: the number of steps after which one eigenvalue of Q_1 is made negative; None to leave Q_1 as it is
    """

    tau: float = 2.0**-8
    gamma: float = 1 / 4
    eta: float = 2.0**-8
    inputs: float | None = None
    indefinite_after: int | None = None


SCENARIOS = {
    "kflr": Scenario(gamma=8.0),
    "kfac": Scenario(1.0, 8.0),
    "ekfac": Scenario(gamma=8.0),
    "options": Scenario(7 / 16),
    "rejected": Scenario(indefinite_after=25),
    "saturated": Scenario(eta=0.0, inputs=2.0**36),
    "converged": Scenario(tau=2.0**60),
}
"""The scenario of each trajectory that does not have the default scenario."""


@cache
def trajectory_problems() -> tuple[Problem, ...]:
    """Return the problem of every trajectory in `TRAJECTORIES`."""
    return tuple(trajectory_problem(name, *of) for name, of in TRAJECTORIES.items())


def trajectory_problem(name: str, objective: str, psd: str, settings: Trajectory) -> Problem:
    """A case with tanh units, and a trajectory of fifty steps that starts at the weights of the case."""
    start = start_of(name, objective, psd, settings)
    scenario = scenario_of(start)
    checkpoints = known_checkpoints(start, scenario)
    if checkpoints is None:
        return with_trajectory(start, settings, scenario, STEPS)
    return replace(start, trajectory=settings._replace(checkpoints=checkpoints))


def start_of(name: str, objective: str, psd: str, settings: Trajectory) -> Problem:
    """The problem before the steps of its trajectory: a case with the dampings and the eta of the scenario."""
    problem = replace(case(objective, psd, ("tanh", "tanh")), id=f"walk-{name}", trajectory=settings)
    return with_dampings(problem, scenario_of(problem))


def scenario_of(problem: Problem) -> Scenario:
    """The scenario of the trajectory of a problem."""
    return SCENARIOS.get(problem.id.removeprefix("walk-"), Scenario())


def with_dampings(problem: Problem, scenario: Scenario) -> Problem:
    """The problem with the initial dampings and the eta of a scenario."""
    tau, gamma, eta = (np.array(damping) for damping in scenario[:3])
    return replace(problem, arguments=problem.arguments._replace(tau=tau, gamma=gamma, eta=eta))


def with_trajectory(problem: Problem, settings: Trajectory, scenario: Scenario, steps: int) -> Problem:
    """The problem with the checkpoints of an optimiser that starts from the weights of the problem.

    Every step has a new batch. The checkpoints are rounded to float32.
    """
    rng = np.random.Generator(np.random.Philox(0))
    problem = with_dampings(replace(problem, trajectory=settings), scenario)
    net, arguments = problem.reference, problem.arguments
    initial = initial_ekfac_state if settings.method == "ekfac" else ref.initial_state
    state = initial(net, arguments.tau[()], arguments.gamma[()])
    checkpoints: list[Checkpoint] = []
    for _ in range(steps):
        if isinstance(state, ref.State) and state.t == scenario.indefinite_after:
            state = with_indefinite_factor(state)
        here = checkpoint(problem, state, rng, scenario.inputs)
        alone = replace(problem, trajectory=settings._replace(checkpoints=(here,)))
        state, info = step_from(alone, here)
        if keeps_bases(alone, here) and is_clear(alone, here, info):
            checkpoints.append(here)
    return replace(problem, trajectory=settings._replace(checkpoints=tuple(checkpoints)))


def with_indefinite_factor(state: ref.State) -> ref.State:
    """The state of the optimiser, with Q_1 changed to have a smallest eigenvalue of -5 to -4 times the old trace."""
    Q = state.Q[1]
    direction = np.arange(1, len(Q) + 1) / np.linalg.norm(np.arange(1, len(Q) + 1))
    return state._replace(Q={**state.Q, 1: Q - 5 * np.trace(Q) * np.outer(direction, direction)})


def single(x: Array) -> Array:
    """Round x to float32, and return the result as float64."""
    return np.asarray(x).astype(np.float32).astype(np.float64)


def checkpoint(
    problem: Problem, after: ref.State | EkfacState, rng: np.random.Generator, inputs: float | None
) -> Checkpoint:
    """The state of the optimiser with a new batch.

    A batch is drawn again if a pre-activation is near a kink of a transfer function, or if a draw of KFAC is near a
    border between classes.
    """
    shape, state = (problem.N, problem.widths[0]), of_paper(after)
    weights = dict(enumerate(state.net.weights, start=1))

    def arrays(per_layer: ref.PerLayer, absent: ref.PerLayer) -> tuple[Array, ...]:
        return tuple(single((per_layer or absent)[l]) for l in weights)

    while True:
        here = Checkpoint(
            t=state.t,
            weights=arrays(weights, weights),
            average=arrays(state.average, weights),
            Q=arrays(state.Q, {l: np.ones((W.shape[1], W.shape[1])) for l, W in weights.items()}),
            G=arrays(state.G, {l: np.ones((W.shape[0], W.shape[0])) for l, W in weights.items()}),
            update=arrays(state.update, {l: 0 * W for l, W in weights.items()}),
            tau=single(state.tau),
            gamma=single(state.gamma),
            X=rng.integers(-16, 17, shape) / 16 if inputs is None else np.full(shape, inputs),
            Y=targets(problem, rng),
            draws=draws(problem, rng),
            **of_ekfac(after),
        )
        there = replace(problem, weights=here.weights, X=here.X)
        sampled = here.draws if problem.trajectory is not None and problem.trajectory.method == "kfac" else None
        if clear_of_kinks(there) and (sampled is None or not near_border(replace(there, draws=sampled)).any()):
            return here


def of_ekfac(state: ref.State | EkfacState) -> dict[str, tuple[Array, ...]]:
    """The fields of a checkpoint that only EKFAC has. Before the first step, S has no arrays."""
    if not isinstance(state, EkfacState):
        return {}
    U_Q, U_G = zip(*state.bases.values(), strict=True)
    fields = {"U_Q": U_Q, "U_G": U_G, "S": state.S.values()}
    return {name: tuple(map(single, arrays)) for name, arrays in fields.items()}


def without_noise(here: Checkpoint) -> Checkpoint:
    """The checkpoint with rounded eigenvectors and eigenvalues of EKFAC.

    Each array has multiples of 2^-24 times the power of two above its largest element. LAPACK computes the
    eigenvectors, and its rounding errors depend on the processor. Some elements would be 0 without these errors, and
    rounding to float32 keeps the errors there.
    """

    def of(A: Array) -> Array:
        unit = 2.0 ** (math.frexp(np.max(np.abs(A)))[1] - 24)
        return np.round(A / unit) * unit

    U_Q, U_G, S = (tuple(map(of, arrays)) for arrays in (here.U_Q, here.U_G, here.S))
    return here._replace(U_Q=U_Q, U_G=U_G, S=S)


def targets(problem: Problem, rng: np.random.Generator) -> Array:
    """Random labels for a batch: class indices, or multiples of 1/16 from 0 to 1."""
    D = problem.widths[-1]
    shape = label_shape(problem.objective, (problem.N,), D)
    if problem.objective in CLASSIFIERS:
        return rng.integers(0, classes(problem.objective, D), shape)
    return rng.integers(0, 17, shape) / 16


def draws(problem: Problem, rng: np.random.Generator) -> Array | None:
    """The random numbers from which the method of the trajectory samples, or None for a method that does not sample."""
    method, D = problem.trajectory.method if problem.trajectory is not None else "", problem.widths[-1]
    if method == "rp":
        return rng.integers(-32, 33, (problem.N, SAMPLES, root_columns(problem.objective, problem.psd, D))) / 16
    if method == "kfac":
        shape = label_shape(problem.objective, (problem.N, SAMPLES), D)
        return rng.integers(0, 2**16, shape) / 2**16
    return None


def keeps_bases(problem: Problem, here: Checkpoint) -> bool:
    """True unless the step from this checkpoint computes eigenvectors.

    Two right implementations may compute different eigenvectors, since each eigenvector has an arbitrary sign, and the
    eigenvectors of a repeated eigenvalue are an arbitrary basis of their space.
    """
    settings = settings_of(problem)
    return settings.method != "ekfac" or here.t % settings.refresh > 0


def is_clear(problem: Problem, here: Checkpoint, info: ref.Info) -> bool:
    """True if rounding cannot lead the step from this checkpoint to a different branch of a heuristic."""
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
    """True unless a factor that is indefinite without damping is nearly singular with damping."""
    return all(abs(smallest) > MARGIN * largest for smallest, largest in definiteness(problem, here))


def clear_of_rounding(problem: Problem, here: Checkpoint, info: ref.Info) -> bool:
    """True if float32 and float64 agree on whether the changes in (42) are only rounding errors.

    A step leaves tau unchanged if both changes in (42) are at most eight rounding errors of f. The function returns
    True if the larger change is below half this limit for float64, or above twice this limit for float32. The function
    also returns True for a step that is rejected or does not adapt tau.
    """
    if not info.ok or (here.t + 1) % settings_of(problem).T_tau > 0:
        return True
    larger, rounding = changes(problem, here)
    lower, upper = (8 * rounding * ROUNDOFF[dtype] / ROUNDOFF["float64"] for dtype in ("float64", "float32"))
    return bool(larger < lower / 2 or larger > 2 * upper)
