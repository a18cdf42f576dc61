"""KFAC, Appendix D.3: the second factor from labels that are sampled from the model, equation (59)."""

from array_api_compat import array_namespace

from .._documentation import with_shared_text
from .._linearisation.arguments import check_network, checked, checked_draws, checked_labels
from .._linearisation.linearisation import Linearisation, checked_batch, linearised
from .._network.divided import over
from .._network.network import Network
from .._types import Array, Arrays, Namespace, Weights
from .._validation.scalars import checked_count
from ..backends import with_own_settings
from .factor_memory import check_memory
from .loss_and_factors import LossAndFactors, loss_and_factors
from .sharing import checked_sharing, second_factors


def swap_samples(xp: Namespace, labels: Array) -> Array:
    """Swap the first two axes: (N, S, ...) becomes (S, N, ...), so that arrays (N, ...) broadcast over the samples."""
    return xp.permute_dims(labels, (1, 0, *range(2, labels.ndim)))


def kfac_factor(at: Linearisation, labels: Array, sharing: str = "expand") -> tuple[Arrays, Arrays]:
    """dE/dh_l (N, D_l) at the targets, and the mean of dE/dh_l dE/dh_l^T (D_l, D_l) over all sampled labels.

    One backward pass serves the targets and the sampled labels. The gradients are first computed without the divisor of
    the loss. Then dE/dh_l and the mean of the products are each divided by the divisor once.
    """
    divisor = at.counted.divisor
    sampled = rows_of_labels(at.network, swap_samples(at.xp, labels))
    all_labels = at.xp.concat([at.Y[None, ...], sampled], axis=0)
    dE_dh = at.pulled_back(at.gradient_at(all_labels))
    at_samples = tuple(d[1:, :, :] for d in dE_dh)
    G = tuple(over(G_l, divisor) for G_l in second_factors(at, at_samples, sharing))
    return tuple(over(d[0, :, :], divisor) for d in dE_dh), G


def rows_of_labels(network: Network, labels: Array) -> Array:
    """Labels or draws (S, N, T, ...) with one row for each position of each datapoint: (S, N T, ...)."""
    if not network.has_positions:
        return labels
    outputs = (network.widths[-1],) if network.classes is None else ()
    return array_namespace(labels).reshape(labels, (labels.shape[0], -1, *outputs))


def drawn_labels(at: Linearisation, draws: Array) -> Array:
    """Labels (N, S, ...) that are sampled from the distribution p(y | h_L) with given draws of the same shape."""
    swapped = swap_samples(at.xp, draws)
    sampled = at.objective.sample(at.xp, at.outputs, rows_of_labels(at.network, swapped))
    if at.counted.outputs is not None:
        of_classes = at.network.classes is not None
        sampled = (at.counted.outputs.kept_numbers if of_classes else at.counted.outputs.kept)(sampled)
    return swap_samples(at.xp, at.xp.reshape(sampled, swapped.shape) if at.network.has_positions else sampled)


@with_own_settings
@with_shared_text
def kfac(
    network: Network,
    weights: Weights,
    X: Array,
    Y: Array,
    labels: Array | None = None,
    *,
    draws: Array | None = None,
    sharing: str = "expand",
    check: bool = True,
) -> LossAndFactors:
    """The loss, its gradient and the Kronecker factors by KFAC, equation (59).

    The second factor is a Monte Carlo estimate of the Fisher matrix of the pre-activations, from labels that are
    sampled from the model. The expectation of the second factor is the G of `kflr`, except for the mixture.

    Parameters
    ----------
    {network}
    {weights}
    {X}
    {Y}
    labels : array, shape (N, S, D_L) or (N, S), optional
        S labels per datapoint from `sample_labels`: real numbers or class indices, like Y. With the labels of the data,
        G would be an empirical Fisher matrix, which differs from the Fisher matrix. If the outputs have
        positions, the axes of positions follow S, such as (N, S, T, D_L) or (N, S, T).
    draws : array, shape (N, S, D_L) or (N, S), optional
        Random numbers with the axes of `labels`, in the dtype of the weights: standard normals for squared_error, and
        uniforms in [0, 1) for the other objectives. `kfac` samples the labels from them without a second forward pass.
        A call without labels and draws, or with both, raises TypeError.
    {sharing}
    {check}

    Returns
    -------
    LossAndFactors
        The loss, the gradient, Q and G, all means over the N datapoints. Only the loss and the gradient depend on Y.

    Raises
    ------
    {errors}
    {memory_error}

    Notes
    -----
    The estimate of the second factor is::

        E[G_l] ~ 1/(N S) sum_n sum_s dE/dh_l dE/dh_l^T  at labels y ~ p(y | h_L)

    The cost is one forward pass, S + 1 backward passes, and the products in Q and G. With one position, these products
    need N P_l^2 and N S D_l^2 multiplications for W_l of shape (D_l, P_l). W_l of a `ScaleShift` counts as one column.

    Examples
    --------
    {example}
    >>> draws = np.array([[0.1, 0.9], [0.3, 0.8], [0.5, 0.4]])
    >>> loss, gradient, Q, G = kfgn.kfac(network, weights, X, Y, draws=draws)
    >>> print(G[0].round(3))
    [[0.137 0.149 0.115]
     [0.149 0.273 0.129]
     [0.115 0.129 0.096]]
    """
    (W_1, *_), X, _ = batch = checked_batch(network, weights, X, Y, check=check)
    if (labels is None) == (draws is None):
        raise TypeError(f"labels: expected either labels or draws, got {'neither' if labels is None else 'both'}")
    labels = None if labels is None else checked_labels(network, X, labels, check=check)
    draws = None if draws is None else checked_draws(network, X, draws, check=check)
    sharing = checked_sharing(sharing)
    check_memory(network, W_1)
    at = linearised(network, *batch)
    labels = drawn_labels(at, draws) if labels is None else labels
    return loss_and_factors(at, *kfac_factor(at, labels, sharing), sharing)


@with_shared_text
def label_draws_shape(network: Network, N: int, S: int = 1) -> tuple[int, ...]:
    """The shape of the draws from which `sample_labels` makes S labels for each of N datapoints.

    Parameters
    ----------
    {network}
    N : int
        The number of datapoints, positive.
    S : int, optional
        The number of labels per datapoint, positive.

    Returns
    -------
    tuple of int
        (N, S, D_L), or (N, S) for the categorical objective and the mixture. For outputs at positions, the numbers of
        positions follow S.

    Raises
    ------
    TypeError
        For a network that is not a `Network`, and for an N or S that is not an integer.
    ValueError
        For an N or S that is not positive.

    Examples
    --------
    >>> import kfgn
    >>> kfgn.label_draws_shape(kfgn.Network.dense((5, 3), (), "squared_error"), N=7, S=2)
    (7, 2, 3)
    """
    check_network(network)
    N, S = checked_count("N", N), checked_count("S", S)
    outputs = (network.widths[-1],) if network.classes is None else ()
    return (N, S, *network.shapes[-1][1:], *outputs)


@with_own_settings
@with_shared_text
def sample_labels(network: Network, weights: Weights, X: Array, draws: Array, *, check: bool = True) -> Array:
    """Labels for `kfac`, sampled from p(y | h_L) with given random numbers, Appendix D.3.

    Parameters
    ----------
    {network}
    {weights}
    {X}
    draws : array, shape (N, S, D_L) or (N, S)
        Random numbers of the shape that `label_draws_shape` returns, in the dtype of the weights: standard normals for
        squared_error, and uniforms in [0, 1) for the other objectives.
    {check}

    Returns
    -------
    array, shape (N, S, D_L) or (N, S)
        S labels per datapoint, in the shape of the draws. The labels have the dtype of the weights for squared_error
        and bernoulli, and are class indices for categorical and mixture. Equal draws give equal labels.

    Raises
    ------
    {errors}

    Notes
    -----
    With the probabilities p of the model, the labels of each objective are::

        squared_error  y = h_L + z for normals z
        bernoulli      y = 1 if u < p for uniforms u, otherwise 0
        categorical    y is the smallest k with u < p_0 + ... + p_k
        mixture        y = 1 if u < p(1 | h_L), otherwise 0

    The cost is one forward pass.

    Examples
    --------
    {example}
    >>> print(kfgn.sample_labels(network, weights, X, draws=np.array([[0.1, 0.9], [0.3, 0.8], [0.5, 0.4]])))
    [[0 1]
     [0 1]
     [1 1]]
    """
    weights, X = checked(network, weights, X, check=check)
    draws = checked_draws(network, X, draws, check=check)
    return drawn_labels(linearised(network, weights, X, None), draws)
