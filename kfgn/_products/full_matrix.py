"""Products of the Jacobian, the Gauss-Newton matrix and the Hessian with a vector, without any of these matrices.

The vector V has a block V_l (D_l, D_{l-1} + 1) for each layer. The matrices are whole, across layers; see
`kfgn.block_products` for their diagonal blocks.
"""

from collections.abc import Callable
from typing import TypeAlias

from .._algebra.layerwise import plus
from .._curvature.loss_and_factors import mean_gradient
from .._linearisation.arguments import checked, checked_layers, checked_outputs, checked_split, checked_targets
from .._linearisation.passes import Forward, curving, forward, gradients
from .._linearisation.r_operator import backward_tangents, forward_tangents, mean_transposed_product
from .._network.network import Network
from .._network.objectives import OBJECTIVES
from .._network.output_hessian import OutputCurvature
from .._types import Array, Arrays, Namespace, Weights
from ..backends import with_own_settings

Operator: TypeAlias = Callable[[Arrays], Arrays]
"""v to A v for a matrix A that has its passes behind it, so that a product costs what depends on v and no more."""


def gauss_newton_operator(xp: Namespace, weights: Weights, trace: Forward, outputs: OutputCurvature) -> Operator:
    """v to 1/N sum_n J_n^T M_n J_n v, from a forward pass and the curvature of its outputs."""

    def product(V: Arrays) -> Arrays:
        rows = outputs.product(forward_tangents(xp, weights, trace, V).outputs)
        return mean_transposed_product(weights, trace, rows)

    return product


def hessian_operator(xp: Namespace, network: Network, weights: Weights, trace: Forward, Y: Array) -> Operator:
    """v to the Hessian of the mean loss times v, from a forward pass; the backward pass is made here, once."""
    outputs = OBJECTIVES[network.objective].hessian(xp, trace.outputs, Y)
    dE_dh = gradients(xp, network, weights, trace, Y)
    bent = curving(xp, network, weights, trace, dE_dh)

    def product(V: Arrays) -> Arrays:
        tangents = forward_tangents(xp, weights, trace, V)
        rows = outputs.product(tangents.outputs)
        R_dE_dh = backward_tangents(weights, trace, V, tangents, dE_dh, bent, rows)
        N = rows.shape[0]
        unit = xp.zeros_like(rows[:, :1])
        moved = tuple(d.T @ xp.concat([a, unit], axis=1) / N for d, a in zip(dE_dh, tangents.inputs, strict=True))
        return plus(mean_gradient(trace, R_dE_dh), moved)

    return product


@with_own_settings
def jacobian_product(network: Network, weights: Weights, X: Array, V: Weights, *, check: bool = True) -> Array:
    """R{h_L} = J_n v, (N, D_L): how the outputs of each datapoint move as the weights move in the direction V.

    V: arrays of the shapes of the weights, (D_l, D_{l-1} + 1). Other arguments and errors as in `loss`.
    """
    xp, weights, X = checked(network, weights, X, check=check)
    V = checked_layers(network, X, "V", V, check=check)
    return forward_tangents(xp, weights, forward(xp, network, weights, X), V).outputs


@with_own_settings
def transposed_jacobian_product(
    network: Network, weights: Weights, X: Array, U: Array, *, check: bool = True
) -> Arrays:
    """1/N sum_n J_n^T u_n, in the shapes of the weights: with U = dE/dh_L it is the gradient (3).

    U: (N, D_L). Other arguments and errors as in `loss`.
    """
    xp, weights, X = checked(network, weights, X, check=check)
    U = checked_outputs(network, X, "U", U, check=check)
    return mean_transposed_product(weights, forward(xp, network, weights, X), U)


@with_own_settings
def gauss_newton_product(
    network: Network, weights: Weights, X: Array, Y: Array, V: Weights, *, check: bool = True
) -> Arrays:
    """G v = 1/N sum_n J_n^T H_L J_n v with the whole Gauss-Newton matrix (13), in the shapes of the weights.

    V: arrays of the shapes of the weights. Other arguments and errors as in `preactivation_gauss_newton`.
    """
    xp, weights, X = checked(network, weights, X, check=check)
    Y = checked_targets(network, X, Y, check=check)
    V = checked_layers(network, X, "V", V, check=check)
    split = checked_split(network)
    trace = forward(xp, network, weights, X)
    return gauss_newton_operator(xp, weights, trace, split.at(xp, trace.outputs, Y))(V)


@with_own_settings
def hessian_product(
    network: Network, weights: Weights, X: Array, Y: Array, V: Weights, *, check: bool = True
) -> Arrays:
    """H v with the whole Hessian of `loss`, its terms in f'' included, in the shapes of the weights.

    V: arrays of the shapes of the weights. Other arguments and errors as in `loss`. At a kink of a transfer function
    the derivative is the left one.
    """
    xp, weights, X = checked(network, weights, X, check=check)
    Y = checked_targets(network, X, Y, check=check)
    V = checked_layers(network, X, "V", V, check=check)
    return hessian_operator(xp, network, weights, forward(xp, network, weights, X), Y)(V)
