"""Appendix C.2 and C.3: the step along a direction, equations (39)-(41), and the error of the model, (42), (43).

The minimised function is f = loss + eta / 2 |theta|^2, where theta includes the biases. All quantities belong to the
same batch. Misprint: (39)-(42) write C-tilde. The text and (41) need the full Gauss-Newton matrix of the batch: C-bar =
G-bar + (tau + eta) I.

>>> from kfgn_reference import gradient, reduction_ratio, step
>>> from kfgn_reference._example import X, Y, net
>>> delta = step(net, X, Y, gradient(net, X, Y), tau=1.0, eta=0.0)
>>> round(float(reduction_ratio(net, X, Y, delta, tau=1.0, eta=0.0)), 6)
1.011395
"""

from typing import Any

from ._batch import datapoints
from ._expectation import mean
from ._gradient import gradient
from ._network import Network, forward
from ._objectives import loss
from ._outputs import output_gauss_newton
from ._quadratic import quadratic_model
from ._r_operator import jacobian_product
from ._types import Array, PerLayer
from ._vectors import dot, moved, scaled, theta, weights


def regularised_loss(net: Network, X: Array, Y: Array, eta: Any) -> Any:
    """f(theta) = loss + eta / 2 |theta|^2, a scalar."""
    return loss(net, X, Y) + eta * dot(weights(net), weights(net)) / 2


def regularised_gradient(net: Network, X: Array, Y: Array, eta: Any) -> PerLayer:
    """grad f = gradient + eta theta, layer by layer."""
    g, W = gradient(net, X, Y), weights(net)
    return {l: g[l] + eta * W[l] for l in g}


def curvature_along(net: Network, X: Array, Y: Array, delta: PerLayer, tau: Any, eta: Any) -> Any:
    """Equation (41): delta^T C-bar delta = 1/N sum_n v_n^T script G_L v_n + (tau + eta) delta^T delta, v = J delta.

    The R-operator gives J delta, without a matrix over the parameters. Misprint: Algorithm 1 omits the mean over n.
    """

    def of_datapoint(x: Array, y: Any) -> Any:
        v = jacobian_product(net, x, delta)
        return v @ output_gauss_newton(net, forward(net, x)[1][net.L], y) @ v

    return mean(of_datapoint(x, y) for x, y in datapoints(net, X, Y)) + (tau + eta) * dot(delta, delta)


def model_along(net: Network, X: Array, Y: Array, delta: PerLayer, tau: Any, eta: Any) -> Any:
    """f + delta^T grad f + delta^T C-bar delta / 2, the model (32) at delta under C-bar."""
    f, g = regularised_loss(net, X, Y, eta), regularised_gradient(net, X, Y, eta)
    return f + dot(delta, g) + curvature_along(net, X, Y, delta, tau, eta) / 2


def step_size(net: Network, X: Array, Y: Array, delta: PerLayer, tau: Any, eta: Any) -> Any:
    """Equations (39), (40): alpha = -delta^T grad f / delta^T C-bar delta, the minimiser of the model along delta.

    alpha is negative for the uphill direction (33). At a stationary point delta = 0, and alpha is 0/0.
    """
    g = regularised_gradient(net, X, Y, eta)
    return -dot(delta, g) / curvature_along(net, X, Y, delta, tau, eta)


def step(net: Network, X: Array, Y: Array, delta: PerLayer, tau: Any, eta: Any) -> PerLayer:
    """Equation (40): delta_* = alpha delta."""
    return scaled(step_size(net, X, Y, delta, tau, eta), delta)


def changes(net: Network, X: Array, Y: Array, delta: PerLayer, tau: Any, eta: Any) -> tuple[Any, Any]:
    """Numerator and denominator of (42): the change of f by delta, and the change of the model under C-bar."""
    change = regularised_loss(moved(net, delta), X, Y, eta) - regularised_loss(net, X, Y, eta)
    g = regularised_gradient(net, X, Y, eta)
    return change, dot(delta, g) + curvature_along(net, X, Y, delta, tau, eta) / 2


def reduction_ratio(net: Network, X: Array, Y: Array, delta: PerLayer, tau: Any, eta: Any) -> Any:
    """Equation (42): rho = (f(theta + delta) - f(theta)) / (model(delta) - model(0)), at a step delta = delta_*.

    The two differences in (42) are negative for a good step, and rho = 1 for an exact model. Misprint: the text says
    that rho < 1 means a lower f than the model predicts. The denominator is negative, so rho < 1 means a higher f than
    the model predicts.
    """
    change, change_in_model = changes(net, X, Y, delta, tau, eta)
    return change / change_in_model


def models(
    net: Network, X: Array, Y: Array, delta: PerLayer, C_tilde: Array, tau: Any, eta: Any
) -> tuple[Any, Any, Any]:
    """Equation (43): f(theta + delta), its model under C-bar, and its model under a block-diagonal C-tilde.

    tau controls the difference of the first two values. gamma, a part of the damping in C-tilde, controls the
    difference of the last two values.
    """
    f, g = regularised_loss(net, X, Y, eta), regularised_gradient(net, X, Y, eta)
    return (
        regularised_loss(moved(net, delta), X, Y, eta),
        model_along(net, X, Y, delta, tau, eta),
        quadratic_model(f, theta(g), C_tilde, theta(delta)),
    )
