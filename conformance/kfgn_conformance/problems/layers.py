"""The records of layers, and the shapes of the activations and of the weights of a network.

The shape of an activation is (D,) in a network of the paper. In a network with shared weights, the shape is (C, T),
with C channels at each of T positions, or (C, H, W) for an image with H W positions.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from .shapes import Shape as Shape, Transfer as Transfer
from .token_layers import Embedding as Embedding, Normalisation as Normalisation, ScaleShift as ScaleShift
from .window_layers import Convolution as Convolution, Pooling as Pooling


@dataclass(frozen=True)
class Dense:
    """A dense layer, h_l = W_l a_{l-1} and a_l = f_l(h_l). With shared weights, W_l acts on each position separately.

    Parameters
    ----------
    units : int
        The number D_l of outputs, or of output channels with shared weights.
    transfer : str or tuple of str and float, default "identity"
        The transfer function f_l: a name, or a name with its parameter. The transfer function of the last layer is the
        identity.
    bias : bool, default True
        True if a 1 is appended to a_{l-1}. This 1 multiplies the last column of W_l.

    Notes
    -----
    Each kind of layer has a separate class. `groups` is 1, since every output reads every input.

    Examples
    --------
    >>> from kfgn_conformance import Dense
    >>> Dense(5, "tanh").weight_shape(3), Dense(5, ("leaky_relu", 0.01), bias=False).weight_shape(3)
    ((5, 4), (5, 3))
    """

    units: int
    transfer: Transfer = "identity"
    bias: bool = True

    groups: ClassVar[int] = 1

    def weight_shape(self, inputs: int) -> tuple[int, int]:
        """The shape of W_l: (D_l, D_{l-1} + 1), or (D_l, D_{l-1}) without a bias, where `inputs` is D_{l-1}."""
        return self.units, inputs + self.bias

    def output_shape(self, below: Shape) -> Shape:
        """(D_l, *positions), where `below` is the shape of a_{l-1}."""
        return self.units, *below[1:]


@dataclass(frozen=True)
class Flatten:
    """A layer without weights that moves all entries of an activation (C, T) to one position, (C T, 1).

    The channels of a position stay next to each other. T is the number of positions over all axes.

    Examples
    --------
    >>> from kfgn_conformance import Flatten
    >>> Flatten().output_shape((4, 8))
    (32, 1)
    """

    def output_shape(self, below: Shape) -> Shape:
        """(C T, 1), where `below` is the shape of a_{l-1} with T positions."""
        return math.prod(below), 1


Weighted: TypeAlias = Dense | Convolution | ScaleShift | Embedding
"""A layer with weights and a transfer function."""

Layer: TypeAlias = Weighted | Pooling | Flatten | Normalisation
"""A layer of a network. All kinds except `Dense` occur only in networks with shared weights."""


def positions_of(shape: Shape) -> int:
    """T, the number of positions of an activation (C, *positions)."""
    return math.prod(shape[1:])


def dense_layers(widths: Sequence[int], transfers: Sequence[Transfer]) -> tuple[Dense, ...]:
    """Make dense layers with biases from `widths` D_0, ..., D_L and `transfers` f_1, ..., f_{L-1}."""
    return tuple(Dense(D, f) for D, f in zip(widths[1:], (*transfers, "identity"), strict=True))


def activation_shapes(inputs: int | Shape, layers: Sequence[Layer]) -> list[Shape]:
    """The shapes of a_0, ..., a_L, where `inputs` is D_0, or the shape of a_0."""
    shapes = [(inputs,) if isinstance(inputs, int) else inputs]
    for layer in layers:
        shapes.append(layer.output_shape(shapes[-1]))
    return shapes


def weight_shapes(inputs: int | Shape, layers: Sequence[Layer]) -> list[tuple[int, int]]:
    """The shape of W_l for each layer with weights, where `inputs` is D_0, or the shape of a_0."""
    pairs = zip(layers, activation_shapes(inputs, layers), strict=False)
    return [layer.weight_shape(below[0]) for layer, below in pairs if isinstance(layer, Weighted)]


def group_shapes(layer: Weighted, shape: tuple[int, int]) -> list[tuple[int, int]]:
    """For each group, the shape (outputs, inputs) of its weights. `shape` is the shape of the weights of the layer.

    The single group of a scale-and-shift layer is vec(W_l), a matrix with one column.
    """
    rows, columns = shape
    if isinstance(layer, ScaleShift):
        return [(rows * columns, 1)]
    return [(rows // layer.groups, columns)] * layer.groups


def has_bias_column(layer: Weighted, shape: tuple[int, int]) -> bool:
    """True if the last column of weights of this shape is the bias.

    The single group of a scale-and-shift layer has one column, and therefore no bias column.
    """
    return layer.bias and shape[1] > 1


def has_tokens(layers: Sequence[Layer]) -> bool:
    """True for a network whose inputs are tokens."""
    return bool(layers) and isinstance(layers[0], Embedding)


def inputs_shape(inputs: int | Shape, layers: Sequence[Layer]) -> Shape:
    """The shape of a datapoint x: that of a_0, or (*positions) for tokens."""
    shape = (inputs,) if isinstance(inputs, int) else inputs
    return shape[1:] if has_tokens(layers) else shape


def name_of(transfer: Transfer) -> str:
    """The name of a transfer function without its parameter."""
    return transfer if isinstance(transfer, str) else transfer[0]
