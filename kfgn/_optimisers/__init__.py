"""Optimisers: pure functions of a state and a batch. `state = optimiser.init(weights)`, then
`state, info = optimiser.step(state, X, Y, draws)`.

A step that cannot be computed, or whose targets the objective does not take, raises nothing: it is rejected, as
described in `GaussNewton.step`.

    gauss_newton   the paper's: Algorithm 1 with the heuristics of Appendix C
    candidates     the directions that it chooses from
    factored       its curvature by Kronecker factors
    hessian_free   its curvature by conjugate gradients
    failure        what a rejected step changes
    first_order    gradient descent with momentum, and Adam: what the paper compares with
"""

from .adaptation import Damping
from .factored import Factors, KroneckerFactored
from .first_order import SGD, Adam, FirstOrderState
from .gauss_newton import GaussNewton, State
from .hessian_free import HessianFree
from .state import Counts, Info

__all__ = [
    "SGD",
    "Adam",
    "Counts",
    "Damping",
    "Factors",
    "FirstOrderState",
    "GaussNewton",
    "HessianFree",
    "Info",
    "KroneckerFactored",
    "State",
]
