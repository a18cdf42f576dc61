"""A step of `GaussNewton`: Algorithm 1 with the heuristics of Appendix C."""

from __future__ import annotations  # PyTorch's compiler cannot evaluate the annotations of nested functions

from typing import Any

from array_api_compat import array_namespace

from .._algebra.layerwise import all_finite, inner, plus, quotient
from .._linearisation.arguments import targets_allowed
from .._linearisation.linearisation import GaussNewtonLinearisation, linearised_for_gauss_newton
from .._quadratic_model.terms import change_in_loss, curvature_term, regularised_gradient, rounding_of
from .._types import Array, Arrays
from ..backends import branch
from .adaptation import levenberg_marquardt, nan_within_rounding
from .arrays import scalar, selected
from .averages import averaged
from .candidates import Candidate, chosen_candidate, step_size
from .curvature_estimate import Added, CurvatureEstimate
from .rejection import with_more_damping
from .schedule import Schedule
from .settings import Settings, schedule_at
from .state import Info, State, counted


def step(
    settings: Settings, schedule: Schedule, state: State, X: Array, Y: Array, draws: Array | None
) -> tuple[State, Info]:
    """One step, whose arguments have been checked. The given and the returned state have t = None."""
    xp, network, eta = array_namespace(state.weights[0]), settings.network, settings.eta
    estimate: CurvatureEstimate[Any] = settings.estimate
    at = linearised_for_gauss_newton(network, state.weights, X, Y)
    full = state.tau + eta
    state = state._replace(factors=estimate.completed(state.factors, Added(full, state.gamma + eta)))

    loss = at.loss()
    gradient, factors = estimate.observed(at, state.factors, draws, schedule.refreshes)
    g = regularised_gradient(at.weights, gradient, eta)

    def direction(gamma: Array, invert: bool | Array) -> tuple[Arrays, Any, Array]:
        return estimate.direction(at, factors, g, Added(full, gamma + eta), invert)

    chosen = chosen_candidate(at, direction, state.gamma, settings.dampings.gamma, schedule, g, full)
    alpha = step_size(xp, chosen, settings.max_step_size)
    update = tuple(alpha * d for d in chosen.delta)
    if settings.momentum:
        update = plus(update, state.update, settings.momentum)
    weights = plus(at.weights, update)
    f = loss + eta / 2 * inner(xp, at.weights, at.weights)

    def adapted_tau() -> tuple[Array, Array, Array]:
        change = change_in_loss(at, update, eta)
        fall = change_in_model(at, chosen, alpha, update, g, full, momentum=bool(settings.momentum))
        rho = nan_within_rounding(xp, quotient(xp, change, fall), change, fall, rounding_of(at, f))
        tau = levenberg_marquardt(xp, settings.dampings.tau, state.tau, rho, settings.thresholds)
        return tau, rho, update_finite & xp.isfinite(change)

    def same_tau() -> tuple[Array, Array, Array]:
        return state.tau, scalar(float("nan"), at.X), update_finite

    update_finite = xp.isfinite(inner(xp, update, update))
    tau, rho, landed = branch(schedule.adapts_tau, adapted_tau, same_tau)

    valid = targets_allowed(xp, network, X, Y)
    posed = valid & xp.isfinite(f) & estimate.ready(at, factors, draws)
    ok = posed & chosen.ok & landed  # if `chosen.ok`, delta^T g is finite, and so is g

    def accepted() -> State:
        return state._replace(
            weights=weights,
            average=averaged(xp, state.average, weights, state.counts.accepted + 1, settings.parameter_average),
            factors=chosen.factors,
            tau=tau,
            gamma=chosen.gamma,
            update=update if settings.momentum else (),
        )

    def rejected() -> State:
        return with_more_damping(
            xp,
            state,
            settings.dampings,
            unsolved=posed & all_finite(xp, g) & ~chosen.ok,
            overshot=posed & chosen.ok & ~landed,
            uses_gamma=estimate.uses_gamma,
        )

    after = selected(xp, ok, accepted, rejected)._replace(counts=counted(state.counts, ok))
    taken = selected(xp, ok, lambda: alpha, lambda: xp.zeros_like(alpha))
    return after, Info(ok, loss, f, taken, state.tau, chosen.gamma, rho, valid)


def change_in_model(
    at: GaussNewtonLinearisation,
    chosen: Candidate,
    alpha: Array,
    update: Arrays,
    g: Arrays,
    full: Array,
    *,
    momentum: bool,
) -> Array:
    """The change of the quadratic model, 0-d, along the whole update: the denominator of (42).

    Without momentum, the update is alpha delta, and both terms of the model along delta are known.
    """
    if momentum:
        return inner(at.xp, update, g) + curvature_term(at, update, full) / 2
    return alpha * chosen.directional_derivative + alpha * alpha * chosen.curvature_along / 2


def step_at(settings: Settings, t: Array, state: State, X: Array, Y: Array, draws: Array | None) -> tuple[State, Info]:
    """One step with the schedule of step t, a 0-d integer array. The arguments have been checked."""
    return step(settings, schedule_at(settings, t), state, X, Y, draws)
