"""The records of layers, and the shapes of activations and weights. Only this module computes shapes from layers.

The shape of an activation is (D,) in a network of the paper, and (C, T) in a network with shared weights: C channels at
each of T positions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

Transfer = str | tuple[str, float]
"""A transfer function: a name, or a name with its parameter, such as ("leaky_relu", 0.01)."""

Shape: TypeAlias = tuple[int, ...]
"""The shape of the activation of a datapoint: (D,), or (C, T)."""


@dataclass(frozen=True)
class Dense:
    """A dense layer, h_l = W_l a_{l-1} and a_l = f_l(h_l). With shared weights, W_l acts on each position alone.

    Parameters
    ----------
    units : int
        D_l.
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
        """(D_l,) or (D_l, T), where `below` is the shape of a_{l-1}."""
        return self.units, *below[1:]


@dataclass(frozen=True)
class Convolution:
    """A 1-d convolution: h_l at position t is W_l times the patch of a_{l-1} at position t, and a_l is f_l(h_l).

    Parameters
    ----------
    units : int
        The number of output channels.
    width : int
        The number of taps of the kernel.
    transfer : str or tuple of str and float, default "identity"
        The transfer function f_l: a name, or a name with its parameter. The transfer function of the last layer is the
        identity.
    bias : bool, default True
        True if a 1 is appended to each patch. This 1 multiplies the last column of W_l.
    stride : int, default 1
        The distance between the first inputs of neighbouring output positions.
    padding : tuple of two int, default (0, 0)
        The numbers of positions that are added on the left and on the right.
    circular : bool, default False
        True if the added positions repeat the other end of the input, and False if the added positions are zeros.
    dilation : int, default 1
        The distance between the inputs of neighbouring taps.
    groups : int, default 1
        The number of groups of channels. Group j of the outputs reads group j of the inputs alone.

    Notes
    -----
    The patch of position t has the channels of the input position t stride + k dilation - padding[0] for each tap k
    from 0, tap by tap. W_l has the columns [W_0, W_1, ..., b], where W_k (units, C / groups) is the matrix of tap k,
    and b is the bias. A kernel of PyTorch, of shape (units, C / groups, width), is in W_l as
    `kernel.transpose(0, 2, 1).reshape(units, -1)`.

    Examples
    --------
    >>> from kfgn_conformance import Convolution
    >>> layer = Convolution(4, width=3, transfer="tanh", padding=(1, 0))
    >>> layer.weight_shape(2), layer.output_shape((2, 7))
    ((4, 7), (4, 6))
    """

    units: int
    width: int
    transfer: Transfer = "identity"
    bias: bool = True
    stride: int = 1
    padding: tuple[int, int] = (0, 0)
    circular: bool = False
    dilation: int = 1
    groups: int = 1

    def weight_shape(self, inputs: int) -> tuple[int, int]:
        """The shape of W_l, where `inputs` is the number of input channels."""
        return self.units, inputs // self.groups * self.width + self.bias

    def output_shape(self, below: Shape) -> Shape:
        """(units, T'), where `below` is the shape (C, T) of a_{l-1}."""
        span = self.dilation * (self.width - 1)
        return self.units, (below[1] + sum(self.padding) - span - 1) // self.stride + 1


@dataclass(frozen=True)
class Pooling:
    """The mean or the sum over windows of positions, in each channel alone. The layer has no weights.

    Parameters
    ----------
    width : int
        The number of positions of a window.
    stride : int
        The distance between neighbouring windows. Positions after the last whole window are not used.
    kind : {"mean", "sum"}
        The operation over each window.

    Examples
    --------
    >>> from kfgn_conformance import Pooling
    >>> Pooling(3, 2, "mean").output_shape((4, 8))
    (4, 3)
    """

    width: int
    stride: int
    kind: str

    def output_shape(self, below: Shape) -> Shape:
        """(C, T'), where `below` is the shape (C, T) of a_{l-1}."""
        return below[0], (below[1] - self.width) // self.stride + 1


@dataclass(frozen=True)
class Flatten:
    """All entries of an activation (C, T) at one position, (C T, 1): vec, with a position's channels side by side.

    The layer has no weights.

    Examples
    --------
    >>> from kfgn_conformance import Flatten
    >>> Flatten().output_shape((4, 8))
    (32, 1)
    """

    def output_shape(self, below: Shape) -> Shape:
        """(C T, 1), where `below` is the shape (C, T) of a_{l-1}."""
        return below[0] * below[1], 1


Weighted: TypeAlias = Dense | Convolution
"""A layer with weights, which has a transfer function."""

Layer: TypeAlias = Dense | Convolution | Pooling | Flatten
"""A layer of a network. The kinds except `Dense` occur in networks with shared weights alone."""


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


def name_of(transfer: Transfer) -> str:
    """The name of a transfer function without its parameter."""
    return transfer if isinstance(transfer, str) else transfer[0]
