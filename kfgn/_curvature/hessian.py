"""The block-diagonal Hessian of Section 2.2, equations (4)-(10)."""

from .._algebra.matrices import diagonal
from .._linearisation.arguments import checked, checked_targets
from .._linearisation.passes import Forward, curving, forward, gradients
from .._network.network import Network
from .._network.objectives import OBJECTIVES
from .._types import Array, Arrays, Namespace, Weights
from ..backends import with_own_settings
from .recursion import mean_kron, outer, pull_back


def _recursion(xp: Namespace, network: Network, weights: Weights, trace: Forward, Y: Array) -> Arrays:
    """(8) from H_L down to H_1, each (N, D_l, D_l)."""
    dE_dh = gradients(xp, network, weights, trace, Y)
    bent = curving(xp, network, weights, trace, dE_dh)
    H = [OBJECTIVES[network.objective].hessian(xp, trace.outputs, Y).matrix()]
    for l in reversed(range(network.depth - 1)):
        H.append(pull_back(H[-1], weights[l + 1], outer(trace.slopes[l])) + diagonal(xp, bent[l]))
    return tuple(reversed(H))


@with_own_settings
def preactivation_hessians(network: Network, weights: Weights, X: Array, Y: Array, *, check: bool = True) -> Arrays:
    """d^2 E / dh_l^2 of each datapoint, (N, D_l, D_l), by the recursion (8)-(10):

        H_l = B_l W_{l+1}^T H_{l+1} W_{l+1} B_l + diag(f''(h_l) * dE/da_l),  B_l = diag(f'(h_l))

    Holds N matrices for each layer. Arguments and errors as in `loss`.
    """
    xp, weights, X = checked(network, weights, X, check=check)
    Y = checked_targets(network, X, Y, check=check)
    return _recursion(xp, network, weights, forward(xp, network, weights, X), Y)


@with_own_settings
def hessian_blocks(network: Network, weights: Weights, X: Array, Y: Array, *, check: bool = True) -> Arrays:
    """The diagonal blocks of the Hessian of `loss`, equation (7), exact, dense, mean over the N datapoints.

    E[(a_{l-1} a_{l-1}^T) kron H_l] for vec(W_l), columns stacked, with D_l (D_{l-1} + 1) rows: for small layers.
    Arguments and errors as in `loss`.
    """
    xp, weights, X = checked(network, weights, X, check=check)
    Y = checked_targets(network, X, Y, check=check)
    trace = forward(xp, network, weights, X)
    H = _recursion(xp, network, weights, trace, Y)
    return tuple(mean_kron(xp, a, H_l) for a, H_l in zip(trace.inputs, H, strict=True))
