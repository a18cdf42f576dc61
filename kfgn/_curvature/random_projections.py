"""Random projections of the root of H_L: the second factor from S columns instead of K."""

from .._algebra.matrices import second_moment
from .._linearisation.arguments import check_network, checked_projections, gauss_newton_split
from .._linearisation.linearisation import GaussNewtonLinearisation, linearise_for_gauss_newton
from .._network.network import Network
from .._types import Array, Arrays, Weights
from .._validation.scalars import checked_count
from ..backends import with_own_settings
from .factor_memory import check_memory
from .kfac import swap_samples
from .loss_and_factors import LossAndFactors, loss_and_factors


def rp_factor(at: GaussNewtonLinearisation, projections: Array) -> tuple[Arrays, Arrays]:
    """dE/dh_l (N, D_l) at the targets, and the mean over S projected columns of (24) of their outer products (D_l, D_l).

    The gradient goes back through the layers together with the projected columns.
    """
    columns = at.output_curvature.root_product(swap_samples(at.xp, projections))
    rows = at.pulled_back(at.xp.concat([at.output_gradient()[None, :, :], columns], axis=0))
    return tuple(d[0, :, :] for d in rows), tuple(second_moment(at.xp, d[1:, :, :]) for d in rows)


@with_own_settings
def rp(
    network: Network, weights: Weights, X: Array, Y: Array, projections: Array, *, check: bool = True
) -> LossAndFactors:
    """Loss, gradient, Q and the second factor by random projections, from one pass forward and one back.

        E[G_l] ~ 1/(N S) sum_n sum_s (J_l^T C z)(J_l^T C z)^T,  C C^T = H_L,  J_l = dh_L/dh_l

    projections: z, S for each datapoint, of `projection_shape` and the dtype of X, with mean zero and E[z z^T] = I:
    standard normals, or signs. Over these its expectation is the G of `kflr` exactly, whatever S; no label is sampled.
    Other arguments and errors as in `preactivation_gauss_newton`.
    """
    at = linearise_for_gauss_newton(network, weights, X, Y, check=check)
    projections = checked_projections(network, X, projections, check=check)
    check_memory(network, X)
    return loss_and_factors(at, *rp_factor(at, projections))


def projection_shape(network: Network, N: int, S: int) -> tuple[int, int, int]:
    """The shape (N, S, K) of S projections for each of N datapoints: K is D_L, or 1 for a mixture split at p."""
    check_network(network)
    return checked_count("N", N), checked_count("S", S), gauss_newton_split(network).columns(network.widths[-1])
