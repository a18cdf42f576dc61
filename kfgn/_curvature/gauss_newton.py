"""The exact blocks of the Gauss-Newton matrix, Section 3, equations (12)-(16), (19) and (22)."""

from .._documentation import with_shared_text
from .._linearisation.linearisation import GaussNewtonLinearisation, linearise_for_gauss_newton
from .._network.network import Network
from .._types import Array, Arrays, Weights
from ..backends import with_own_settings
from .recursion import mean_blocks, over_positions, pull_back


def _recursion(at: GaussNewtonLinearisation) -> Arrays:
    """The matrices G_1, ..., G_L, each (N, D_l, D_l), by the recursion (22) from G_L = H_L."""
    G = [over_positions(at.xp, at.output_curvature.matrix(), at.network.positions[-1])]
    for l in reversed(range(len(at.forward.derivatives))):
        G.append(pull_back(at, l, G[-1]))
    return tuple(reversed(G))


@with_own_settings
@with_shared_text
def preactivation_gauss_newton(network: Network, weights: Weights, X: Array, Y: Array, *, check: bool = True) -> Arrays:
    """The pre-activation Gauss-Newton matrices of each datapoint, equations (15) and (22).

    Parameters
    ----------
    {network}
    {weights}
    {X}
    {Y}
    {check}

    Returns
    -------
    tuple of L arrays
        G_l = J_l^T H_L J_l with J_l = dh_L/dh_l, for each datapoint, of shape (N, D_l, D_l). `network.psd` chooses the
        matrix that replaces an indefinite H_L.

    Raises
    ------
    {gauss_newton_errors}

    Notes
    -----
    With B_l = diag(f'(h_l)) and W_{l+1} without its bias, the recursion (22) is::

        G_L = H_L,  G_l = B_l W_{l+1}^T G_{l+1} W_{l+1} B_l

    The result holds N matrices per layer. In a network without positions, `kflr` computes the means E[G_l] in less
    memory. The result depends on Y only for the mixture. In a network with positions, a matrix has a row and a column
    for each of the T D_l entries of all positions. The D_l entries of a position are next to each other.

    Examples
    --------
    {example}
    >>> G = kfgn.preactivation_gauss_newton(network, weights, X, Y)
    >>> [G_l.shape for G_l in G]
    [(3, 3, 3), (3, 2, 2)]
    >>> print(G[0].mean(axis=0).round(3))
    [[0.061 0.078 0.049]
     [0.078 0.199 0.062]
     [0.049 0.062 0.041]]
    """
    at = linearise_for_gauss_newton(network, weights, X, Y, check=check)
    return network.of_weighted(_recursion(at))


@with_own_settings
@with_shared_text
def gauss_newton_blocks(network: Network, weights: Weights, X: Array, Y: Array, *, check: bool = True) -> Arrays:
    """The exact diagonal blocks of the Gauss-Newton matrix, equation (16), as dense matrices for small layers.

    Parameters
    ----------
    {network}
    {weights}
    {X}
    {Y}
    {check}

    Returns
    -------
    tuple of L arrays
        One block per layer: the mean over the N datapoints of the Gauss-Newton matrix of vec(W_l), where vec stacks
        columns. For W_l of shape (D_l, P_l), the block is (P_l D_l, P_l D_l). `network.psd` chooses the matrix that
        replaces an indefinite H_L.

    Raises
    ------
    {gauss_newton_errors}

    Notes
    -----
    With the G_l of `preactivation_gauss_newton`, the block of layer l is::

        1/N sum_n (a_{l-1} a_{l-1}^T) kron G_l

    This mean costs N P_l^2 D_l^2 multiplications per layer, in addition to the cost of `preactivation_gauss_newton`.
    For weights that are used at T positions, the block is a sum over all pairs of positions::

        1/N sum_n sum_t sum_t' (a_nt a_nt'^T) kron G_n[t, t']

    where a_nt is the input of the layer at position t of datapoint n, and G_n[t, t'] is the part of the matrix G_l of
    the datapoint for the positions t and t'. For a `ScaleShift` and for a layer with groups, A_nt^T G_n[t, t'] A_nt'
    replaces the Kronecker product, with A_nt = dh_nt / dvec(W_l).

    Examples
    --------
    {example}
    >>> blocks = kfgn.gauss_newton_blocks(network, weights, X, Y)
    >>> [block.shape for block in blocks]
    [(9, 9), (8, 8)]
    >>> print(blocks[1][:3, :3].round(3))
    [[ 0.106 -0.106  0.005]
     [-0.106  0.106 -0.005]
     [ 0.005 -0.005  0.008]]
    """
    at = linearise_for_gauss_newton(network, weights, X, Y, check=check)
    return mean_blocks(at, _recursion(at))
