"""KFAC, Appendix D.3: the second factor from labels that are sampled from the model, equation (59)."""

from .._algebra.matrices import second_moment
from .._linearisation.arguments import check_network, checked_draws, checked_labels
from .._linearisation.linearisation import Linearisation, linearise, linearise_without_targets
from .._network.network import Network
from .._types import Array, Arrays, Namespace, Weights
from .._validation.scalars import checked_count
from ..backends import with_own_settings
from .factor_memory import check_memory
from .loss_and_factors import LossAndFactors, loss_and_factors


def swap_samples(xp: Namespace, labels: Array) -> Array:
    """(N, S, ...) to (S, N, ...), so that arrays of the datapoints broadcast over the samples. It is its own inverse."""
    return xp.permute_dims(labels, (1, 0, *range(2, labels.ndim)))


def kfac_factor(at: Linearisation, labels: Array) -> tuple[Arrays, Arrays]:
    """dE/dh_l (N, D_l) at the labels of the data, and the mean over S sampled labels of its outer products (D_l, D_l).

    The labels of the data go back through the layers together with the sampled ones.
    """
    every = at.xp.concat([at.Y[None, ...], swap_samples(at.xp, labels)], axis=0)
    dE_dh = at.pulled_back(at.objective.gradient(at.xp, at.outputs, every))
    return tuple(d[0, :, :] for d in dE_dh), tuple(second_moment(at.xp, d[1:, :, :]) for d in dE_dh)


def drawn_labels(at: Linearisation, draws: Array) -> Array:
    """Labels (N, S, ...) from the distribution p(y | h_L) of the model, made from draws of the same shape."""
    sampled = at.objective.sample(at.xp, at.outputs, swap_samples(at.xp, draws))
    return swap_samples(at.xp, sampled)


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
    at = linearise(network, weights, X, Y, check=check)
    labels = checked_labels(network, X, labels, check=check)
    check_memory(network, X)
    return loss_and_factors(at, *kfac_factor(at, labels))


def label_draws_shape(network: Network, N: int, S: int) -> tuple[int, ...]:
    """The shape of the draws for S labels of each of N datapoints: (N, S, D_L), or (N, S) for the categorical
    and the mixture.
    """
    check_network(network)
    N, S = checked_count("N", N), checked_count("S", S)
    return (N, S, network.widths[-1]) if network.classes is None else (N, S)


@with_own_settings
def sample_labels(network: Network, weights: Weights, X: Array, draws: Array, *, check: bool = True) -> Array:
    """Labels y ~ p(y | h_L) for `kfac`, Appendix D.3, made from given draws: equal draws, equal labels.

    draws: of `label_draws_shape` and the dtype of X. Standard normals for the squared error; uniforms in
    [0, 1) for the others. Returns (N, S, D_L), or (N, S) indices for the categorical and the mixture.
    Other arguments and errors as in `loss`.
    """
    at = linearise_without_targets(network, weights, X, check=check)
    return drawn_labels(at, checked_draws(network, X, draws, check=check))
