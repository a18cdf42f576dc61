"""Products of the block-diagonal Gauss-Newton matrix and Hessian with a vector, exact, without the blocks.

Each layer's V_l meets its own block alone: R{h_l} = a_{l-1} V_l^T goes forward from layer l to the outputs with all
other weights at rest, and comes back to layer l. The layers travel together: at layer m there are m of them, on a
leading axis, in the order 1, ..., m.
"""

from .._algebra.conjugate_gradient import Operator
from .._linearisation.arguments import checked_layers
from .._linearisation.linearisation import (
    GaussNewtonLinearisation,
    Linearisation,
    linearise,
    linearise_for_gauss_newton,
)
from .._network.network import Network
from .._network.output_hessian import OutputHessian
from .._types import Array, Arrays, Weights
from ..backends import with_own_settings


def _forward(at: Linearisation, V: Arrays) -> Arrays:
    """R_m (m, N, D_m) for m = 1, ..., L: the tangents at layer m of R{h_l} = V_l a_{l-1} of the layers l <= m."""
    layers, inputs = at.network.layers, at.forward.inputs
    R = [layers[0].preactivations(V[0], inputs[0])[None, :, :]]
    for m, derivative in enumerate(at.forward.derivatives, start=1):
        own = layers[m].preactivations(V[m], inputs[m])
        below = layers[m].preactivation_tangents(at.weights[m], derivative * R[-1])
        R.append(at.xp.concat([below, own[None, :, :]], axis=0))
    return tuple(R)


def _operator(at: Linearisation, outputs: OutputHessian, curved: Arrays | None = None) -> Operator:
    """V_l to 1/N sum_n (M_l R{h_l}) a_{l-1}^T, where M_l obeys the recursion (8), or (22) without the terms in f''."""
    layers, derivatives = at.network.layers, at.forward.derivatives

    def product(V: Arrays) -> Arrays:
        R = _forward(at, V)
        carried = outputs.product(R[-1])
        own = [carried[-1, :, :]]
        for m in reversed(range(len(derivatives))):
            carried = derivatives[m] * layers[m + 1].pulled_back(at.weights[m + 1], carried[:-1, :, :])
            if curved is not None:
                carried = carried + curved[m] * R[m]
            own.append(carried[-1, :, :])
        return at.mean_gradient(tuple(reversed(own)))

    return product


def gauss_newton_block_operator(at: GaussNewtonLinearisation) -> Operator:
    """v to the block-diagonal Gauss-Newton matrix times v, from one forward pass for all products."""
    return _operator(at, at.output_curvature)


def hessian_block_operator(at: Linearisation) -> Operator:
    """v to the block-diagonal Hessian times v, from one forward and one backward pass for all products."""
    return _operator(at, at.output_hessian(), at.second_derivative_terms(at.dE_dh()))


@with_own_settings
def gauss_newton_block_product(
    network: Network, weights: Weights, X: Array, Y: Array, V: Weights, *, check: bool = True
) -> Arrays:
    """`gauss_newton_blocks` times V, block by block: E[a_{l-1} a_{l-1}^T kron G_l] vec(V_l), in the shape of W_l.

    V: arrays of the shapes of the weights. Other arguments and errors as in `preactivation_gauss_newton`.
    """
    at = linearise_for_gauss_newton(network, weights, X, Y, check=check)
    V = checked_layers(network, X, "V", V, check=check)
    return gauss_newton_block_operator(at)(V)


@with_own_settings
def hessian_block_product(
    network: Network, weights: Weights, X: Array, Y: Array, V: Weights, *, check: bool = True
) -> Arrays:
    """`hessian_blocks` times V, block by block: E[a_{l-1} a_{l-1}^T kron H_l] vec(V_l), in the shape of W_l.

    V: arrays of the shapes of the weights. Other arguments and errors as in `loss`.
    """
    at = linearise(network, weights, X, Y, check=check)
    V = checked_layers(network, X, "V", V, check=check)
    return hessian_block_operator(at)(V)
