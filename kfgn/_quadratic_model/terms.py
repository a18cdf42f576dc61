"""The terms of the quadratic model (32), each from passes that are there already: for whoever has them.

delta is a tuple of arrays of the shapes of the weights; eta and tau + eta are numbers or 0-d.
"""

from .._algebra.layerwise import inner, plus
from .._linearisation.passes import Forward, forward
from .._linearisation.r_operator import forward_tangents
from .._network.network import Network
from .._network.objectives import OBJECTIVES
from .._network.output_hessian import OutputCurvature
from .._types import Array, Arrays, Namespace
from ..backends import unit_roundoff


def regularised_gradient(weights: Arrays, gradient: Arrays, eta: Array | float) -> Arrays:
    """The gradient of f from that of the loss: grad loss + eta theta."""
    return plus(gradient, weights, eta)


def curvature_term(
    xp: Namespace, weights: Arrays, trace: Forward, outputs: OutputCurvature, delta: Arrays, added: Array | float
) -> Array:
    """delta^T C delta, 0-d: 1/N sum_n v_n^T H_n v_n + (tau + eta) |delta|^2 with v_n = J_n delta."""
    v = forward_tangents(xp, weights, trace, delta).outputs
    return xp.mean(outputs.quadratic(v)) + added * inner(xp, delta, delta)


def change_in_loss(
    xp: Namespace,
    network: Network,
    weights: Arrays,
    X: Array,
    Y: Array,
    delta: Arrays,
    trace: Forward,
    eta: Array | float,
) -> Array:
    """f(theta + delta) - f(theta), 0-d, from the forward pass at theta and one more.

    The mean of the differences of the datapoints, and not the difference of two means: a mean is rounded at the
    size of the loss, and near a minimum the change is of the size of that rounding. Likewise the L2 term is
    eta delta^T (theta + delta / 2), which has nothing to cancel.
    """
    value = OBJECTIVES[network.objective].value
    moved = forward(xp, network, plus(weights, delta), X)
    change = xp.mean(value(xp, moved.outputs, Y) - value(xp, trace.outputs, Y))
    return change + eta * inner(xp, delta, plus(weights, delta, 0.5))


def rounding_of(xp: Namespace, network: Network, trace: Forward, Y: Array, f: Array) -> Array:
    """u (|f| + 1/N sum_n |h_n|^T |dE_n/dh_n|), 0-d: the change of f by one rounding of f and of each output h."""
    slopes = OBJECTIVES[network.objective].gradient(xp, trace.outputs, Y)
    outputs = xp.mean(xp.sum(xp.abs(trace.outputs * slopes), axis=-1))
    return unit_roundoff(f) * (xp.abs(f) + outputs)
