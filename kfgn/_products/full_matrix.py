"""Products of the Jacobian, the Gauss-Newton matrix and the Hessian with a vector, without any of these matrices.

The vector V has a block V_l of the shape of W_l for each layer. The matrices are the full ones, across layers;
`diagonal_blocks` has the products with their diagonal blocks.
"""

from .._algebra.conjugate_gradient import Operator
from .._algebra.layerwise import plus
from .._linearisation.arguments import checked_layers, checked_outputs
from .._linearisation.linearisation import (
    GaussNewtonLinearisation,
    Linearisation,
    linearise,
    linearise_for_gauss_newton,
    linearise_without_targets,
)
from .._linearisation.r_operator import backward_tangents, forward_tangents, mean_transposed_product
from .._network.network import Network
from .._types import Array, Arrays, Weights
from ..backends import with_own_settings


def gauss_newton_operator(at: GaussNewtonLinearisation) -> Operator:
    """v to 1/N sum_n J_n^T H_L J_n v, from one forward pass for all products."""

    def product(V: Arrays) -> Arrays:
        return mean_transposed_product(at, at.output_curvature.product(forward_tangents(at, V).outputs))

    return product


def hessian_operator(at: Linearisation) -> Operator:
    """v to the Hessian of the mean loss times v, from one forward and one backward pass for all products."""
    hessian, dE_dh = at.output_hessian(), at.dE_dh()
    curved = at.second_derivative_terms(dE_dh)

    def product(V: Arrays) -> Arrays:
        tangents = forward_tangents(at, V)
        R_dE_dh = backward_tangents(at, V, tangents, dE_dh, curved, hessian.product(tangents.outputs))
        parts = zip(at.network.layers, dE_dh, tangents.inputs, strict=True)
        moved = tuple(layer.mean_gradient(d, layer.input_tangents(at.xp, R_a)) for layer, d, R_a in parts)
        return plus(at.mean_gradient(R_dE_dh), moved)

    return product


@with_own_settings
def jacobian_product(network: Network, weights: Weights, X: Array, V: Weights, *, check: bool = True) -> Array:
    """R{h_L} = J_n v, (N, D_L): how the outputs of each datapoint move as the weights move in the direction V.

    V: arrays of the shapes of the weights, (D_l, D_{l-1} + 1). Other arguments and errors as in `loss`.
    """
    at = linearise_without_targets(network, weights, X, check=check)
    return forward_tangents(at, checked_layers(network, X, "V", V, check=check)).outputs


@with_own_settings
def transposed_jacobian_product(
    network: Network, weights: Weights, X: Array, U: Array, *, check: bool = True
) -> Arrays:
    """1/N sum_n J_n^T u_n, in the shapes of the weights: with U = dE/dh_L it is the gradient (3).

    U: (N, D_L). Other arguments and errors as in `loss`.
    """
    at = linearise_without_targets(network, weights, X, check=check)
    return mean_transposed_product(at, checked_outputs(network, X, "U", U, check=check))


@with_own_settings
def gauss_newton_product(
    network: Network, weights: Weights, X: Array, Y: Array, V: Weights, *, check: bool = True
) -> Arrays:
    """G v = 1/N sum_n J_n^T H_L J_n v with the whole Gauss-Newton matrix (13), in the shapes of the weights.

    V: arrays of the shapes of the weights. Other arguments and errors as in `preactivation_gauss_newton`.
    """
    at = linearise_for_gauss_newton(network, weights, X, Y, check=check)
    V = checked_layers(network, X, "V", V, check=check)
    return gauss_newton_operator(at)(V)


@with_own_settings
def hessian_product(
    network: Network, weights: Weights, X: Array, Y: Array, V: Weights, *, check: bool = True
) -> Arrays:
    """H v with the whole Hessian of `loss`, its terms in f'' included, in the shapes of the weights.

    V: arrays of the shapes of the weights. Other arguments and errors as in `loss`. At a kink of a transfer function
    the derivative is the left one.
    """
    at = linearise(network, weights, X, Y, check=check)
    V = checked_layers(network, X, "V", V, check=check)
    return hessian_operator(at)(V)
