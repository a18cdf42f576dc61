"""FOOF (Benzing, 2022): the factor of the inputs alone."""

from .._algebra.matrices import identity_like
from .._documentation import with_shared_text
from .._linearisation.linearisation import Linearisation, checked_batch, linearised
from .._network.network import Network
from .._types import Array, Arrays, Weights
from ..backends import with_own_settings
from .factor_memory import check_memory
from .loss_and_factors import LossAndFactors


def foof_factors(at: Linearisation) -> tuple[Arrays, Arrays]:
    """For every group, the Q of "expand" and the identity G."""
    G = tuple(identity_like(at.xp, D, at.outputs) for D, _ in at.network.block_shapes)
    return at.input_moments(), G


@with_own_settings
@with_shared_text
def foof(network: Network, weights: Weights, X: Array, Y: Array, *, check: bool = True) -> LossAndFactors:
    """The loss, its gradient and the Kronecker factors of FOOF (Benzing, 2022), whose second factor is the identity.

    The block Q kron I is independent of the objective and of its scale. Let g be the gradient of a layer, and let the
    step of its weights be -g Q^-1. With one position per datapoint, the resulting changes of the pre-activations are
    the least-squares fit to the negative gradients -dE/dh_l by linear functions of the inputs of the layer. The method
    is not in the paper of Botev et al.

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
        The loss, the gradient, the Q of `kfra`, and identity matrices G. `Network.divisor` divides the loss and its
        gradient, but not the factors.

    Raises
    ------
    {errors}
    {memory_error}

    Notes
    -----
    With positions, Q is the Q of "expand", a mean over the positions too. The cost is one forward and one backward
    pass, and at most N T P_l^2 multiplications for each Q, where W_l has P_l columns and is used at T positions.

    Examples
    --------
    {example}
    >>> loss, gradient, Q, G = kfgn.foof(network, weights, X, Y)
    >>> print(Q[0].round(3) + 0.0)
    [[ 1.417 -0.167  0.833]
     [-0.167  0.667  0.   ]
     [ 0.833  0.     1.   ]]
    >>> print(G[1])
    [[1. 0.]
     [0. 1.]]
    """
    (W_1, *_), _, _ = batch = checked_batch(network, weights, X, Y, check=check)
    check_memory(network, W_1)
    at = linearised(network, *batch)
    return LossAndFactors(at.loss(), at.mean_gradient(at.dE_dh()), *foof_factors(at))
