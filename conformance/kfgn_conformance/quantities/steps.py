"""One step of the optimiser from each checkpoint of a trajectory: Algorithm 1 with all heuristics."""

from collections.abc import Callable, Iterator
from typing import Any

import kfgn_reference as ref
import numpy as np
from kfgn_reference.shared_weights import (
    EkfacState,
    ekfac_direction,
    ekfac_observed,
    ekfac_step,
    initial_ekfac_state,
)

from ..problems.problem import Array, Checkpoint, Problem, Trajectory
from .quantity import Quantity, in_order, keyed, of_inputs, of_preactivations
from .sizes import Arrays


def trajectory_of(p: Problem) -> Trajectory:
    """The trajectory of a problem. Raises `ValueError` if the problem has no trajectory."""
    if p.trajectory is None:
        raise ValueError(f"problem {p.id}: expected an optimiser trajectory")
    return p.trajectory


def settings_of(p: Problem) -> ref.Settings:
    """Convert the settings of the trajectory, with the eta of the problem, to the reference's record of settings."""
    trajectory = trajectory_of(p)
    return ref.Settings(
        trajectory.method,
        p.arguments.eta[()],
        inversion=trajectory.inversion,
        thresholds=trajectory.thresholds,
        tau_bounds=trajectory.tau_bounds,
        gamma_bounds=trajectory.gamma_bounds,
        max_step_size=trajectory.max_step_size,
        momentum=trajectory.momentum,
        refresh=trajectory.refresh,
    )


WITH_FACTORS = (*ref.METHODS, "ekfac")
"""The methods that average Kronecker factors."""


def state_of(p: Problem, here: Checkpoint) -> ref.State:
    """The reference's state at a checkpoint.

    The state before the first step has no averages and no update. The state of a method without Kronecker factors has
    no averages of factors.
    """
    old = here.t > 0
    factors = old and trajectory_of(p).method in WITH_FACTORS
    return ref.State(
        here.t,
        p.reference._replace(weights=here.weights),
        keyed(here.average) if old else {},
        keyed(here.Q) if factors else {},
        keyed(here.G) if factors else {},
        here.tau[()],
        here.gamma[()],
        keyed(here.update) if old else {},
    )


def ekfac_state_of(p: Problem, here: Checkpoint) -> EkfacState:
    """The reference's state of EKFAC at a checkpoint, with the bases of the checkpoint."""
    state = state_of(p, here)
    if here.t == 0:
        return initial_ekfac_state(state.net, state.tau, state.gamma)
    bases = dict(enumerate(zip(here.U_Q, here.U_G, strict=True), start=1))
    return EkfacState(state, bases, keyed(here.S))


def step_from(p: Problem, here: Checkpoint) -> tuple[ref.State | EkfacState, ref.Info]:
    """The state after the step from a checkpoint, and the diagnostics of the step."""
    settings = settings_of(p)
    if settings.method == "ekfac":
        return ekfac_step(settings, ekfac_state_of(p, here), here.X, here.Y)
    return ref.optimiser_step(settings, state_of(p, here), here.X, here.Y, here.draws)


def of_paper(state: ref.State | EkfacState) -> ref.State:
    """The part of a state that every method has."""
    return state.at if isinstance(state, EkfacState) else state


def curvature_of(state: ref.State | EkfacState) -> tuple[ref.PerLayer, ...]:
    """The averages of a state that are compared: S of EKFAC, or Q and G."""
    return (state.S,) if isinstance(state, EkfacState) else (state.Q, state.G)


def stepped(p: Problem) -> Iterator[tuple[ref.State | EkfacState, ref.Info]]:
    """Yield the new state and the diagnostics of the step from each checkpoint."""
    for here in trajectory_of(p).checkpoints:
        yield step_from(p, here)


def steps(p: Problem) -> Arrays:
    """Return the arrays of the step from each checkpoint, one checkpoint after the other.

    The arrays of a step are the weights of all layers, the averages of the weights, the averages of Q, the averages of
    G, tau, gamma, f before the step, and alpha. A method without Kronecker factors has no averages of Q and G. EKFAC
    has the averages S instead, since the steps from its checkpoints keep Q and G.
    """
    arrays: list[Any] = []
    for after, info in stepped(p):
        state = of_paper(after)
        for per_layer in (keyed(state.net.weights), state.average, *curvature_of(after)):
            arrays += in_order(per_layer)
        arrays += [state.tau, state.gamma, info.f, info.alpha]
    return tuple(map(np.asanyarray, arrays))


def elements(p: Problem) -> int:
    """The number of elements of all arrays of weights and of averages."""
    trajectory = trajectory_of(p)
    averages = p.parameters if trajectory.method == "ekfac" else of_inputs(p) + of_preactivations(p)
    return len(trajectory.checkpoints) * (2 * p.parameters + averages)


def directions(p: Problem, here: Checkpoint) -> Callable[[Any], ref.PerLayer]:
    """The direction of the step from a checkpoint, as a function of gamma."""
    settings, state = settings_of(p), state_of(p, here)
    net, X, Y = state.net, here.X, here.Y
    g = ref.regularised_gradient(net, X, Y, settings.eta)
    if settings.method == "ekfac":
        observed = ekfac_observed(settings, ekfac_state_of(p, here), X, Y)
        return lambda gamma: ekfac_direction(observed, g, gamma + settings.eta)
    Q, G = ref.optimiser_factors(settings, state, X, Y, here.draws)
    return lambda gamma: ref.damped_direction(settings, net, X, Y, Q, G, g, state.tau, gamma)


def decreases(p: Problem, here: Checkpoint) -> list[Any]:
    """Twice the decrease of the quadratic model for each distinct candidate for gamma (C.3.2).

    The number is -1 for a candidate with which a damped matrix is not positive definite.
    """
    settings, state = settings_of(p), state_of(p, here)
    net, tau, eta = state.net, state.tau, settings.eta
    direction = directions(p, here)
    g = ref.regularised_gradient(net, here.X, here.Y, eta)
    omega = ref.decay(settings.decay_gamma, settings.T_gamma, state.gamma)

    def decrease(gamma: Array) -> Any:
        try:
            delta = direction(gamma)
        except ref.NotPositiveDefiniteError:
            return -1.0
        return ref.dot(delta, g) ** 2 / ref.curvature_along(net, here.X, here.Y, delta, tau, eta)

    candidates = (state.gamma, omega * state.gamma, state.gamma / omega)
    return [decrease(gamma) for gamma in {ref.bounded(gamma, settings.gamma_bounds) for gamma in candidates}]


def definiteness(p: Problem, here: Checkpoint) -> list[tuple[float, float]]:
    """Two eigenvalues for each factor that is indefinite without damping.

    The first number is the smallest eigenvalue of the damped factor. The second number is the largest absolute
    eigenvalue of the factor without damping. For the inversion "exact", the factors are damped as in (36), where omega
    is 1. The list is empty for EKFAC, whose eigenvalues are means of squares, and for a method without Kronecker
    factors.
    """
    settings, state = settings_of(p), state_of(p, here)
    if settings.method not in ref.METHODS:
        return []
    Q, G = ref.optimiser_factors(settings, state, here.X, here.Y, here.draws)
    root, found = np.sqrt(state.gamma + settings.eta), []
    for l in Q:
        share = 1.0 if settings.inversion == "exact" else ref.omega(Q[l], G[l], settings.inversion)
        for A, damping in ((Q[l], share * root), (G[l], root / share)):
            values = np.linalg.eigvalsh(A)
            if values[0] < -(2.0**-20) * values[-1]:
                found.append((float(values[0] + damping), float(np.max(np.abs(values)))))
    return found


def changes(p: Problem, here: Checkpoint) -> tuple[float, float]:
    """Return the larger absolute value of the two changes in (42) for a step, and the rounding error of f."""
    settings, state = settings_of(p), state_of(p, here)
    after, info = step_from(p, here)
    both = ref.changes(state.net, here.X, here.Y, of_paper(after).update, state.tau, settings.eta)
    return float(max(map(abs, both))), float(ref.rounding(state.net, here.X, here.Y, info.f))


STEPS = (
    Quantity(
        name="optimiser_step",
        equation="Algorithm 1",
        description="the result of one step from each checkpoint, one checkpoint after the other: the W_l of all "
        "layers, the averaged W_l, the averaged Q_l, the averaged G_l (the averaged S_l for EKFAC), tau, gamma, f with "
        "its L2 term before the step, and alpha",
        oracle=steps,
        elements=elements,
        irrational="square roots of k and omega^2",
        of_trajectories=True,
    ),
)
