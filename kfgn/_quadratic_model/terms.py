"""Terms of the quadratic model (32), the change of f, and the rounding error of f, for a linearised batch.

f is the regularised loss, loss + eta/2 |theta|^2. delta is a tuple of arrays of the shapes of the weights. eta and
tau + eta are numbers or 0-d arrays.
"""

from .._algebra.layerwise import inner, plus
from .._linearisation.linearisation import GaussNewtonLinearisation, Linearisation
from .._linearisation.r_operator import forward_tangents
from .._types import Array, Arrays
from ..backends import unit_roundoff


def regularised_gradient(weights: Arrays, gradient: Arrays, eta: Array | float) -> Arrays:
    """The gradient of f = loss + eta/2 |theta|^2 from the gradient of the loss: grad loss + eta theta."""
    return plus(gradient, weights, eta)


def directional_derivative(at: Linearisation, delta: Arrays, eta: Array | float) -> Array:
    """delta^T grad f, 0-d."""
    return inner(at.xp, delta, regularised_gradient(at.weights, at.mean_gradient(at.dE_dh()), eta))


def curvature_term(at: GaussNewtonLinearisation, delta: Arrays, added: Array | float) -> Array:
    """delta^T C delta, 0-d: 1/N sum_n v_n^T H_L v_n + (tau + eta) |delta|^2 with v_n = J_n delta."""
    v = forward_tangents(at, delta).outputs
    return at.mean_over_datapoints(at.output_curvature.quadratic(v)) + added * inner(at.xp, delta, delta)


def change_in_loss(at: Linearisation, delta: Arrays, eta: Array | float) -> Array:
    """f(theta + delta) - f(theta), 0-d, from one forward pass at theta and one at theta + delta.

    The change of the loss is computed as the mean of the changes per datapoint. A difference of two means would have a
    rounding error proportional to the loss, and near a minimum the change of f is as small as this rounding error. The
    L2 term is computed as eta delta^T (theta + delta / 2), without cancellation.
    """
    moved = at.moved(plus(at.weights, delta))
    change = at.mean_over_datapoints(moved.losses() - at.losses())
    return change + eta * inner(at.xp, delta, plus(at.weights, delta, 0.5))


def rounding_of(at: Linearisation, f: Array) -> Array:
    """The rounding error of f, 0-d: u (|f| + 1/N sum_n |h_n|^T |dE_n/dh_n|) with the unit roundoff u.

    The value is the largest change of f, to first order, if f and the outputs h_n of each datapoint are rounded once.
    """
    outputs = at.mean_over_datapoints(at.xp.sum(at.xp.abs(at.outputs * at.output_gradient()), axis=-1))
    return unit_roundoff(f) * (at.xp.abs(f) + outputs)
