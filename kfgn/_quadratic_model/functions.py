"""The quadratic model (32) of the regularised loss, with the full Gauss-Newton matrix of the batch, and what it says.

    f(theta) = loss + eta/2 |theta|^2, biases included
    model(delta) = f(theta) + delta^T grad f + 1/2 delta^T C delta,  C = G + (tau + eta) I

One batch for all of it: the gradient, the curvature and both losses. Each of the sums below is of at most one
forward pass, one more of tangents or weights, and one back.
"""

from typing import NamedTuple

from .._algebra.layerwise import inner, quotient
from .._curvature.loss_and_factors import mean_gradient, mean_loss
from .._linearisation.arguments import checked, checked_layers, checked_split, checked_targets
from .._linearisation.passes import Forward, forward, gradients
from .._network.network import Network
from .._network.output_hessian import OutputCurvature
from .._types import Array, Arrays, Namespace, Weights
from .._validation.representable import in_dtype
from .._validation.scalars import checked_scalar
from ..backends import with_own_settings
from .terms import change_in_loss, curvature_term, regularised_gradient


class Batch(NamedTuple):
    """What the public functions share: their arguments in order, and the forward pass.

    regular: eta, and added: tau + eta, each a number or 0-d.
    """

    xp: Namespace
    network: Network
    weights: Arrays
    X: Array
    Y: Array
    delta: Arrays
    regular: Array | float
    added: Array | float
    trace: Forward
    outputs: OutputCurvature


def _batch(
    network: Network,
    weights: Weights,
    X: Array,
    Y: Array,
    delta: Weights,
    tau: Array | float,
    eta: Array | float,
    check: bool,
) -> Batch:
    xp, weights, X = checked(network, weights, X, check=check)
    Y = checked_targets(network, X, Y, check=check)
    delta = checked_layers(network, X, "delta", delta, check=check)
    split = checked_split(network)
    tau, eta = checked_scalar("tau", tau, X, check=check), checked_scalar("eta", eta, X, check=check)
    for name, value in (("tau", tau), ("eta", eta), ("tau + eta", tau + eta)):
        in_dtype(name, value, X, check=check)
    trace = forward(xp, network, weights, X)
    return Batch(xp, network, weights, X, Y, delta, eta, tau + eta, trace, split.at(xp, trace.outputs, Y))


def _slope(b: Batch) -> Array:
    """delta^T grad f."""
    gradient = mean_gradient(b.trace, gradients(b.xp, b.network, b.weights, b.trace, b.Y))
    return inner(b.xp, b.delta, regularised_gradient(b.weights, gradient, b.regular))


def _curvature(b: Batch) -> Array:
    return curvature_term(b.xp, b.weights, b.trace, b.outputs, b.delta, b.added)


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
    return _curvature(_batch(network, weights, X, Y, delta, tau, eta, check))


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
    b = _batch(network, weights, X, Y, delta, tau, eta, check)
    f = mean_loss(b.xp, network, b.trace, b.Y) + b.regular * inner(b.xp, b.weights, b.weights) / 2
    return f + _slope(b) + _curvature(b) / 2


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
    b = _batch(network, weights, X, Y, delta, tau, eta, check)
    return quotient(b.xp, -_slope(b), _curvature(b))


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
    b = _batch(network, weights, X, Y, delta, tau, eta, check)
    change = change_in_loss(b.xp, network, b.weights, b.X, b.Y, b.delta, b.trace, b.regular)
    return quotient(b.xp, change, _slope(b) + _curvature(b) / 2)
