"""The block-diagonal Hessian of Section 2.2, equations (4)-(10)."""

from .._algebra.matrices import diagonal
from .._linearisation.linearisation import Linearisation, linearise
from .._network.network import Network
from .._types import Array, Arrays, Weights
from ..backends import with_own_settings
from .recursion import mean_kron, outer, pull_back


def _recursion(at: Linearisation) -> Arrays:
    """(8) from H_L down to H_1, each (N, D_l, D_l)."""
    curved = at.second_derivative_terms(at.dE_dh())
    H = [at.output_hessian().matrix()]
    for l in reversed(range(at.network.depth - 1)):
        kernel = at.network.layers[l + 1].kernel(at.weights[l + 1])
        H.append(pull_back(H[-1], kernel, outer(at.forward.derivatives[l])) + diagonal(at.xp, curved[l]))
    return tuple(reversed(H))


@with_own_settings
def preactivation_hessians(network: Network, weights: Weights, X: Array, Y: Array, *, check: bool = True) -> Arrays:
    """d^2 E / dh_l^2 of each datapoint, (N, D_l, D_l), by the recursion (8)-(10):

        H_l = B_l W_{l+1}^T H_{l+1} W_{l+1} B_l + diag(f''(h_l) * dE/da_l),  B_l = diag(f'(h_l))

    Holds N matrices for each layer. Arguments and errors as in `loss`.
    """
    return _recursion(linearise(network, weights, X, Y, check=check))


@with_own_settings
def hessian_blocks(network: Network, weights: Weights, X: Array, Y: Array, *, check: bool = True) -> Arrays:
    """The diagonal blocks of the Hessian of `loss`, equation (7), exact, dense, mean over the N datapoints.

    E[(a_{l-1} a_{l-1}^T) kron H_l] for vec(W_l), columns stacked, with D_l (D_{l-1} + 1) rows: for small layers.
    Arguments and errors as in `loss`.
    """
    at = linearise(network, weights, X, Y, check=check)
    H = _recursion(at)
    return tuple(mean_kron(at.xp, a, H_l) for a, H_l in zip(at.forward.inputs, H, strict=True))
