"""KFRA, Section 3.5: the second factor by the recursive approximation (26)."""

from .._algebra.matrices import second_moment
from .._linearisation.linearisation import GaussNewtonLinearisation, linearise_for_gauss_newton
from .._network.network import Network
from .._types import Array, Arrays, Weights
from ..backends import with_own_settings
from .factor_memory import check_memory
from .loss_and_factors import LossAndFactors, loss_and_factors
from .recursion import pull_back


def kfra_factor(at: GaussNewtonLinearisation) -> tuple[Arrays, Arrays]:
    """dE/dh_l (N, D_l), and (26) from the exact E[G_L] = E[H_L] down to E[G_1], each (D_l, D_l)."""
    G = [at.output_curvature.mean()]
    above = zip(at.network.layers[1:], at.weights[1:], at.forward.derivatives, strict=True)
    for layer, W, derivative in reversed(list(above)):
        G.append(pull_back(G[-1], layer.kernel(W), second_moment(at.xp, derivative)))
    return at.dE_dh(), tuple(reversed(G))


@with_own_settings
def kfra(network: Network, weights: Weights, X: Array, Y: Array, *, check: bool = True) -> LossAndFactors:
    """Loss, gradient, Q and the second factor by KFRA, equation (26), from one pass forward and one back.

        E[G_l] ~ (W_{l+1}^T E[G_{l+1}] W_{l+1}) * 1/N sum_n f'(h_l) f'(h_l)^T

    from the exact E[H_L]. Its cost does not grow with the number of outputs beyond D_L^2: the method for
    autoencoders. It equals `kflr` for the last layer, the last two if H_L is constant, linear networks and N = 1.
    Arguments and errors as in `preactivation_gauss_newton`.
    """
    at = linearise_for_gauss_newton(network, weights, X, Y, check=check)
    check_memory(network, X)
    return loss_and_factors(at, *kfra_factor(at))
