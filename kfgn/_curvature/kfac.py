"""KFAC, Appendix D.3: the second factor from labels that are sampled from the model, equation (59)."""

from .._linearisation.arguments import checked, checked_draws, checked_labels, checked_network, checked_targets
from .._linearisation.passes import Forward, forward, gradients, second_moment
from .._network.network import Network
from .._network.objectives import OBJECTIVES
from .._types import Array, Arrays, Namespace, Weights
from .._validation.scalars import checked_count
from ..backends import with_own_settings
from .factor_memory import check_memory
from .loss_and_factors import LossAndFactors, curvature


def swap_samples(xp: Namespace, labels: Array) -> Array:
    """(N, S, ...) to (S, N, ...), in which what belongs to datapoints broadcasts over the samples; and back."""
    return xp.permute_dims(labels, (1, 0, *range(2, labels.ndim)))


def second_factor(
    xp: Namespace, network: Network, weights: Weights, trace: Forward, Y: Array, labels: Array
) -> tuple[Arrays, Arrays]:
    """dE/dh_l at the labels of the data, (N, D_l), and the mean over S sampled ones of its outer products, (D_l, D_l).

    The labels of the data go back through the layers beside the sampled ones.
    """
    every = xp.concat([Y[None, ...], swap_samples(xp, labels)], axis=0)
    dE_dh = gradients(xp, network, weights, trace, every)
    return tuple(d[0, :, :] for d in dE_dh), tuple(second_moment(xp, d[1:, :, :]) for d in dE_dh)


def drawn_labels(xp: Namespace, network: Network, trace: Forward, draws: Array) -> Array:
    """Labels (N, S, ...) of the model's distribution at the outputs of a forward pass, from draws of their shape."""
    sample = OBJECTIVES[network.objective].sample
    return swap_samples(xp, sample(xp, trace.outputs, swap_samples(xp, draws)))


@with_own_settings
def kfac(
    network: Network, weights: Weights, X: Array, Y: Array, labels: Array, *, check: bool = True
) -> LossAndFactors:
    """Loss, gradient, Q and the second factor by KFAC, equation (59), from one pass forward and one back.

        E[G_l] ~ 1/(N S) sum_n sum_s dE/dh_l dE/dh_l^T  at labels y ~ p(y | h_L)

    labels: S for each datapoint, (N, S, D_L), or (N, S) indices for the categorical and the mixture, from
    `sample_labels`. With the labels of the data this would be the empirical Fisher, another matrix.
    Other arguments and errors as in `loss`; Y is for the loss and its gradient alone.
    """
    xp, weights, X = checked(network, weights, X, check=check)
    Y = checked_targets(network, X, Y, check=check)
    labels = checked_labels(network, X, labels, check=check)
    check_memory(network, X)
    trace = forward(xp, network, weights, X)
    return curvature(xp, network, trace, Y, *second_factor(xp, network, weights, trace, Y, labels))


def label_draws_shape(network: Network, N: int, S: int) -> tuple[int, ...]:
    """The shape of the draws for S labels of each of N datapoints: (N, S, D_L), or (N, S) for the categorical
    and the mixture.
    """
    checked_network(network)
    N, S = checked_count("N", N), checked_count("S", S)
    return (N, S, network.widths[-1]) if network.classes is None else (N, S)


@with_own_settings
def sample_labels(network: Network, weights: Weights, X: Array, draws: Array, *, check: bool = True) -> Array:
    """Labels y ~ p(y | h_L) for `kfac`, Appendix D.3, made from given draws: equal draws, equal labels.

    draws: of `label_draws_shape` and the dtype of X. Standard normals for the squared error; uniforms in
    [0, 1) for the others. Returns (N, S, D_L), or (N, S) indices for the categorical and the mixture.
    Other arguments and errors as in `loss`.
    """
    xp, weights, X = checked(network, weights, X, check=check)
    draws = checked_draws(network, X, draws, check=check)
    return drawn_labels(xp, network, forward(xp, network, weights, X), draws)
