"""Products of the block-diagonal Gauss-Newton matrix and Hessian with a vector, exact, without the blocks.

Each layer's V_l meets its own block alone: R{h_l} = a_{l-1} V_l^T goes forward from layer l to the outputs with all
other weights at rest, and comes back to layer l. The layers travel together: at layer m there are m of them, on a
leading axis, in the order 1, ..., m.
"""

from .._curvature.loss_and_factors import mean_gradient
from .._linearisation.arguments import checked, checked_layers, checked_split, checked_targets
from .._linearisation.passes import Forward, curving, forward, gradients, kernel
from .._network.network import Network
from .._network.objectives import OBJECTIVES
from .._network.output_hessian import OutputCurvature, OutputHessian
from .._types import Array, Arrays, Namespace, Weights
from ..backends import with_own_settings
from .full_matrix import Operator


def _forward(xp: Namespace, weights: Weights, trace: Forward, V: Arrays) -> Arrays:
    """R_m (m, N, D_m) for m = 1, ..., L: what R{h_l} = a_{l-1} V_l^T of the layers l <= m has become at layer m."""
    R = [(trace.inputs[0] @ V[0].T)[None, :, :]]
    for m, slope in enumerate(trace.slopes, start=1):
        own = trace.inputs[m] @ V[m].T
        R.append(xp.concat([(slope * R[-1]) @ kernel(weights[m]).T, own[None, :, :]], axis=0))
    return tuple(R)


def _operator(
    xp: Namespace, weights: Weights, trace: Forward, outputs: OutputHessian, bent: Arrays | None = None
) -> Operator:
    """V_l to 1/N sum_n (M_l R{h_l}) a_{l-1}^T, where M_l obeys the recursion (8), or (22) if nothing is bent."""

    def product(V: Arrays) -> Arrays:
        R = _forward(xp, weights, trace, V)
        carried = outputs.product(R[-1])
        own = [carried[-1, :, :]]
        for m in reversed(range(len(trace.slopes))):
            carried = trace.slopes[m] * (carried[:-1, :, :] @ kernel(weights[m + 1]))
            if bent is not None:
                carried = carried + bent[m] * R[m]
            own.append(carried[-1, :, :])
        return mean_gradient(trace, tuple(reversed(own)))

    return product


def gauss_newton_block_operator(xp: Namespace, weights: Weights, trace: Forward, outputs: OutputCurvature) -> Operator:
    """v to the block-diagonal Gauss-Newton matrix times v, from a forward pass and the curvature of its outputs."""
    return _operator(xp, weights, trace, outputs)


@with_own_settings
def gauss_newton_block_product(
    network: Network, weights: Weights, X: Array, Y: Array, V: Weights, *, check: bool = True
) -> Arrays:
    """`gauss_newton_blocks` times V, block by block: E[a_{l-1} a_{l-1}^T kron G_l] vec(V_l), in the shape of W_l.

    V: arrays of the shapes of the weights. Other arguments and errors as in `preactivation_gauss_newton`.
    """
    xp, weights, X = checked(network, weights, X, check=check)
    Y = checked_targets(network, X, Y, check=check)
    V = checked_layers(network, X, "V", V, check=check)
    split = checked_split(network)
    trace = forward(xp, network, weights, X)
    return gauss_newton_block_operator(xp, weights, trace, split.at(xp, trace.outputs, Y))(V)


@with_own_settings
def hessian_block_product(
    network: Network, weights: Weights, X: Array, Y: Array, V: Weights, *, check: bool = True
) -> Arrays:
    """`hessian_blocks` times V, block by block: E[a_{l-1} a_{l-1}^T kron H_l] vec(V_l), in the shape of W_l.

    V: arrays of the shapes of the weights. Other arguments and errors as in `loss`.
    """
    xp, weights, X = checked(network, weights, X, check=check)
    Y = checked_targets(network, X, Y, check=check)
    V = checked_layers(network, X, "V", V, check=check)
    trace = forward(xp, network, weights, X)
    bent = curving(xp, network, weights, trace, gradients(xp, network, weights, trace, Y))
    return _operator(xp, weights, trace, OBJECTIVES[network.objective].hessian(xp, trace.outputs, Y), bent)(V)
