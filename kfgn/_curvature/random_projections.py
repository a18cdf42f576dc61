"""The second factor, estimated from S random combinations of the K columns of a root of H_L."""

from .._documentation import with_shared_text
from .._linearisation.arguments import check_network, checked_projections, gauss_newton_split
from .._linearisation.linearisation import GaussNewtonLinearisation, checked_batch, linearised_for_gauss_newton
from .._network.network import Network
from .._types import Array, Arrays, Weights
from .._validation.scalars import checked_count
from ..backends import with_own_settings
from .factor_memory import check_memory
from .kfac import swap_samples
from .loss_and_factors import LossAndFactors, loss_and_factors
from .sharing import checked_sharing, second_factors


def rp_factor(at: GaussNewtonLinearisation, projections: Array, sharing: str = "expand") -> tuple[Arrays, Arrays]:
    """dE/dh_l (N, D_l) at the targets, and the mean of v v^T (D_l, D_l) over all projected columns v.

    A projected column is v = (dh_L/dh_l)^T C z for a root C of H_L and a random vector z. One call of the
    backward pass propagates the gradients at the targets and the S projected columns together.
    """
    z = swap_samples(at.xp, projections)
    rows = at.xp.reshape(z, (z.shape[0], -1, z.shape[-1])) if at.network.has_positions else z
    columns = at.output_curvature.root_product(rows)
    rows = at.pulled_back(at.xp.concat([at.output_gradient()[None, :, :], columns], axis=0))
    return tuple(v[0, :, :] for v in rows), second_factors(at, tuple(v[1:, :, :] for v in rows), sharing)


@with_own_settings
@with_shared_text
def rp(
    network: Network,
    weights: Weights,
    X: Array,
    Y: Array,
    projections: Array,
    *,
    sharing: str = "expand",
    check: bool = True,
) -> LossAndFactors:
    """The loss, its gradient and the Kronecker factors by random projections of a root of H_L.

    The second factor is an unbiased estimate of the G of `kflr` from S random combinations of the K columns of the
    root. No labels are sampled. The method is not in the paper.

    Parameters
    ----------
    {network}
    {weights}
    {X}
    {Y}
    projections : array, shape (N, S, K)
        S random vectors z per datapoint with E[z] = 0 and E[z z^T] = I, such as standard normals or random signs. The
        function `projection_shape` returns the shape, and the dtype is that of the weights. If the outputs have
        positions, the axes of positions follow S, such as (N, S, T, K).
    {sharing}
    {check}

    Returns
    -------
    LossAndFactors
        The loss, the gradient, Q and G, all means over the N datapoints.

    Raises
    ------
    {gauss_newton_errors}
    {memory_error}

    Notes
    -----
    The estimate of the second factor is::

        E[G_l] ~ 1/(N S) sum_n sum_s (J_l^T C z)(J_l^T C z)^T,  C C^T = H_L,  J_l = dh_L/dh_l

    The cost is one forward pass, S + 1 backward passes, and the products in Q and G. With one position, these products
    need N P_l^2 and N S D_l^2 multiplications for W_l of shape (D_l, P_l). W_l of a `ScaleShift` counts as one column.

    Examples
    --------
    {example}
    >>> signs = np.array([[[1.0, -1.0]], [[-1.0, 1.0]], [[1.0, -1.0]]])
    >>> loss, gradient, Q, G = kfgn.rp(network, weights, X, Y, signs)
    >>> print(G[0].round(3))
    [[0.108 0.138 0.087]
     [0.138 0.364 0.111]
     [0.087 0.111 0.072]]
    """
    (W_1, *_), X, _ = batch = checked_batch(network, weights, X, Y, check=check)
    projections = checked_projections(network, X, projections, check=check)
    sharing = checked_sharing(sharing)
    check_memory(network, W_1)
    at = linearised_for_gauss_newton(network, *batch)
    return loss_and_factors(at, *rp_factor(at, projections, sharing), sharing)


@with_shared_text
def projection_shape(network: Network, N: int, S: int = 1) -> tuple[int, ...]:
    """The shape of the random projections for `rp`, with S projections for each of N datapoints.

    Parameters
    ----------
    {network}
    N : int
        The number of datapoints, positive.
    S : int, optional
        The number of projections per datapoint, positive.

    Returns
    -------
    tuple of int
        (N, S, K). K is D_L, or 1 for a mixture with psd "scalar". For outputs at positions, the numbers of positions
        follow S.

    Raises
    ------
    TypeError
        For a network that is not a `Network`, and for an N or S that is not an integer.
    ValueError
        For an N or S that is not positive. A `ValueError` is also raised if H_L is indefinite and `network.psd` is
        "raise".

    Examples
    --------
    >>> import kfgn
    >>> kfgn.projection_shape(kfgn.Network.dense((5, 3), (), "categorical"), N=7, S=2)
    (7, 2, 3)
    """
    check_network(network)
    N, S = checked_count("N", N), checked_count("S", S)
    return N, S, *network.shapes[-1][1:], gauss_newton_split(network).root_size(network.widths[-1])
