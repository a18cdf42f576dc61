"""The choice of gamma by Appendix C.3.2: the direction whose step decreases the model most."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from .._algebra.layerwise import inner
from .._linearisation.linearisation import GaussNewtonLinearisation
from .._quadratic_model.terms import curvature_term
from .._types import Array, Arrays
from .state import selected

Direction: TypeAlias = Callable[[Array], tuple[Arrays, Any, Array]]
"""The function that makes a direction from gamma, 0-d. It returns the direction, the curvature and ok."""


class Candidate(NamedTuple):
    """A direction made with gamma, and its terms in the model under C-bar.

    delta:     uphill
    curvature: with the inverses that made it
    slope:     delta^T grad f
    bend:      delta^T C-bar delta
    ok:        whether it can be used
    """

    gamma: Array
    delta: Arrays
    curvature: Any
    slope: Array
    bend: Array
    ok: Array


def best(
    at: GaussNewtonLinearisation, direction: Direction, gammas: tuple[Array, ...], g: Arrays, full: Array
) -> Candidate:
    """The direction with the first gamma, or C.3.2: with the one of three whose step decreases the model most.

    g: grad f. full: tau + eta. A tie keeps the first gamma, and one whose direction cannot be used gives way.
    Misprint: the text minimises the model under C~, which contains gamma and always favours the smallest.
    """
    xp = at.xp

    def candidate(gamma: Array) -> Candidate:
        delta, made, ok = direction(gamma)
        slope, bend = inner(xp, delta, g), curvature_term(at, delta, full)
        return Candidate(gamma, delta, made, slope, bend, ok & xp.isfinite(slope) & xp.isfinite(bend))

    def decrease(c: Candidate) -> Array:
        """(delta^T grad f)^2 / delta^T C-bar delta; -1 for a direction that cannot be used."""
        usable = c.ok & (c.bend > 0)
        return xp.where(
            usable, c.slope * (c.slope / xp.where(usable, c.bend, xp.ones_like(c.bend))), -xp.ones_like(c.bend)
        )

    chosen = candidate(gammas[0])
    for gamma in gammas[1:]:
        other = candidate(gamma)
        chosen = selected(xp, decrease(other) > decrease(chosen), other, chosen)
    return chosen
