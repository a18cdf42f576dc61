"""Random projections of the root of H_L: the second factor from S columns instead of K."""

from .._linearisation.arguments import (
    checked,
    checked_network,
    checked_projections,
    checked_split,
    checked_targets,
)
from .._linearisation.passes import Forward, backward, forward, second_moment
from .._network.network import Network
from .._network.objectives import OBJECTIVES
from .._network.output_hessian import OutputCurvature
from .._types import Array, Arrays, Namespace, Weights
from .._validation.scalars import checked_count
from ..backends import with_own_settings
from .factor_memory import check_memory
from .kfac import swap_samples
from .loss_and_factors import LossAndFactors, curvature


def second_factor(
    xp: Namespace,
    network: Network,
    weights: Weights,
    trace: Forward,
    Y: Array,
    outputs: OutputCurvature,
    projections: Array,
) -> tuple[Arrays, Arrays]:
    """dE/dh_l at the labels of the data, (N, D_l), and the mean over S projected columns of (24), (D_l, D_l).

    The gradient goes back through the layers beside the projected columns.
    """
    gradient = OBJECTIVES[network.objective].gradient(xp, trace.outputs, Y)
    columns = outputs.root_columns(swap_samples(xp, projections))
    rows = backward(weights, trace.slopes, xp.concat([gradient[None, :, :], columns], axis=0))
    return tuple(d[0, :, :] for d in rows), tuple(second_moment(xp, d[1:, :, :]) for d in rows)


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
    xp, weights, X = checked(network, weights, X, check=check)
    Y = checked_targets(network, X, Y, check=check)
    split = checked_split(network)
    projections = checked_projections(network, X, projections, check=check)
    check_memory(network, X)
    trace = forward(xp, network, weights, X)
    outputs = split.at(xp, trace.outputs, Y)
    return curvature(xp, network, trace, Y, *second_factor(xp, network, weights, trace, Y, outputs, projections))


def projection_shape(network: Network, N: int, S: int) -> tuple[int, int, int]:
    """The shape (N, S, K) of S projections for each of N datapoints: K is D_L, or 1 for a mixture split at p."""
    checked_network(network)
    return checked_count("N", N), checked_count("S", S), checked_split(network).columns(network.widths[-1])
