"""The quadratic model (32) of the regularised loss, with the full Gauss-Newton matrix of the batch.

    f(theta) = loss + eta/2 |theta|^2, biases included
    model(delta) = f(theta) + delta^T grad f + 1/2 delta^T C delta,  C = G + (tau + eta) I

The gradient, the curvature and both losses belong to one batch. Each function costs at most one forward pass, one more
of tangents or of moved weights, and one backward pass.
"""

from .._algebra.layerwise import inner, quotient
from .._linearisation.arguments import checked_layers
from .._linearisation.linearisation import GaussNewtonLinearisation, linearise_for_gauss_newton
from .._network.network import Network
from .._types import Array, Arrays, Weights
from .._validation.scalars import checked_representable, checked_scalar
from ..backends import with_own_settings
from .terms import change_in_loss, curvature_term, directional_derivative


def _checked(
    network: Network,
    weights: Weights,
    X: Array,
    Y: Array,
    delta: Weights,
    tau: Array | float,
    eta: Array | float,
    check: bool,
) -> tuple[GaussNewtonLinearisation, Arrays, Array | float, Array | float]:
    """The linearisation of the batch, delta, eta and tau + eta."""
    at = linearise_for_gauss_newton(network, weights, X, Y, check=check)
    delta = checked_layers(network, X, "delta", delta, check=check)
    tau, eta = checked_scalar("tau", tau, X, check=check), checked_scalar("eta", eta, X, check=check)
    for name, value in (("tau", tau), ("eta", eta), ("tau + eta", tau + eta)):
        checked_representable(name, value, X, check=check)
    return at, delta, eta, tau + eta


@with_own_settings
def curvature_along(
    network: Network,
    weights: Weights,
    X: Array,
    Y: Array,
    delta: Weights,
    *,
    tau: Array | float,
    eta: Array | float,
    check: bool = True,
) -> Array:
    """delta^T C delta with C = G + (tau + eta) I and the full Gauss-Newton matrix G of the batch, equation (41). 0-d.

        1/N sum_n v_n^T H_n v_n + (tau + eta) |delta|^2,  v_n = J_n delta

    delta: arrays of the shapes of the weights. tau, eta: numbers from 0, or 0-d arrays in the dtype of X. No backward
    pass. Other arguments and errors as in `preactivation_gauss_newton`.
    """
    at, delta, eta, added = _checked(network, weights, X, Y, delta, tau, eta, check)
    return curvature_term(at, delta, added)


@with_own_settings
def quadratic_model(
    network: Network,
    weights: Weights,
    X: Array,
    Y: Array,
    delta: Weights,
    *,
    tau: Array | float,
    eta: Array | float,
    check: bool = True,
) -> Array:
    """The model (32) of f(theta + delta): f + delta^T grad f + 1/2 delta^T C delta, where f has its L2 term. 0-d.

    Arguments and errors as in `curvature_along`.
    """
    at, delta, eta, added = _checked(network, weights, X, Y, delta, tau, eta, check)
    f = at.loss() + eta * inner(at.xp, at.weights, at.weights) / 2
    return f + directional_derivative(at, delta, eta) + curvature_term(at, delta, added) / 2


@with_own_settings
def step_size(
    network: Network,
    weights: Weights,
    X: Array,
    Y: Array,
    delta: Weights,
    *,
    tau: Array | float,
    eta: Array | float,
    check: bool = True,
) -> Array:
    """alpha* = -delta^T grad f / delta^T C delta, equations (39) and (40): where the model is least along delta. 0-d.

    Negative for a direction of ascent, such as the delta = C~^-1 grad f of (33); the step is alpha* delta. NaN if
    delta^T C delta is zero: the model has no minimum along it. Arguments and errors as in `curvature_along`.
    """
    at, delta, eta, added = _checked(network, weights, X, Y, delta, tau, eta, check)
    return quotient(at.xp, -directional_derivative(at, delta, eta), curvature_term(at, delta, added))


@with_own_settings
def reduction_ratio(
    network: Network,
    weights: Weights,
    X: Array,
    Y: Array,
    delta: Weights,
    *,
    tau: Array | float,
    eta: Array | float,
    check: bool = True,
) -> Array:
    """rho = (f(theta + delta) - f(theta)) / (model(delta) - model(0)), equation (42). 0-d.

    delta: the step itself, alpha* included. 1 where the model is exact; NaN where it says that nothing changes. Below 1
    for a step that the model takes to go down is a loss that went down less than the model said, or up if negative.
    Arguments and errors as in `curvature_along`.
    """
    at, delta, eta, added = _checked(network, weights, X, Y, delta, tau, eta, check)
    change_in_model = directional_derivative(at, delta, eta) + curvature_term(at, delta, added) / 2
    return quotient(at.xp, change_in_loss(at, delta, eta), change_in_model)
