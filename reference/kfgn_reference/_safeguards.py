"""Two rules for rounding errors and one rule for failed steps, none of which is in the paper.

    visible              the damping of one factor in (36), raised where rounding errors would hide it
    within_rounding      a test for changes of f that are too small for a meaningful rho (42)
    raised               the damping after a step that failed because of too little damping

In exact arithmetic the unit roundoff u is 0. `visible` then changes nothing, and `within_rounding` is True only if the
numerator and the denominator of (42) are both 0.

>>> import numpy as np
>>> from kfgn_reference import raised, visible
>>> visible(np.eye(2), 0.25), raised(0.25, 0.5, bounds=(0.0, 1.0))
(0.25, 0.5)
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
    """max(damping, 8 sqrt(D) u tr(A)) for a factor A (D, D) and the unit roundoff u. A damping of 0 stays 0.

    A positive damping below this bound can be smaller than the rounding errors of the factorisation of A. The last
    pivots of a singular A can then be rounding errors of either sign.
    """
    u = unit_roundoff(A[0, 0])
    if u == 0:
        return damping
    lower = FLOOR * np.sqrt(one(A[0, 0]) * len(A)) * u * trace(A)
    return lower if 0 < damping < lower else damping


def visible_direction(Q: PerLayer, G: PerLayer, g: PerLayer, k: Any, norm: str) -> PerLayer:
    """The direction (34) with the factored damping (36), where `visible` raises the damping of each factor."""

    def of_layer(Q: Array, G: Array, g: Array) -> Array:
        share, root_k = omega(Q, G, norm), np.sqrt(k)
        damped_Q = Q + visible(Q, share * root_k) * identity(Q)
        damped_G = G + visible(G, root_k / share) * identity(G)
        return solve(damped_Q, solve(damped_G, g).T).T

    return {l: of_layer(Q[l], G[l], g[l]) for l in g}


def rounding(net: Network, X: Array, Y: Array, f: Any) -> Any:
    """u (|f| + 1/N sum_n |h_n|^T |dE_n/dh_n|), where h_n are the outputs h_L of datapoint n.

    If f and every element of the outputs are rounded once, f changes by at most this amount to first order.
    """
    gradient = OBJECTIVES[net.objective].gradient

    def of_datapoint(x: Array, y: Any) -> Any:
        h = forward(net, x)[1][net.L]
        return np.sum(abs(h * gradient(h, y)))

    return unit_roundoff(f) * (abs(f) + mean(of_datapoint(x, y) for x, y in datapoints(net, X, Y)))


def within_rounding(change: Any, change_in_model: Any, rounding: Any) -> bool:
    """True if |change| and |change_in_model| are at most eight times the `rounding` of f. The step then keeps tau."""
    limit = ROUNDINGS * rounding
    return bool(abs(change) <= limit and abs(change_in_model) <= limit)


def raised(damping: Any, omega: Any, bounds: tuple[Any, Any] | None) -> Any:
    """max(damping / omega, u) within the bounds, with the omega of C.3. The unit roundoff u replaces a damping of 0."""
    larger, u = damping / omega, unit_roundoff(damping)
    return bounded(u if larger < u else larger, bounds)
