"""The choice of gamma and of its direction by Appendix C.3.2, and the step size (40)."""

from __future__ import annotations  # PyTorch's compiler cannot evaluate the annotations of nested functions

from collections.abc import Callable
from functools import reduce
from typing import Any, NamedTuple, TypeAlias

from .._algebra.layerwise import inner
from .._linearisation.linearisation import GaussNewtonLinearisation
from .._quadratic_model.terms import curvature_term
from .._types import Array, Arrays, Namespace
from ..backends import branch
from .adaptation import Damping, decreased, increased
from .arrays import selected
from .schedule import Schedule

Direction: TypeAlias = Callable[[Array, bool | Array], tuple[Arrays, Any, Array]]
"""A function of a 0-d gamma and a flag `invert`. The results are those of `CurvatureEstimate.direction`."""


class Candidate(NamedTuple):
    """A value of gamma, its direction delta~, and the two terms of the quadratic model (with C-bar) along delta~.

    delta:                  the direction delta~ (33) or (34), which points uphill
    factors:                `State.factors` with the inverses that gave the direction
    directional_derivative: delta^T grad f, 0-d
    curvature_along:        delta^T C-bar delta, 0-d
    ok:                     a 0-d boolean, true if the direction exists and the two terms of the model are finite
    """

    gamma: Array
    delta: Arrays
    factors: Any
    directional_derivative: Array
    curvature_along: Array
    ok: Array


def chosen_candidate(
    at: GaussNewtonLinearisation,
    direction: Direction,
    gamma: Array,
    damping: Damping,
    schedule: Schedule,
    gradient: Arrays,
    full: Array,
) -> Candidate:
    """The candidate for `gamma`, or the best of three candidates in a step that adapts gamma.

    The three candidates belong to gamma, gamma omega and gamma / omega, in this order. The best candidate is the one
    that decreases the quadratic model with C-bar the most. If two candidates are equally good, the earlier candidate is
    chosen. A candidate whose `ok` is false is never better than one of the other two.

    gradient: grad f
    full:     tau + eta

    Misprint: Appendix C.3.2 minimises the model with C~, and would always choose the smallest gamma, since C~ contains
    gamma.
    """

    def candidate(gamma: Array, invert: bool | Array) -> Candidate:
        delta, factors, ok = direction(gamma, invert)
        derivative, curvature = inner(at.xp, delta, gradient), curvature_term(at, delta, full)
        ok = ok & at.xp.isfinite(derivative) & at.xp.isfinite(curvature)
        return Candidate(gamma, delta, factors, derivative, curvature, ok)

    def better(a: Candidate, b: Candidate) -> Candidate:
        """The candidate b if it decreases the model more than the candidate a, and a otherwise."""
        return selected(at.xp, decrease_of_model(at.xp, b) > decrease_of_model(at.xp, a), lambda: b, lambda: a)

    def best_of_three() -> Candidate:
        others = (candidate(change(at.xp, damping, gamma), True) for change in (decreased, increased))
        return reduce(better, others, first)

    first = candidate(gamma, schedule.inverts)
    return branch(schedule.adapts_gamma, best_of_three, lambda: first)


def decrease_of_model(xp: Namespace, c: Candidate) -> Array:
    """Twice the decrease of the model by the best step along delta: (delta^T grad f)^2 / delta^T C-bar delta.

    The result is -1 if `ok` is false or if the curvature along delta is not positive.
    """
    one = xp.ones_like(c.curvature_along)
    usable = c.ok & (c.curvature_along > 0)
    quotient = c.directional_derivative / xp.where(usable, c.curvature_along, one)
    return xp.where(usable, c.directional_derivative * quotient, -one)


def step_size(xp: Namespace, c: Candidate, max_step_size: float | None) -> Array:
    """The step size alpha (40), with |alpha| <= `max_step_size`.

    If the curvature along delta is 0, for example for delta = 0, alpha is 0.
    """
    flat = c.curvature_along == 0
    one, zero = xp.ones_like(c.curvature_along), xp.zeros_like(c.curvature_along)
    alpha = xp.where(flat, zero, -c.directional_derivative / xp.where(flat, one, c.curvature_along))
    return alpha if max_step_size is None else xp.clip(alpha, -max_step_size, max_step_size)
