"""The convolution over one or two axes of positions, with stride, padding, dilation and groups."""

import math
from dataclasses import dataclass
from typing import Any

from .._documentation import Documented
from .._validation.scalars import checked_count, checked_flag, set_fields
from .axes import check_axes, checked_padding, checked_per_axis, per_axis
from .convolution_map import ConvolutionMap
from .layer_map import Shape
from .transfers import TransferName, checked_transfer
from .windows import Windows


@dataclass(frozen=True)
class Convolution(metaclass=Documented):
    """A convolution over the positions of a datapoint: h_t = W_l a_t with the patch a_t of output position t.

    A `Convolution` is hashable and holds no array. The layer needs a network whose `inputs` is (C, T) or (C, H, W).

    Parameters
    ----------
    units : int
        The number of output channels, positive.
    width : int or pair of int
        The number of taps of the kernel along each axis: an int for positions along one axis, and a pair for two axes.
    transfer : str or tuple of (str, float), default "identity"
        f_l, applied to every channel at every position: a name such as "tanh", or a pair such as ("leaky_relu", 0.01).
    bias : bool, default True
        True if the layer has a bias, which is the last column of W_l.
    stride : int or pair of int, default 1
        The distance between the patches of neighbouring output positions. If `width` is a pair, an int holds for both
        axes.
    padding : pair of int, or pair of pairs, default (0, 0)
        The numbers of positions that are added to the input: (left, right) for one axis, and
        ((top, bottom), (left, right)) for two axes.
    circular : bool, default False
        True if the added positions repeat the other end of the input, and False if they are zeros.
    dilation : int or pair of int, default 1
        The distance between the positions that neighbouring taps read. If `width` is a pair, an int holds for both
        axes.
    groups : int, default 1
        The number of groups of channels. The rows of W_l and the channels of the input are split into equal consecutive
        groups, and group j of the outputs reads group j of the inputs alone.

    Raises
    ------
    TypeError
        For values of a wrong type.
    ValueError
        For numbers that are out of range, for a tuple or list without exactly two elements, for an unknown transfer
        function, and for groups that do not divide `units`.

    Notes
    -----
    With a bias, W_l has shape (units, C / groups * taps + 1), for C input channels and a kernel of `taps` taps. A row
    has the weights of a patch, tap by tap, with the C / groups channels of a tap next to each other. The bias is at the
    end of the row. The taps of two axes are in row-major order. Along one axis, a kernel of PyTorch has shape
    (units, C / groups, width), and W_l without the bias is kernel.transpose(1, 2).reshape(units, -1).

    Count taps and positions from 0. With stride s, dilation d and p positions added on the left, tap k of output
    position t reads input position t s + k d - p.

    Examples
    --------
    >>> import kfgn
    >>> layer = kfgn.Convolution(4, width=3, transfer="tanh", padding=(1, 1))
    >>> layer.weight_shape(inputs=2)
    (4, 7)
    >>> network = kfgn.Network((2, 5), (layer, kfgn.Flatten(), kfgn.Dense(3)), "categorical")
    >>> network.weight_shapes
    ((4, 7), (3, 21))
    """

    units: int
    width: Any
    transfer: TransferName = "identity"
    bias: bool = True
    stride: Any = 1
    padding: Any = (0, 0)
    circular: bool = False
    dilation: Any = 1
    groups: int = 1

    def __post_init__(self) -> None:
        set_fields(self, units=checked_count("units", self.units), width=checked_per_axis("width", self.width))
        set_fields(
            self,
            transfer=checked_transfer("transfer", self.transfer),
            bias=checked_flag("bias", self.bias),
            stride=checked_per_axis("stride", self.stride, like=self.width),
            padding=checked_padding("padding", self.padding, like=self.width),
            circular=checked_flag("circular", self.circular),
            dilation=checked_per_axis("dilation", self.dilation, like=self.width),
            groups=checked_count("groups", self.groups),
        )
        if self.units % self.groups:
            raise ValueError(f"groups: expected a divisor of the {self.units} units, got {self.groups}")

    def weight_shape(self, inputs: int) -> tuple[int, int]:
        """The shape of W_l for C input channels: (units, C / groups * taps + 1), without the 1 if there is no bias."""
        return self.units, inputs // self.groups * math.prod(per_axis(self.width)) + self.bias

    def at(self, shape: Shape) -> tuple["ConvolutionMap", Shape]:
        """The map of the layer for inputs of a shape, and the shape of its outputs.

        Raises `ValueError` if the layer does not fit the shape.
        """
        C, *lengths = shape
        check_axes(self.width, lengths)
        if C % self.groups:
            raise ValueError(f"groups: expected a divisor of the {C} input channels, got {self.groups}")
        padding = (self.padding,) if isinstance(self.width, int) else self.padding
        options = (per_axis(self.width), per_axis(self.stride), per_axis(self.dilation), padding)
        windows = tuple(Windows(*w, self.circular) for w in zip(lengths, *options, strict=True))
        for w in windows:
            if self.circular and max(w.padding) > w.length:
                raise ValueError(
                    f"padding: expected at most {w.length} positions at each end, since circular padding repeats the "
                    f"{w.length} positions of the input, got {w.padding}"
                )
            if not w.fit:
                longest = w.length if self.circular else w.padded_length
                raise ValueError(f"width: expected a kernel of at most {longest} positions, got one of {w.span + 1}")
        at = ConvolutionMap(self.units, C, windows, self.groups, self.bias)
        return at, (self.units, *(w.outputs for w in windows))
