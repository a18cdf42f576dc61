"""The embedding of tokens, a dense layer whose one-hot inputs are stored as tokens."""

import math
from dataclasses import dataclass
from typing import ClassVar

from array_api_compat import array_namespace

from .._algebra.matrices import diagonal, second_moment
from .._documentation import Documented
from .._types import Array, Arrays, Namespace
from .._validation.scalars import checked_count, set_fields
from .blocks import BlockPerGroup
from .layer_map import Shape
from .masks import Mask
from .tokens import counts, indices, is_token, one_hot, sums_of_tokens
from .transfers import TransferName, checked_transfer

LARGEST = 2**24
"""The largest number V of tokens. Tokens are stored in the dtype of the weights, and float32 is exact up to 2^24."""


@dataclass(frozen=True)
class Embedding(metaclass=Documented):
    """The embedding of tokens: at each position t, h_t is the column of W_l that belongs to the token x_t.

    An `Embedding` is the first layer of its network. The `inputs` of the network is (V, T) for V different tokens and T
    positions, or (V, H, W). X has shape (N, T) or (N, H, W) and any integer dtype. The elements of X are tokens from
    0 to V - 1. An `Embedding` is hashable and holds no array.

    Parameters
    ----------
    units : int
        D_l, the number of elements of the vector of a token, positive.
    transfer : str or tuple of (str, float), default "identity"
        f_l, applied to every channel at every position: a name such as "tanh", or a pair such as ("leaky_relu", 0.01).

    Raises
    ------
    TypeError
        For values of a wrong type.
    ValueError
        For a number of units that is not positive, for an unknown transfer function, for a parameter that float32
        cannot hold, or for a `transfer` with a wrong number of elements.

    Notes
    -----
    W_l has shape (D_l, V), and is the transpose of the weight of `torch.nn.Embedding`. The layer equals a `Dense` layer
    without a bias whose inputs are one-hot vectors of V elements: the loss, the gradient, products, blocks and factors
    are the same. One-hot vectors are made only for exact blocks and for `ekfac`, `ekfac_diagonal`, `kfoc`, `tkfac` and
    `tnt`.

    Q_l (V, V) is stored as a dense matrix. The Cholesky factorisation of Q_l in `KroneckerFactored` costs V^3 / 6
    multiplications. In `kfra`, in `foof` and with `sharing` "expand", Q_l is the diagonal matrix of the frequencies of
    the tokens. `HessianFree`, `SGD` and `Adam` need no Q_l.

    The gradient of a column of W_l is a sum over the positions that have its token. The positions are sorted by token,
    and the sums need about log2(N T) additions of arrays (N T, D_l). The order of the additions is fixed, so repeated
    runs on a device give the same digits.

    Examples
    --------
    >>> import numpy as np
    >>> import kfgn
    >>> layers = kfgn.Embedding(4), kfgn.Normalisation(), kfgn.ScaleShift(), kfgn.Dense(2)
    >>> network = kfgn.Network((7, 3), layers, "squared_error")
    >>> weights = [np.ones(shape) for shape in network.weight_shapes]
    >>> Q = kfgn.kfra(network, weights, X=np.array([[6, 0, 6]]), Y=np.zeros((1, 3, 2))).Q[0]
    >>> print(3 * np.diagonal(Q))
    [1. 0. 0. 0. 0. 0. 2.]
    """

    units: int
    transfer: TransferName = "identity"

    bias: ClassVar[bool] = False

    def __post_init__(self) -> None:
        set_fields(self, units=checked_count("units", self.units), transfer=checked_transfer("transfer", self.transfer))

    def weight_shape(self, inputs: int) -> tuple[int, int]:
        """The shape of W_l for V tokens: (D_l, V)."""
        return self.units, inputs

    def at(self, shape: Shape) -> tuple["EmbeddingMap", Shape]:
        """The map of the layer for inputs of a shape, and the shape of its outputs.

        Raises `ValueError` for more than 2^24 tokens.
        """
        V, *positions = shape
        if V > LARGEST:
            raise ValueError(f"inputs: expected at most 2^24 tokens, got {V}")
        return EmbeddingMap(V), (self.units, *positions)


@dataclass(frozen=True)
class EmbeddingMap(BlockPerGroup):
    """An embedding as the first layer of a network: the methods of `WeightedMap` that a first layer needs.

    Nothing is propagated below the first layer. The rows `inputs` (R, 1) are tokens in the dtype of the weights.
    """

    tokens: int

    mixes_positions: ClassVar[bool] = False

    def inputs(self, xp: Namespace, a: Array) -> Array:  # noqa: ARG002
        """The tokens, (R, 1)."""
        return a

    def input_tangents(self, xp: Namespace, R_a: Array) -> Array:  # noqa: ARG002
        """Rows of -1, whose one-hot vectors are 0. The derivative is 0, since tokens do not depend on the weights."""
        return 0 * R_a - 1

    def by_group(self, inputs: Array) -> Arrays:
        """The one-hot vectors of the tokens, (R, V)."""
        return (one_hot(inputs, self.tokens),)

    def preactivations(self, W: Array, inputs: Array) -> Array:
        """For each row, the column of W that belongs to its token, or NaN if the row contains no token: (R, D)."""
        xp = array_namespace(W)
        columns = xp.take(W, indices(inputs, self.tokens), axis=1).T
        return xp.where(is_token(inputs, self.tokens), columns, xp.full_like(columns, math.nan))

    def mean_gradient(self, dE_dh: Array, inputs: Array) -> Array:
        """For each token, the sum of dE/dh over its rows, divided by the number R of all rows: (D, V)."""
        return sums_of_tokens(dE_dh, inputs, self.tokens).T / dE_dh.shape[0]

    def second_moments(self, inputs: Array, T: int, sharing: str, mask: Mask | None) -> Arrays:
        """Q (V, V): the diagonal matrix of the frequencies of the tokens for "expand".

        For "reduce", Q is the second moment over datapoints of the frequencies within each datapoint.
        """
        xp, R = array_namespace(inputs), inputs.shape[0]
        if mask is not None:
            inputs = xp.where(mask.rows, inputs, xp.full_like(inputs, -1))  # -1 is no token
        if sharing == "expand" or T == 1:
            tokens = R if mask is None else xp.sum(mask.numbers(inputs))
            return (diagonal(xp, counts(xp.reshape(inputs, (1, -1)), self.tokens)[0, :] / tokens),)
        positions = T if mask is None else mask.numbers(inputs)
        return (second_moment(xp, counts(xp.reshape(inputs, (-1, T)), self.tokens) / positions),)
