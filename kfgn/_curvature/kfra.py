"""KFRA, Section 3.5: the second factor by the recursive approximation (26)."""

from .._linearisation.arguments import checked, checked_split, checked_targets
from .._linearisation.passes import Forward, forward, gradients, second_moment
from .._network.network import Network
from .._network.output_hessian import OutputCurvature
from .._types import Array, Arrays, Namespace, Weights
from ..backends import with_own_settings
from .factor_memory import check_memory
from .loss_and_factors import LossAndFactors, curvature
from .recursion import pull_back


def second_factor(xp: Namespace, weights: Weights, trace: Forward, outputs: OutputCurvature) -> Arrays:
    """(26) from the exact E[G_L] = E[H_L] down to E[G_1], each (D_l, D_l)."""
    G = [outputs.mean()]
    for W, slope in zip(reversed(weights[1:]), reversed(trace.slopes), strict=True):
        G.append(pull_back(G[-1], W, second_moment(xp, slope)))
    return tuple(reversed(G))


@with_own_settings
def kfra(network: Network, weights: Weights, X: Array, Y: Array, *, check: bool = True) -> LossAndFactors:
    """Loss, gradient, Q and the second factor by KFRA, equation (26), from one pass forward and one back.

        E[G_l] ~ (W_{l+1}^T E[G_{l+1}] W_{l+1}) * 1/N sum_n f'(h_l) f'(h_l)^T

    from the exact E[H_L]. Its cost does not grow with the number of outputs beyond D_L^2: the method for
    autoencoders. It equals `kflr` for the last layer, the last two if H_L is constant, linear networks and N = 1.
    Arguments and errors as in `preactivation_gauss_newton`.
    """
    xp, weights, X = checked(network, weights, X, check=check)
    Y = checked_targets(network, X, Y, check=check)
    split = checked_split(network)
    check_memory(network, X)
    trace = forward(xp, network, weights, X)
    dE_dh = gradients(xp, network, weights, trace, Y)
    return curvature(xp, network, trace, Y, dE_dh, second_factor(xp, weights, trace, split.at(xp, trace.outputs, Y)))
