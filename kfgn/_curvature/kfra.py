"""KFRA, Section 3.5: the second factor by the recursive approximation (26)."""

from .._documentation import with_shared_text
from .._linearisation.linearisation import GaussNewtonLinearisation, checked_batch, linearised_for_gauss_newton
from .._network.dense import Dense
from .._network.divided import times
from .._network.network import Network
from .._network.normalising import mean_congruence
from .._types import Array, Arrays, Weights
from ..backends import with_own_settings
from .factor_memory import check_memory
from .loss_and_factors import LossAndFactors, loss_and_factors


def kfra_factor(at: GaussNewtonLinearisation) -> tuple[Arrays, Arrays]:
    """dE/dh_l (N, D_l), and E[G_l] (D_l, D_l) by the recursion (26), which starts at the exact E[G_L].

    With positions, G_l is a sum over the positions of layer l. The recursion computes G_l / T_L, with the number T_L of
    positions of the outputs. With a mask, T_L is the mean number of counted positions per datapoint.
    """
    network, masks, mean = at.network, at.counted.masks[1:], at.output_curvature.mean()
    T_L: int | Array = network.positions[-1]
    if masks[-1] is not None:
        scale = masks[-1].correction(mean)
        mean, T_L = scale * mean, T_L / scale
    G = [mean]
    above = zip(at.maps[1:], at.weights_by_layer[1:], at.forward.derivatives, strict=True)
    for (layer, W, derivative), mask in zip(reversed(list(above)), reversed(masks[:-1]), strict=True):
        if len(G) == 1 and isinstance(layer, Dense) and masks[-1] is None:
            product = at.output_curvature.congruence(mean, layer.kernel(W))
        else:
            product = layer.carried_over_taps(W, G[-1])
        G.append(mean_congruence(at.xp, derivative, product, mask))
    G.reverse()
    inputs = at.forward.inputs
    blocks = [block for l, layer in network.weighted.items() for block in layer.mean_factors(G[l], inputs[l], masks[l])]
    return at.dE_dh(), tuple(times(block, T_L) for block in blocks)


@with_own_settings
@with_shared_text
def kfra(network: Network, weights: Weights, X: Array, Y: Array, *, check: bool = True) -> LossAndFactors:
    """The loss, its gradient and the Kronecker factors by KFRA, equation (26).

    KFRA propagates one matrix for the whole batch, and KFLR propagates up to D_L vectors per datapoint. KFRA therefore
    suits networks with many outputs, such as autoencoders.

    Parameters
    ----------
    {network}
    {weights}
    {X}
    {Y}
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
    The recursion starts at the exact E[G_L], of shape (D_L, D_L): the mean of H_L, or of the matrix that replaces an
    indefinite H_L. With W_{l+1} without its bias, a step of the recursion is::

        E[G_l] ~ (W_{l+1}^T E[G_{l+1}] W_{l+1}) * 1/N sum_n f'(h_l) f'(h_l)^T

    In a network without positions, the approximation is exact for the last layer, for the last two layers if H_L is
    constant, for linear networks and for N = 1.

    The cost is one forward pass, one backward pass and three computations per layer. In multiplications, the mean of
    f' f'^T costs N D_l^2, Q_l costs N (D_{l-1} + 1)^2, and the recursion costs D_{l+1} D_l (D_{l+1} + D_l). E[H_L] adds
    N D_L^2 for categorical, and at most N D_L for squared_error and bernoulli.

    The number of outputs D_L affects three costs: the passes, E[H_L] and the first step of the recursion. At the last
    layer, the forward pass needs N D_L D_{L-1} multiplications, and the backward pass with the gradient twice as many.
    Apart from the arguments and the gradient, the arrays whose size depends on D_L are the outputs of the batch,
    dE/dh_L, G_L (D_L, D_L) and temporary arrays.

    Examples
    --------
    {example}
    >>> loss, gradient, Q, G = kfgn.kfra(network, weights, X, Y)
    >>> print(G[0].round(3))
    [[0.07  0.089 0.056]
     [0.089 0.2   0.069]
     [0.056 0.069 0.046]]
    """
    (W_1, *_), _, _ = batch = checked_batch(network, weights, X, Y, check=check)
    check_memory(network, W_1)
    at = linearised_for_gauss_newton(network, *batch)
    return loss_and_factors(at, *kfra_factor(at))
