"""The exact Gauss-Newton matrix of Section 3, block by block, equations (12)-(16), (19) and (22)."""

from .._linearisation.linearisation import GaussNewtonLinearisation, linearise_for_gauss_newton
from .._network.network import Network
from .._types import Array, Arrays, Weights
from ..backends import with_own_settings
from .recursion import mean_kron, outer, pull_back


def _recursion(at: GaussNewtonLinearisation) -> Arrays:
    """(22) from G_L = H_L down to G_1, each (N, D_l, D_l)."""
    G = [at.output_curvature.matrix()]
    above = zip(at.network.layers[1:], at.weights[1:], at.forward.derivatives, strict=True)
    for layer, W, derivative in reversed(list(above)):
        G.append(pull_back(G[-1], layer.kernel(W), outer(derivative)))
    return tuple(reversed(G))


@with_own_settings
def preactivation_gauss_newton(network: Network, weights: Weights, X: Array, Y: Array, *, check: bool = True) -> Arrays:
    """J_l^T H_L J_l with J_l = dh_L/dh_l, equation (15), of each datapoint, (N, D_l, D_l), by the recursion (22):

        G_l = B_l W_{l+1}^T G_{l+1} W_{l+1} B_l,  G_L = H_L

    Holds N matrices for each layer; `kflr` gives their mean without. Where H_L is indefinite, `Network.psd` says what
    stands for it, or that `ValueError` is raised; elsewhere nothing depends on Y. Other arguments and errors as in
    `loss`.
    """
    return _recursion(linearise_for_gauss_newton(network, weights, X, Y, check=check))


@with_own_settings
def gauss_newton_blocks(network: Network, weights: Weights, X: Array, Y: Array, *, check: bool = True) -> Arrays:
    """The diagonal blocks of the Gauss-Newton matrix (13), equation (16), exact, dense, mean over the N datapoints.

    E[(a_{l-1} a_{l-1}^T) kron G_l] for vec(W_l), columns stacked, with D_l (D_{l-1} + 1) rows: for small layers.
    Arguments and errors as in `preactivation_gauss_newton`.
    """
    at = linearise_for_gauss_newton(network, weights, X, Y, check=check)
    G = _recursion(at)
    return tuple(mean_kron(at.xp, a, G_l) for a, G_l in zip(at.forward.inputs, G, strict=True))
