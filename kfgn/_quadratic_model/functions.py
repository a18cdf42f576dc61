"""The quadratic model (32) of the regularised loss, with the full Gauss-Newton matrix G of the batch.

    f(theta) = loss + eta/2 |theta|^2,  where theta includes the biases
    model(delta) = f(theta) + delta^T grad f + 1/2 delta^T C delta,  C = G + (tau + eta) I

The gradient, the curvature, and the losses at theta and at theta + delta belong to the same batch.
"""

from .._algebra.layerwise import inner, quotient
from .._documentation import with_shared_text
from .._linearisation.arguments import checked_layers
from .._linearisation.inputs import dtype_name
from .._linearisation.linearisation import GaussNewtonLinearisation, checked_batch, linearised_for_gauss_newton
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
    """Check the arguments. Return the linearised batch, delta, eta and tau + eta."""
    (W_1, *_), X, _ = batch = checked_batch(network, weights, X, Y, check=check)
    delta = checked_layers(network, X, "delta", delta, check=check)
    of = dtype_name(network)
    tau, eta = (checked_scalar(name, k, W_1, check=check, of=of) for name, k in (("tau", tau), ("eta", eta)))
    for name, value in (("tau", tau), ("eta", eta), ("tau + eta", tau + eta)):
        checked_representable(name, value, W_1, check=check)
    return linearised_for_gauss_newton(network, *batch), delta, eta, tau + eta


@with_own_settings
@with_shared_text
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
    """The curvature delta^T C delta of the quadratic model (32) along a direction, equation (41).

    Parameters
    ----------
    {network}
    {weights}
    {X}
    {Y}
    {delta}
    {tau}
    {eta}
    {check}

    Returns
    -------
    array, shape ()
        delta^T C delta with C = G + (tau + eta) I and the full Gauss-Newton matrix G (13) of the batch.

    Raises
    ------
    {gauss_newton_errors}

    Notes
    -----
    Let v_n = J_n delta be the derivative of the outputs h_L of datapoint n along delta. The result is::

        1/N sum_n v_n^T H_L v_n + (tau + eta) |delta|^2

    The cost is one forward pass, and one pass of tangents for the v_n.

    Examples
    --------
    {example}
    >>> delta = [-g for g in kfgn.gradient(network, weights, X, Y)]
    >>> print(kfgn.curvature_along(network, weights, X, Y, delta, tau=0.1, eta=0.01).round(4))
    0.2363
    """
    at, delta, eta, added = _checked(network, weights, X, Y, delta, tau, eta, check)
    return curvature_term(at, delta, added)


@with_own_settings
@with_shared_text
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
    """The quadratic model (32) of the regularised loss f at theta + delta.

    Parameters
    ----------
    {network}
    {weights}
    {X}
    {Y}
    {delta}
    {tau}
    {eta}
    {check}

    Returns
    -------
    array, shape ()
        f(theta) + delta^T grad f + 1/2 delta^T C delta with f = loss + eta/2 |theta|^2 and C = G + (tau + eta) I.

    Raises
    ------
    {gauss_newton_errors}

    Notes
    -----
    G is the full Gauss-Newton matrix (13) of the batch. The cost is one forward pass, one pass of tangents (the
    derivatives of h_L along delta) and one backward pass.

    Examples
    --------
    {example}
    >>> delta = [-g for g in kfgn.gradient(network, weights, X, Y)]
    >>> print(kfgn.quadratic_model(network, weights, X, Y, delta, tau=0.1, eta=0.01).round(4))
    0.3844
    """
    at, delta, eta, added = _checked(network, weights, X, Y, delta, tau, eta, check)
    f = at.loss() + eta * inner(at.xp, at.weights, at.weights) / 2
    return f + directional_derivative(at, delta, eta) + curvature_term(at, delta, added) / 2


@with_own_settings
@with_shared_text
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
    """The step size alpha that minimises the quadratic model (32) along a direction, equations (39) and (40).

    Parameters
    ----------
    {network}
    {weights}
    {X}
    {Y}
    {delta}
    {tau}
    {eta}
    {check}

    Returns
    -------
    array, shape ()
        alpha = -delta^T grad f / delta^T C delta. The step is alpha delta. alpha is NaN if delta^T C delta is zero,
        since the model then has no single minimum along delta.

    Raises
    ------
    {gauss_newton_errors}

    Notes
    -----
    f = loss + eta/2 |theta|^2, and C = G + (tau + eta) I with the full Gauss-Newton matrix G (13) of the batch. alpha
    is negative if f increases along delta. For example, alpha is negative for delta = C^-1 grad f of (33). The cost is
    one forward pass, one pass of tangents (the derivatives of h_L along delta) and one backward pass.

    Examples
    --------
    {example}
    >>> delta = [-g for g in kfgn.gradient(network, weights, X, Y)]
    >>> print(kfgn.step_size(network, weights, X, Y, delta, tau=0.1, eta=0.01).round(3))
    2.248
    """
    at, delta, eta, added = _checked(network, weights, X, Y, delta, tau, eta, check)
    return quotient(at.xp, -directional_derivative(at, delta, eta), curvature_term(at, delta, added))


@with_own_settings
@with_shared_text
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
    """The ratio rho of the change of the regularised loss f to the change of the quadratic model, equation (42).

    Parameters
    ----------
    {network}
    {weights}
    {X}
    {Y}
    {delta}
    {tau}
    {eta}
    {check}

    Returns
    -------
    array, shape ()
        rho = (f(theta + delta) - f(theta)) / (model(delta) - model(0)). rho is NaN if the change of the model is zero.

    Raises
    ------
    {gauss_newton_errors}

    Notes
    -----
    delta is the full change of the weights, with the step size included. f is loss + eta/2 |theta|^2, and
    `quadratic_model` computes model(delta). rho is 1 if the model is exact. For a step along which the model decreases,
    rho < 1 means that f fell by less than the model predicted, and rho < 0 means that f rose. The cost is two forward
    passes, one pass of tangents (the derivatives of h_L along delta) and one backward pass.

    Examples
    --------
    {example}
    >>> delta = [-g for g in kfgn.gradient(network, weights, X, Y)]
    >>> print(kfgn.reduction_ratio(network, weights, X, Y, delta, tau=0.1, eta=0.01).round(3))
    0.916
    """
    at, delta, eta, added = _checked(network, weights, X, Y, delta, tau, eta, check)
    change_in_model = directional_derivative(at, delta, eta) + curvature_term(at, delta, added) / 2
    return quotient(at.xp, change_in_loss(at, delta, eta), change_in_model)
