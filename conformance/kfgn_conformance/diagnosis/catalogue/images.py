"""Mistakes with the two axes of images: the axes are exchanged, or only one axis is treated correctly.

None of these mistakes has an effect on a sequence, which has one axis.
"""

from dataclasses import replace

import numpy as np

from ...problems.layers import Convolution, Pooling
from ...problems.problem import Array
from ..mistake import mistake
from ..textbook.shared_weights import SharedTextbook
from .patches import OtherInputs


def by_columns(sizes: tuple[int, ...]) -> Array:
    """The row-major index of every position of an image, with the positions in column-major order."""
    return np.arange(int(np.prod(sizes))).reshape(sizes).T.ravel()


def without_added_rows(padded: Array, layer: Convolution, sizes: tuple[int, ...]) -> Array:
    """Replace the rows that the padding has added to an activation (N, C, H, W) by zeros. A sequence is unchanged.

    sizes: the numbers of positions without the padding
    """
    if len(sizes) == 1:
        return padded
    kept, first = padded.copy(), layer.windows[0].padding[0]
    kept[:, :, :first] = 0
    kept[:, :, first + sizes[0] :] = 0
    return kept


@mistake()
class PatchTapsByColumns(OtherInputs):
    """The taps of an image's patch are in column-major order: the position along the height changes fastest."""

    def wrong_inputs(self, l: int, layer: Convolution) -> Array:
        windows = self.windows(l, layer, self.a[l - 1])
        order = by_columns(tuple(window.width for window in layer.windows))
        return self.with_unit(layer, windows[:, :, :, order].reshape(*windows.shape[:3], -1))


@mistake()
class PatchPositionsByColumns(OtherInputs):
    """The patches of an image are in column-major order of the positions, and the derivatives in row-major order."""

    def wrong_inputs(self, l: int, layer: Convolution) -> Array:
        return self.unfolded(l, layer)[:, :, by_columns(self.along_axes(l))]


@mistake()
class PatchPaddingOfAxesExchanged(OtherInputs):
    """In the patches of an image, the paddings of height and width are exchanged.

    `torch.nn.functional.pad` expects the padding of the last axis first.
    """

    def wrong_inputs(self, l: int, layer: Convolution) -> Array:
        return self.unfolded(l, replace(layer, padding=tuple(window.padding for window in layer.windows[::-1])))


@mistake()
class PatchStrideOfAxesExchanged(OtherInputs):
    """In the patches of an image, the strides of height and width are exchanged."""

    def wrong_inputs(self, l: int, layer: Convolution) -> Array:
        return self.unfolded(l, replace(layer, stride=tuple(window.stride for window in layer.windows[::-1])))


@mistake()
class PatchDilationOfAxesExchanged(OtherInputs):
    """In the patches of an image, the dilations of height and width are exchanged."""

    def wrong_inputs(self, l: int, layer: Convolution) -> Array:
        return self.unfolded(l, replace(layer, dilation=tuple(window.dilation for window in layer.windows[::-1])))


@mistake()
class PatchCircularAlongTheLastAxis(OtherInputs):
    """In the patches of an image, circular padding repeats the other end along the width, and is 0 along the height."""

    def wrong_inputs(self, l: int, layer: Convolution) -> Array:
        rows = without_added_rows(self.padded(l, layer, self.a[l - 1]), layer, self.along_axes(l - 1))
        read = self.in_groups(self.read(rows, self.sources(l, layer)), layer.groups)
        windows = read.transpose(0, 1, 3, 4, 2)
        return self.with_unit(layer, windows.reshape(*windows.shape[:3], -1))


@mistake()
class FlattenedByColumns(SharedTextbook):
    """A flattened image has its positions in column-major order."""

    def flattened(self, l: int, a: Array) -> Array:
        return super().flattened(l, a[:, :, by_columns(self.along_axes(l - 1))])

    def unflattened(self, l: int, d: Array) -> Array:
        return super().unflattened(l, d)[..., np.argsort(by_columns(self.along_axes(l - 1)))]


@mistake()
class FlattenedByColumnsBackward(SharedTextbook):
    """In the backward pass through a flattened image, the positions are in column-major order."""

    def unflattened(self, l: int, d: Array) -> Array:
        return super().unflattened(l, d)[..., np.argsort(by_columns(self.along_axes(l - 1)))]


@mistake()
class PoolingDividedByOneSide(SharedTextbook):
    """The mean over a window of an image is the sum divided by the height of the window alone."""

    def share(self, l: int, layer: Pooling) -> Array:
        divided = layer.kind == "mean" and len(layer.windows) > 1
        return np.full(self.N, 1 / layer.windows[0].width) if divided else super().share(l, layer)


@mistake()
class KernelReversedAlongOneAxisBackward(SharedTextbook):
    """In the backward pass through a convolution of images, the kernel is reversed along its height alone."""

    def taps_back(self, l: int) -> Array:
        kernel, windows = super().taps_back(l), self.of_weights(l).windows
        if len(windows) == 1:
            return kernel
        sides = kernel.reshape(*kernel.shape[:2], windows[0].width, -1, kernel.shape[3])
        return sides[:, :, ::-1].reshape(kernel.shape)


@mistake()
class KernelTransposedBackward(SharedTextbook):
    """In the backward pass through a convolution of images, the taps of the kernel are in column-major order."""

    def taps_back(self, l: int) -> Array:
        return super().taps_back(l)[:, :, by_columns(tuple(window.width for window in self.of_weights(l).windows))]


@mistake()
class WrapOfTheHeightForgottenBackward(SharedTextbook):
    """In the backward pass through circular padding of images, derivatives of the added rows are lost."""

    def unpadded(self, l: int, layer: Convolution, padded: Array) -> Array:
        by_datapoint = padded.reshape(-1, *padded.shape[2:])
        rows = without_added_rows(by_datapoint, layer, self.along_axes(l - 1))
        return super().unpadded(l, layer, rows.reshape(padded.shape))
