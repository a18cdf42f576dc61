"""Products of the Jacobian, the Gauss-Newton matrix and the Hessian with a vector, without forming these matrices.

The vector v is a tuple V with an array V_l of the shape of W_l for each layer with weights. The module
`diagonal_blocks` computes products with the diagonal blocks of the Gauss-Newton matrix and of the Hessian.
"""

from .._algebra.conjugate_gradient import Operator
from .._algebra.layerwise import plus
from .._documentation import with_shared_text
from .._linearisation.arguments import checked, checked_layers, checked_outputs
from .._linearisation.linearisation import (
    GaussNewtonLinearisation,
    Linearisation,
    checked_batch,
    linearised,
    linearised_for_gauss_newton,
)
from .._linearisation.r_operator import backward_tangents, forward_tangents, input_tangents, mean_transposed_product
from .._network.network import Network
from .._types import Array, Arrays, Weights
from ..backends import with_own_settings


def gauss_newton_operator(at: GaussNewtonLinearisation) -> Operator:
    """The operator v -> 1/N sum_n J_n^T H_L J_n v. All products share one forward pass."""

    def product(V: Arrays) -> Arrays:
        return mean_transposed_product(at, at.output_curvature.product(forward_tangents(at, V).outputs))

    return product


def hessian_operator(at: Linearisation) -> Operator:
    """The operator v -> H v, where H is the Hessian of the mean loss.

    All products share one forward and one backward pass.
    """
    hessian, dE_dh = at.output_hessian(), at.dE_dh()
    second_terms = at.second_derivative_terms(dE_dh)

    def product(V: Arrays) -> Arrays:
        tangents = forward_tangents(at, V)
        R_dE_dh = backward_tangents(at, V, tangents, dE_dh, second_terms, hessian.product(tangents.outputs))
        return plus(at.mean_gradient(R_dE_dh), at.mean_gradient(dE_dh, input_tangents(at, tangents)))

    return product


@with_own_settings
@with_shared_text
def jacobian_product(network: Network, weights: Weights, X: Array, V: Weights, *, check: bool = True) -> Array:
    """The product J_n v of the Jacobian of the outputs with a vector, for each datapoint.

    Parameters
    ----------
    {network}
    {weights}
    {X}
    {V}
    {check}

    Returns
    -------
    array, shape (N, D_L)
        J_n v, the derivative of h_L of each datapoint along the direction V of the weights. If the outputs have
        positions, the shape is (N, T, D_L) or (N, H, W, D_L).

    Raises
    ------
    {errors}

    Notes
    -----
    Let R{x} be the derivative of x along V. The derivative J_n v = R{h_L} is computed in one forward pass and one pass
    of the tangents R{x}::

        R{h_l} = V_l a_{l-1} + W_l R{a_{l-1}},  R{a_l} = f'(h_l) * R{h_l}

    Examples
    --------
    {example}
    >>> print(kfgn.jacobian_product(network, weights, X, V=weights).round(3))
    [[-0.206  1.648]
     [ 0.779  1.433]
     [ 0.224  1.849]]
    """
    weights, X = checked(network, weights, X, check=check)
    V = checked_layers(network, X, "V", V, check=check)
    at = linearised(network, weights, X, None)
    return at.by_datapoint(forward_tangents(at, V).outputs)


@with_own_settings
@with_shared_text
def transposed_jacobian_product(
    network: Network, weights: Weights, X: Array, U: Array, *, check: bool = True
) -> Arrays:
    """The mean over the datapoints of J_n^T u_n, the transposed Jacobian of the outputs times a vector u_n.

    Parameters
    ----------
    {network}
    {weights}
    {X}
    U : array, shape (N, D_L)
        One vector u_n per datapoint, in the dtype of the weights. If the outputs have positions, the shape is
        (N, T, D_L) or (N, H, W, D_L).
    {check}

    Returns
    -------
    tuple of L arrays
        1/N sum_n J_n^T u_n, in the shapes of the weights. For U = dE/dh_L, the result is the gradient (3).

    Raises
    ------
    {errors}

    Notes
    -----
    The cost is one forward and one backward pass.

    Examples
    --------
    {example}
    >>> print(kfgn.transposed_jacobian_product(network, weights, X, U=np.ones((3, 2)))[0].round(3))
    [[-0.149  0.188 -0.356]
     [-0.226  0.004 -0.273]
     [ 0.051 -0.064  0.092]]
    """
    weights, X = checked(network, weights, X, check=check)
    U = checked_outputs(network, X, "U", U, check=check)
    at = linearised(network, weights, X, None)
    return mean_transposed_product(at, at.xp.reshape(U, (-1, U.shape[-1])) if network.has_positions else U)


@with_own_settings
@with_shared_text
def gauss_newton_product(
    network: Network, weights: Weights, X: Array, Y: Array, V: Weights, *, check: bool = True
) -> Arrays:
    """The product of the full Gauss-Newton matrix (13) with a vector, without forming the matrix.

    Parameters
    ----------
    {network}
    {weights}
    {X}
    {Y}
    {V}
    {check}

    Returns
    -------
    tuple of L arrays
        1/N sum_n J_n^T H_L J_n v, in the shapes of the weights, where J_n is the Jacobian of the outputs of datapoint n
        with respect to all weights. `network.psd` chooses the matrix that replaces an indefinite H_L.

    Raises
    ------
    {gauss_newton_errors}

    Notes
    -----
    The cost is one forward pass, one pass of tangents (the derivatives of h_l along V) and one backward pass.

    Examples
    --------
    {example}
    >>> print(kfgn.gauss_newton_product(network, weights, X, Y, V=weights)[0].round(3))
    [[ 0.051 -0.072  0.124]
     [ 0.15  -0.016  0.236]
     [ 0.048 -0.071  0.095]]
    """
    _, X, _ = batch = checked_batch(network, weights, X, Y, check=check)
    V = checked_layers(network, X, "V", V, check=check)
    return gauss_newton_operator(linearised_for_gauss_newton(network, *batch))(V)


@with_own_settings
@with_shared_text
def hessian_product(
    network: Network, weights: Weights, X: Array, Y: Array, V: Weights, *, check: bool = True
) -> Arrays:
    """The product of the full Hessian of `loss` with a vector, without forming the matrix.

    Parameters
    ----------
    {network}
    {weights}
    {X}
    {Y}
    {V}
    {check}

    Returns
    -------
    tuple of L arrays
        H v, in the shapes of the weights.

    Raises
    ------
    {errors}

    Notes
    -----
    H v is the derivative of the gradient along the direction V. Let R{x} be the derivative of x along V. The backward
    pass of these tangents is::

        R{dE/da_l} = W_{l+1}^T R{dE/dh_{l+1}} + V_{l+1}^T dE/dh_{l+1}
        R{dE/dh_l} = f'(h_l) * R{dE/da_l} + f''(h_l) * dE/da_l * R{h_l}

    The cost is a forward and a backward pass, each with a pass of tangents. At a kink of a transfer function the
    derivative is the left derivative.

    Examples
    --------
    {example}
    >>> print(kfgn.hessian_product(network, weights, X, Y, V=weights)[0].round(3))
    [[ 0.205 -0.309  0.416]
     [ 0.109 -0.371  0.384]
     [ 0.161 -0.186  0.269]]
    """
    _, X, _ = batch = checked_batch(network, weights, X, Y, check=check)
    V = checked_layers(network, X, "V", V, check=check)
    return hessian_operator(linearised(network, *batch))(V)
