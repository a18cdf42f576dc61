"""Datapoints of different length as one array with padding, and a mask of the positions that count."""

from typing import Any, NamedTuple

from .._documentation import documented_tuple
from .._types import Array


@documented_tuple
class Padded(NamedTuple):
    """A batch of datapoints of different length, padded to one length, with a mask of the positions that count.

    A `Padded` can be the argument X of every function and of every optimiser, for a network with positions. A masked
    position is not a position of its datapoint. X and Y may have any values there, such as the label -100, and these
    values have no influence on any result. A `Padded` is a named tuple of two arrays, and so a pytree for JAX and
    PyTorch.

    Attributes
    ----------
    values : array, shape (N, C, T) or (N, C, H, W)
        The inputs in the dtype of the weights. For an `Embedding`, integer tokens (N, T) or (N, H, W).
    mask : array, shape (N, T) or (N, H, W)
        True where a position counts, of the dtype bool. Each datapoint has a counted position.

    Notes
    -----
    Layers that act on each position alone take any mask. So does a `Pooling` of width None. A `Convolution` and every
    other `Pooling` have windows, and need the counted positions of a datapoint first: the padding is on the right. With
    two axes of positions, the first H_n rows and W_n columns count. For each datapoint, the counted outputs of a layer
    with windows are those of the datapoint alone, without its masked positions. After the last counted position, a
    convolution reads zeros of its own padding. The targets Y have the positions of the outputs. After a layer with
    windows, the masked positions of a datapoint are those after its last output.

    A `Convolution` with circular padding takes no mask if its inputs have several positions. The same is true of a
    `Flatten`.

    Let datapoint n have T_n counted positions. Means over all N T positions of a batch become sums over the counted
    positions, divided by the sum of all T_n. Means over the positions of a datapoint are divided by T_n. Means over
    datapoints are divided by N.

    Examples
    --------
    >>> import numpy as np
    >>> import kfgn
    >>> network = kfgn.Network((2, 3), (kfgn.Dense(2),), "categorical", divisor="positions")
    >>> weights = [np.linspace(-1, 1, 6).reshape(2, 3)]
    >>> values, Y = np.ones((2, 2, 3)), np.array([[0, 1, 1], [1, -100, -100]])
    >>> X = kfgn.Padded(values, mask=np.array([[True, True, True], [True, False, False]]))
    >>> print(kfgn.loss(network, weights, X, Y).round(4))
    0.927
    """

    values: Array
    mask: Array


def values_of(X: Any) -> Array:
    """The array of the inputs, from an array or from a `Padded`."""
    return X.values if isinstance(X, Padded) else X
