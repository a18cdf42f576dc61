"""The records of layers with windows of positions: convolutions and pooling, of sequences and of images."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .shapes import Shape, Transfer
from .windows import Padding, PerAxis, Window, windows


@dataclass(frozen=True)
class Convolution:
    """A convolution: h_l at position t is W_l times the patch of a_{l-1} at position t, and a_l is f_l(h_l).

    Parameters
    ----------
    units : int
        The number of output channels.
    width : int or tuple of int
        The number of taps of the kernel, or (height, width) for images.
    transfer : str or tuple of str and float, default "identity"
        The transfer function f_l: a name, or a name with its parameter.
    bias : bool, default True
        True if a 1 is appended to each patch. This 1 multiplies the last column of W_l.
    stride : int or tuple of int, default 1
        The distance between the first inputs of neighbouring output positions, for all axes or for each axis.
    padding : tuple of two int, or tuple of pairs of int, default (0, 0)
        The numbers of positions that are added: (left, right), or ((top, bottom), (left, right)) for images. (0, 0)
        means no padding of any axis.
    circular : bool, default False
        True if the added positions repeat the other end of the input, and False if the added positions are zeros.
    dilation : int or tuple of int, default 1
        The distance between the inputs of neighbouring taps, for all axes or for each axis.
    groups : int, default 1
        The number of groups of channels. Group j of the outputs reads only group j of the inputs.

    Notes
    -----
    Along one axis, tap k of the patch of position t has the channels of the input position
    t stride + k dilation - padding[0], where t and k start at 0. A patch has all channels of tap 0, then all channels
    of tap 1, and so on. W_l has the columns [W_0, W_1, ..., b], where W_k (units, C / groups) is the matrix of tap k,
    and b is the bias. A kernel of PyTorch, of shape (units, C / groups, width), is in W_l as
    `kernel.transpose(0, 2, 1).reshape(units, -1)`.

    The taps and the positions of an image have row-major order. A kernel of PyTorch for images, of shape (units,
    C / groups, height, width), is therefore in W_l as `kernel.transpose(0, 2, 3, 1).reshape(units, -1)`.

    Examples
    --------
    >>> from kfgn_conformance import Convolution
    >>> layer = Convolution(4, width=3, transfer="tanh", padding=(1, 0))
    >>> layer.weight_shape(2), layer.output_shape((2, 7))
    ((4, 7), (4, 6))
    >>> Convolution(4, width=(2, 3), padding=((1, 0), (0, 0))).output_shape((2, 7, 5))
    (4, 7, 3)
    """

    units: int
    width: PerAxis
    transfer: Transfer = "identity"
    bias: bool = True
    stride: PerAxis = 1
    padding: Padding = (0, 0)
    circular: bool = False
    dilation: PerAxis = 1
    groups: int = 1

    @property
    def windows(self) -> tuple[Window, ...]:
        """The windows along each axis of the positions."""
        return windows(self.width, self.stride, self.padding, self.dilation)

    @property
    def taps(self) -> int:
        """The number of taps of the kernel, over all axes."""
        return math.prod(window.width for window in self.windows)

    def weight_shape(self, inputs: int) -> tuple[int, int]:
        """The shape of W_l, where `inputs` is the number of input channels."""
        return self.units, inputs // self.groups * self.taps + self.bias

    def output_shape(self, below: Shape) -> Shape:
        """(units, *positions), where `below` is the shape of a_{l-1}."""
        return self.units, *output_positions(self.windows, below)


@dataclass(frozen=True)
class Pooling:
    """The mean or the sum over windows of positions, in each channel alone. The layer has no weights.

    Parameters
    ----------
    width : int or tuple of int
        The number of positions of a window, or (height, width) for images.
    stride : int or tuple of int
        The distance between neighbouring windows, for all axes or for each axis. Positions after the last whole window
        are not used.
    kind : {"mean", "sum"}
        The operation over each window.

    Examples
    --------
    >>> from kfgn_conformance import Pooling
    >>> Pooling(3, 2, "mean").output_shape((4, 8))
    (4, 3)
    """

    width: PerAxis
    stride: PerAxis
    kind: str

    @property
    def windows(self) -> tuple[Window, ...]:
        """The windows along each axis of the positions."""
        return windows(self.width, self.stride)

    @property
    def taps(self) -> int:
        """The number of positions of a window, over all axes."""
        return math.prod(window.width for window in self.windows)

    def output_shape(self, below: Shape) -> Shape:
        """(C, *positions), where `below` is the shape of a_{l-1}."""
        return below[0], *output_positions(self.windows, below)


def output_positions(along: Sequence[Window], below: Shape) -> tuple[int, ...]:
    """The number of output positions along each axis, where `below` is the shape (C, *positions) of the inputs."""
    return tuple(window.outputs(T) for window, T in zip(along, below[1:], strict=True))
