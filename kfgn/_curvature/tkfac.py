"""TKFAC (Gao et al., 2021): Kronecker factors whose terms are weighted.

Each datapoint has a term a a^T in Q and a term C C^T in G, with the inputs a and the columns C of the module `pairs`.
The weight of each of the two terms is the trace of the other one.
"""

from array_api_compat import array_namespace

from .._algebra.matrices import identity_like, root
from .._documentation import with_shared_text
from .._network.network import Network
from .._types import Array, Arrays, Weights
from ..backends import gram, with_own_settings
from .loss_and_factors import LossAndFactors
from .pairs import Pairs, PairsOfBatch, checked_pairs


def tkfac_factors(pairs: PairsOfBatch) -> tuple[Arrays, Arrays]:
    """Q and G of every group."""
    return with_second_of_unit_trace(pairs.means(lambda _, of_group: weighted_sums(of_group)))


def weighted_sums(pairs: Pairs) -> Arrays:
    """The sums over datapoints and positions of |C|^2 a a^T (I, I) and of |a|^2 C C^T (O, O)."""
    xp, (a, C) = array_namespace(pairs.a), pairs.flat()
    of_inputs, of_columns = root(xp, xp.sum(a * a, axis=1)), root(xp, xp.sum(C * C, axis=(0, 2)))
    return gram(of_columns[:, None] * a), gram(xp.reshape(of_inputs[:, None] * C, (-1, C.shape[2])))


def with_second_of_unit_trace(factors: list[Arrays]) -> tuple[Arrays, Arrays]:
    """All Q unchanged, and all G / tr Q, which have trace 1.

    If tr Q is 0, both Q and G are 0, and the G of the result is 0 too.
    """
    Q, G = zip(*factors, strict=True)
    xp = array_namespace(*Q)
    # `linalg.diagonal` is in an optional extension of the array API standard
    traces = (xp.sum(A * identity_like(xp, A.shape[0], A)) for A in Q)
    return Q, tuple(B / xp.where(t > 0, t, xp.ones_like(t)) for B, t in zip(G, traces, strict=True))


@with_own_settings
@with_shared_text
def tkfac(
    network: Network,
    weights: Weights,
    X: Array,
    Y: Array,
    *,
    labels: Array | None = None,
    memory: int | None = None,
    check: bool = True,
) -> LossAndFactors:
    """The loss, its gradient and the Kronecker factors of TKFAC (Gao et al., 2021).

    If the weights of a layer are used at only one position, the trace of the Kronecker product is the trace of the
    exact Gauss-Newton block. With `labels`, an estimate from the labels replaces the exact block. The method is not in
    the paper of Botev et al.

    Parameters
    ----------
    {network}
    {weights}
    {X}
    {Y}
    {columns_of_labels}
    {memory_of_pairs}
    {check}

    Returns
    -------
    LossAndFactors
        The loss, the gradient, Q and G. Q has the scale of the block. The trace of G is 1, unless Q and G are 0.

    Raises
    ------
    {errors_of_pairs}
    {memory_error}

    Notes
    -----
    Let C_n be the matrix of the K columns of a root of H_L, carried back to the pre-activations of datapoint n, and let
    |C_n|^2 be the sum of the squares of its elements. With the inputs a_n of the layer, the factors are::

        Q = 1/N sum_n |C_n|^2 a_n a_n^T        G = 1/N sum_n |a_n|^2 C_n C_n^T / tr Q

    With positions, each sum is over the positions of all datapoints, and is still divided by N. With one position, the
    cost is that of `kflr` without its restart: K backward passes, and N P_l^2 + N K D_l^2 multiplications per layer,
    where W_l has the shape (D_l, P_l), and W_l of a `ScaleShift` counts as one column. With T positions, let K be the
    number of columns over all output positions. The sums then need at most T times as many multiplications.

    Examples
    --------
    {example}
    >>> loss, gradient, Q, G = kfgn.tkfac(network, weights, X, Y)
    >>> blocks, exact = kfgn.kronecker_blocks(Q, G), kfgn.gauss_newton_blocks(network, weights, X, Y)
    >>> for block, F in zip(blocks, exact):
    ...     print(block.trace().round(3), np.trace(F).round(3))
    0.886 0.886
    0.802 0.802
    """
    pairs = checked_pairs(network, weights, X, Y, labels, memory, check=check)
    at = pairs.at
    return LossAndFactors(at.loss(), at.mean_gradient(at.dE_dh()), *tkfac_factors(pairs))
