"""The embedding of tokens, a dense layer whose one-hot inputs are kept as tokens."""

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
from .tokens import counts, indices, is_token, one_hot, sums_of_tokens
from .transfers import TransferName, checked_transfer

LARGEST = 2**24
"""The largest number of tokens, since float32 has every integer up to this number."""


@dataclass(frozen=True)
class Embedding(metaclass=Documented):
    """The embedding of tokens: h_t = W_l e_{x_t}, column x_t of W_l, at each position t.

    An `Embedding` is the first layer of its network, whose inputs are then tokens. `inputs` is (V, T) with the number V
    of tokens and the number T of positions, or (V, H, W). X (N, T) or (N, H, W) has a token from 0 to V - 1 at each
    position, of any integer dtype. An `Embedding` is hashable and holds no array.

    Parameters
    ----------
    units : int
        D_l, the number of elements of the vector of a token, positive.
    transfer : str or tuple of (str, float), default "identity"
        f_l: a name or a pair such as ("leaky_relu", 0.01), for every channel and position.

    Raises
    ------
    TypeError
        For values of a wrong type.
    ValueError
        For a number of units that is not positive, and for an unknown transfer function.

    Notes
    -----
    W_l has shape (D_l, V). It is the transposed weight of an embedding of PyTorch. The layer equals a `Dense` without a
    bias whose inputs are one-hot vectors of V elements, and has its loss, gradient, products, blocks and factors. No
    one-hot vectors are made, except by functions that return the exact blocks, whose cost is larger.

    Q_l (V, V) is stored as a dense matrix, and `KroneckerFactored` inverts it with V^3 / 6 multiplications. With
    "expand", it is the diagonal matrix of the frequencies of the tokens. `HessianFree`, `SGD` and `Adam` need no Q_l.

    The gradient is a sum over equal tokens. It is computed from sorted tokens with log2(N T) additions of (N T, D_l)
    numbers, so that it has the same digits on repeated runs on every device.

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
        """Rows of -1, which are no tokens and count nowhere, since the tokens do not depend on the weights."""
        return 0 * R_a - 1

    def by_group(self, inputs: Array) -> Arrays:
        """The one-hot vectors of the tokens, (R, V)."""
        return (one_hot(inputs, self.tokens),)

    def preactivations(self, W: Array, inputs: Array) -> Array:
        """The columns of W of the tokens, (R, D), and NaN for a number that is no token."""
        xp = array_namespace(W)
        columns = xp.take(W, indices(inputs, self.tokens), axis=1).T
        return xp.where(is_token(inputs, self.tokens), columns, xp.full_like(columns, math.nan))

    def mean_gradient(self, dE_dh: Array, inputs: Array) -> Array:
        """The sums of dE/dh over the rows of each token, over the number of rows, (D, V)."""
        return sums_of_tokens(dE_dh, inputs, self.tokens).T / dE_dh.shape[0]

    def second_moments(self, inputs: Array, T: int, sharing: str) -> Arrays:
        """The frequencies of the tokens as a diagonal matrix, or the second moment of the frequencies per datapoint."""
        xp = array_namespace(inputs)
        if sharing == "expand" or T == 1:
            return (diagonal(xp, counts(xp.reshape(inputs, (1, -1)), self.tokens)[0, :] / inputs.shape[0]),)
        return (second_moment(xp, counts(xp.reshape(inputs, (-1, T)), self.tokens) / T),)
