"""One step of the optimiser from each state of a walk: Algorithm 1 with all heuristics."""

from collections.abc import Iterator
from typing import Any

import kfgn_reference as ref
import numpy as np

from ..problems.problem import Array, Problem, Walk, Waypoint
from .quantity import Quantity, in_order, keyed, of_inputs, of_preactivations
from .sizes import Arrays


def walk_of(p: Problem) -> Walk:
    """The walk that the problem has; `ValueError` for one that has none."""
    if p.walk is None:
        raise ValueError(f"problem {p.id}: expected a walk")
    return p.walk


def settings_of(p: Problem) -> ref.Settings:
    """Those of the walk, with the problem's eta."""
    walk = walk_of(p)
    return ref.Settings(
        walk.method,
        p.probes.eta[()],
        inversion=walk.inversion,
        thresholds=walk.thresholds,
        tau_bounds=walk.tau_bounds,
        gamma_bounds=walk.gamma_bounds,
        max_step_size=walk.max_step_size,
        momentum=walk.momentum,
        refresh=walk.refresh,
    )


def state_of(p: Problem, here: Waypoint) -> ref.State:
    """The state of a waypoint. At the first step nothing is old, and the reference has nothing there."""
    old = here.t > 0
    factors = old and walk_of(p).method in ref.METHODS
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


def stepped(p: Problem) -> Iterator[tuple[ref.State, ref.Info]]:
    """The step from each waypoint."""
    for here in walk_of(p).waypoints:
        yield ref.optimiser_step(settings_of(p), state_of(p, here), here.X, here.Y, here.draws)


def steps(p: Problem) -> Arrays:
    """From each waypoint: weights and averages of weights, Q and G layer by layer, then tau, gamma, f and alpha."""
    arrays: list[Any] = []
    for state, info in stepped(p):
        for per_layer in (dict(enumerate(state.net.weights, start=1)), state.average, state.Q, state.G):
            arrays += in_order(per_layer)
        arrays += [state.tau, state.gamma, info.f, info.alpha]
    return tuple(map(np.asanyarray, arrays))


def decreases(p: Problem, here: Waypoint) -> list[Any]:
    """The decrease of the model with each of the three gammas of C.3.2; -1 for a gamma that makes no direction."""
    settings, state = settings_of(p), state_of(p, here)
    net, tau, eta = state.net, state.tau, settings.eta
    Q, G = ref.optimiser_factors(settings, state, here.X, here.Y, here.draws)
    g = ref.regularised_gradient(net, here.X, here.Y, eta)
    omega = ref.decay(settings.decay_gamma, settings.T_gamma, state.gamma)

    def decrease(gamma: Array) -> Any:
        try:
            delta = ref.damped_direction(settings, net, here.X, here.Y, Q, G, g, tau, gamma)
        except ref.NotPositiveDefiniteError:
            return -1.0
        return ref.dot(delta, g) ** 2 / ref.curvature_along(net, here.X, here.Y, delta, tau, eta)

    candidates = (state.gamma, omega * state.gamma, state.gamma / omega)
    return [decrease(gamma) for gamma in {ref.bounded(gamma, settings.gamma_bounds) for gamma in candidates}]


def definiteness(p: Problem, here: Waypoint) -> list[tuple[float, float]]:
    """The least and the largest eigenvalue of each damped factor that is indefinite without its damping."""
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


def changes(p: Problem, here: Waypoint) -> tuple[float, float]:
    """The larger of the two changes of (42) by the step from here, and the rounding error of f."""
    settings, state = settings_of(p), state_of(p, here)
    after, info = ref.optimiser_step(settings, state, here.X, here.Y, here.draws)
    both = ref.changes(state.net, here.X, here.Y, after.update, state.tau, settings.eta)
    return float(max(map(abs, both))), float(ref.rounding(state.net, here.X, here.Y, info.f))


STEPS = (
    Quantity(
        name="optimiser_step",
        equation="Algorithm 1",
        says="one step from each state, one after the other: W_l, averages of them, Q_l and G_l layer by layer, "
        "then tau, gamma, f with L2 before the step, and alpha",
        oracle=steps,
        elements=lambda p: len(walk_of(p).waypoints) * (2 * p.parameters + of_inputs(p) + of_preactivations(p)),
        irrational="square roots of k and omega^2",
        of_walks=True,
    ),
)
