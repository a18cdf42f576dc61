"""The mean loss of Section 2.1 and its gradient (3)."""

from .._documentation import with_shared_text
from .._linearisation.linearisation import linearise
from .._network.network import Network
from .._types import Array, Arrays, Weights
from ..backends import with_own_settings


@with_own_settings
@with_shared_text
def loss(network: Network, weights: Weights, X: Array, Y: Array, *, check: bool = True) -> Array:
    """The mean loss of a batch.

    Parameters
    ----------
    {network}
    {weights}
    {X}
    {Y}
    {check}

    Returns
    -------
    array, shape ()
        1/N sum_n E(h_L(x_n), y_n). E is summed over the outputs of a datapoint. In a network with positions, E is
        summed over the output positions too, and divided by `network.divisor`.

    Raises
    ------
    {errors}

    Notes
    -----
    With the index i over the outputs, the objectives are::

        squared_error  E = 1/2 sum_i (h_i - y_i)^2
        bernoulli      E = -sum_i (y_i log p_i + (1 - y_i) log(1 - p_i)),  p_i = 1 / (1 + e^-h_i)
        categorical    E = -log p_y,  p = softmax(h)
        mixture        E = -log p(y | h), equation (27)

    The cost is one forward pass. The transformations of JAX can differentiate the result. In PyTorch, the result is a
    constant for `backward`, and `gradient` gives the derivatives.

    Examples
    --------
    {example}
    >>> print(kfgn.loss(network, weights, X, Y).round(3))
    0.762
    """
    return linearise(network, weights, X, Y, check=check).loss()


@with_own_settings
@with_shared_text
def gradient(network: Network, weights: Weights, X: Array, Y: Array, *, check: bool = True) -> Arrays:
    """The gradient of the mean loss with respect to the weights, equation (3).

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
        dE/dW_l, the mean over the N datapoints, in the shapes of the weights.

    Raises
    ------
    {errors}

    Notes
    -----
    The gradient of layer l is::

        dE/dW_l = 1/N sum_n dE/dh_l a_{l-1}^T

    With T positions, the product is summed over the positions of a datapoint. The cost is one forward and one backward
    pass.

    Examples
    --------
    {example}
    >>> print(kfgn.gradient(network, weights, X, Y)[1].round(3))
    [[-0.083 -0.044  0.026 -0.114]
     [ 0.083  0.044 -0.026  0.114]]
    """
    at = linearise(network, weights, X, Y, check=check)
    return at.mean_gradient(at.dE_dh())
