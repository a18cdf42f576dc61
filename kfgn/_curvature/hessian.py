"""The exact blocks of the Hessian, Section 2.2, equations (4)-(10)."""

from .._documentation import with_shared_text
from .._linearisation.linearisation import Linearisation, linearise
from .._network.network import Network
from .._types import Array, Arrays, Weights
from ..backends import with_own_settings
from .recursion import mean_blocks, over_positions, pull_back, second_term


def _recursion(at: Linearisation) -> Arrays:
    """The matrices H_1, ..., H_L, each (N, D_l, D_l), by the recursion (8) from H_L."""
    second_terms = at.second_derivative_terms(at.dE_dh())
    H = [over_positions(at.xp, at.output_hessian().matrix(), at.network.positions[-1])]
    for l in reversed(range(len(second_terms))):
        H.append(pull_back(at, l, H[-1]) + second_term(at, l, second_terms[l]))
    return tuple(reversed(H))


@with_own_settings
@with_shared_text
def preactivation_hessians(network: Network, weights: Weights, X: Array, Y: Array, *, check: bool = True) -> Arrays:
    """The pre-activation Hessians of each datapoint, equations (8)-(10).

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
        d^2 E / dh_l^2 for each datapoint, of shape (N, D_l, D_l).

    Raises
    ------
    {errors}

    Notes
    -----
    With B_l = diag(f'(h_l)) and W_{l+1} without its bias, the recursion (8) is::

        H_l = B_l W_{l+1}^T H_{l+1} W_{l+1} B_l + diag(f''(h_l) * dE/da_l)

    The result holds N matrices per layer. At a kink of a transfer function the derivative is the left derivative. In a
    network with positions, a matrix has a row and a column for each of the T D_l entries of all positions. The D_l
    entries of a position are next to each other.

    Examples
    --------
    {example}
    >>> H = kfgn.preactivation_hessians(network, weights, X, Y)
    >>> [H_l.shape for H_l in H]
    [(3, 3, 3), (3, 2, 2)]
    >>> print(H[0].mean(axis=0).round(3))
    [[ 0.167  0.078  0.049]
     [ 0.078  0.101  0.062]
     [ 0.049  0.062 -0.157]]
    """
    at = linearise(network, weights, X, Y, check=check)
    return network.of_weighted(_recursion(at))


@with_own_settings
@with_shared_text
def hessian_blocks(network: Network, weights: Weights, X: Array, Y: Array, *, check: bool = True) -> Arrays:
    """The exact diagonal blocks of the Hessian of `loss`, equation (7), as dense matrices for small layers.

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
        One block per layer: the mean over the N datapoints of the Hessian with respect to vec(W_l), where vec stacks
        columns. For W_l of shape (D_l, P_l), the block is (P_l D_l, P_l D_l).

    Raises
    ------
    {errors}

    Notes
    -----
    With the H_l of `preactivation_hessians`, the block of layer l is::

        1/N sum_n (a_{l-1} a_{l-1}^T) kron H_l

    This mean costs N P_l^2 D_l^2 multiplications per layer, in addition to the cost of `preactivation_hessians`. For
    weights that are used at T positions, the block is a sum over all pairs of positions::

        1/N sum_n sum_t sum_t' (a_nt a_nt'^T) kron H_n[t, t']

    where a_nt is the input of the layer at position t of datapoint n, and H_n[t, t'] is the part of the matrix H_l of
    the datapoint for the positions t and t'. For a `ScaleShift` and for a layer with groups, A_nt^T H_n[t, t'] A_nt'
    replaces the Kronecker product, with A_nt = dh_nt / dvec(W_l).

    Examples
    --------
    {example}
    >>> blocks = kfgn.hessian_blocks(network, weights, X, Y)
    >>> [block.shape for block in blocks]
    [(9, 9), (8, 8)]
    >>> print(blocks[0][:3, :3].round(3))
    [[0.026 0.024 0.012]
     [0.024 0.109 0.037]
     [0.012 0.037 0.017]]
    """
    at = linearise(network, weights, X, Y, check=check)
    return mean_blocks(at, _recursion(at))
