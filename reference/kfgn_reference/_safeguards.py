"""Two rules for arithmetic that rounds, and one for a step that fails. They are ours: the paper has none of them.

    visible              a damping of (36) that is not lost when it is added to its factor
    within_rounding      changes of f that are too small for rho (42) to mean anything
    raised               the damping after a step that had too little of it

In exact arithmetic u = 0, and the first two change nothing.
"""

from typing import Any

import numpy as np

from ._adaptation import bounded
from ._arithmetic import one, unit_roundoff
from ._batch import datapoints
from ._damping import identity, omega
from ._expectation import mean
from ._linear_algebra import solve, trace
from ._network import Network, forward
from ._objectives import OBJECTIVES
from ._types import Array, PerLayer

FLOOR, ROUNDINGS = 8, 8


def visible(A: Array, damping: Any) -> Any:
    """The damping of a factor A (D, D), but at least 8 sqrt(D) u tr(A), u the unit roundoff; 0 stays 0.

    A smaller damping is lost when it is added to A, and the elimination of a singular A ends in rounding errors of
    either sign.
    """
    u = unit_roundoff(A[0, 0])
    if u == 0:
        return damping
    least = FLOOR * np.sqrt(one(A[0, 0]) * len(A)) * u * trace(A)
    return least if 0 < damping < least else damping


def visible_direction(Q: PerLayer, G: PerLayer, g: PerLayer, k: Any, norm: str) -> PerLayer:
    """`factored_direction`, (34) with (36), where both dampings are `visible`."""

    def of_layer(Q: Array, G: Array, g: Array) -> Array:
        share, root_k = omega(Q, G, norm), np.sqrt(k)
        damped_Q = Q + visible(Q, share * root_k) * identity(Q)
        damped_G = G + visible(G, root_k / share) * identity(G)
        return solve(damped_Q, solve(damped_G, g).T).T

    return {l: of_layer(Q[l], G[l], g[l]) for l in g}


def rounding(net: Network, X: Array, Y: Array, f: Any) -> Any:
    """u (|f| + 1/N sum_n |h_n|^T |dE_n/dh_n|): the change of f by one rounding of f and of each output h_L."""
    gradient = OBJECTIVES[net.objective].gradient

    def of_datapoint(x: Array, y: Any) -> Any:
        h = forward(net, x)[1][net.L]
        return np.sum(abs(h * gradient(h, y)))

    return unit_roundoff(f) * (abs(f) + mean(of_datapoint(x, y) for x, y in datapoints(net, X, Y)))


def within_rounding(change: Any, change_in_model: Any, rounding: Any) -> bool:
    """True if both changes of (42) are within eight roundings of f: tau then keeps its value."""
    limit = ROUNDINGS * rounding
    return bool(abs(change) <= limit and abs(change_in_model) <= limit)


def raised(damping: Any, omega: Any, bounds: tuple[Any, Any] | None) -> Any:
    """The larger of damping / omega (C.3) and u, within the bounds. u leads away from a damping of 0."""
    more, u = damping / omega, unit_roundoff(damping)
    return bounded(u if more < u else more, bounds)
