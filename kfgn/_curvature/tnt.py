"""TNT (Ren and Goldfarb, 2021): second moments of rows and of columns of gradients with respect to the weights.

The inputs a_t, the columns C_t and the groups of a layer are those of the module `pairs`.
"""

from array_api_compat import array_namespace

from .._documentation import with_shared_text
from .._network.network import Network
from .._types import Array, Arrays, Weights
from ..backends import gram, with_own_settings
from .loss_and_factors import LossAndFactors
from .pairs import Pairs, PairsOfBatch, checked_pairs
from .tkfac import weighted_sums, with_second_of_unit_trace


def tnt_factors(pairs: PairsOfBatch) -> tuple[Arrays, Arrays]:
    """Q and G of every group."""
    return with_second_of_unit_trace(pairs.means(lambda _, of_group: _sums(of_group)))


def _sums(pairs: Pairs) -> Arrays:
    """The sums over datapoints and columns of P^T P (I, I) and of P P^T (O, O), with P = sum_t C_t a_t^T.

    For T = 1, the sums are those of TKFAC, which need no P.
    """
    if pairs.positions == 1:
        return weighted_sums(pairs)
    xp, P = array_namespace(pairs.a), pairs.gradients()
    return tuple(gram(xp.reshape(A, (-1, A.shape[2]))) for A in (P, xp.matrix_transpose(P)))


@with_own_settings
@with_shared_text
def tnt(
    network: Network,
    weights: Weights,
    X: Array,
    Y: Array,
    *,
    labels: Array | None = None,
    memory: int | None = None,
    check: bool = True,
) -> LossAndFactors:
    """The loss, its gradient and the Kronecker factors of TNT (Ren and Goldfarb, 2021).

    The trace of the Kronecker product is the trace of the exact Gauss-Newton block, also for weights that are used at
    several positions. With `labels`, an estimate from the labels replaces the exact block. The method is not in the
    paper of Botev et al.

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
    Let C_ntc be column c of a root of H_L that is carried back to the pre-activations at position t of datapoint n, and
    let a_nt be the input of the layer at this position. The factors are::

        Q = 1/N sum_n sum_c P_nc^T P_nc        G = 1/N sum_n sum_c P_nc P_nc^T / tr Q,  P_nc = sum_t C_ntc a_nt^T

    With one position, the factors are those of `tkfac`, at the same cost. Let W_l have the shape (D_l, P_l), where W_l
    of a `ScaleShift` counts as one column, and let K be the number of columns over all output positions. With T
    positions, the matrices P_nc need at most N K T D_l P_l multiplications, and their products need at most N K D_l P_l
    (D_l + P_l). The matrices P_nc exist for one chunk of datapoints at a time.

    Examples
    --------
    >>> import numpy as np
    >>> import kfgn
    >>> network = kfgn.Network((1, 4), (kfgn.Convolution(2, 2, "tanh"), kfgn.Flatten(), kfgn.Dense(2)), "categorical")
    >>> weights = [np.linspace(-1, 1, D * P).reshape(D, P) for D, P in network.weight_shapes]
    >>> X, Y = np.array([[[0.5, -1.0, 2.0, 0.0]], [[1.0, 1.0, -0.5, 3.0]]]), np.array([0, 1])
    >>> loss, gradient, Q, G = kfgn.tnt(network, weights, X, Y)
    >>> blocks, exact = kfgn.kronecker_blocks(Q, G), kfgn.gauss_newton_blocks(network, weights, X, Y)
    >>> for block, F in zip(blocks, exact):
    ...     print(block.trace().round(3), np.trace(F).round(3))
    0.565 0.565
    1.44 1.44
    """
    pairs = checked_pairs(network, weights, X, Y, labels, memory, check=check)
    at = pairs.at
    return LossAndFactors(at.loss(), at.mean_gradient(at.dE_dh()), *tnt_factors(pairs))
