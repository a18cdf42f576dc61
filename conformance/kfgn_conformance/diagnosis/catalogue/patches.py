"""Mistakes in the inputs of layers with shared weights, above all in the patches of convolutions, and in groups.

In the names of mistakes, the unit is the last input of a patch: the 1 that multiplies the bias.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ...problems.layers import Convolution
from ...problems.problem import Array
from ..mistake import mistake
from ..textbook.shared_weights import SharedTextbook


def with_padding(layer: Convolution, f: Callable[[int, int], tuple[int, int]]) -> Convolution:
    """The record `layer`, in which f(left, right) replaces the padding (left, right) of each axis."""
    return replace(layer, padding=tuple(f(*window.padding) for window in layer.windows))


class OtherInputs(SharedTextbook):
    """The network is evaluated correctly, but the gradient and the curvature are computed from wrong inputs."""

    def wrong_inputs(self, l: int, layer: Convolution) -> Array:
        """The wrong inputs of layer l, an array of the shape of the right inputs."""
        raise NotImplementedError

    def inputs(self, l: int) -> Array:
        return self.wrong_inputs(l, self.of_weights(l))

    def unfolded(self, l: int, layer: Convolution) -> Array:
        """The inputs of layer l if its record is replaced by the record `layer`."""
        return self.with_unit(layer, self.patches(l, layer, self.a[l - 1]))


@mistake()
class PatchChannelsFirst(OtherInputs):
    """The inputs of a patch are channel by channel instead of tap by tap, as in `kernel.flatten(1)` of PyTorch.

    If this order is meant, declare `Conventions(patch="channels")`.
    """

    def wrong_inputs(self, l: int, layer: Convolution) -> Array:
        windows = self.windows(l, layer, self.a[l - 1])
        return self.with_unit(layer, windows.swapaxes(3, 4).reshape(*windows.shape[:3], -1))


@mistake()
class PatchReversed(OtherInputs):
    """The taps of a patch are in reversed order, as if the layer were a convolution and not a correlation."""

    def wrong_inputs(self, l: int, layer: Convolution) -> Array:
        windows = self.windows(l, layer, self.a[l - 1])
        return self.with_unit(layer, windows[:, :, :, ::-1].reshape(*windows.shape[:3], -1))


@mistake()
class PatchWithoutUnit(OtherInputs):
    """In a patch, the input that multiplies the bias is 0 instead of 1, in the gradient and in the curvature."""

    def wrong_inputs(self, l: int, layer: Convolution) -> Array:
        inputs = self.unfolded(l, layer)
        if layer.bias:
            inputs[..., -1] = 0
        return inputs


@mistake()
class PatchUnitPadded(OtherInputs):
    """The 1 that multiplies the bias is 0 at positions whose patch has zeros of the padding.

    The reason may be that the 1 was appended to the activations before the padding.
    """

    def wrong_inputs(self, l: int, layer: Convolution) -> Array:
        inputs = self.unfolded(l, layer)
        if layer.bias:
            inside = self.windows(l, replace(layer, groups=1), np.ones((self.N, 1, self.positions(l - 1))))
            inputs[..., -1] *= np.min(inside, axis=(3, 4))
        return inputs


@mistake()
class PatchUnitForEachTap(OtherInputs):
    """In a patch, the input that multiplies the bias is the number of taps instead of 1.

    The reason may be that a 1 is appended to the channels before the patches are formed.
    """

    def wrong_inputs(self, l: int, layer: Convolution) -> Array:
        inputs = self.unfolded(l, layer)
        if layer.bias:
            inputs[..., -1] = layer.taps
        return inputs


@mistake()
class PatchUnitFirst(OtherInputs):
    """The 1 that multiplies the bias is the first input of a patch instead of the last input."""

    def wrong_inputs(self, l: int, layer: Convolution) -> Array:
        inputs = self.unfolded(l, layer)
        return np.roll(inputs, 1, axis=3) if layer.bias else inputs


@mistake()
class PatchPaddingSwapped(OtherInputs):
    """In the patches, the paddings before the first and after the last position of every axis are exchanged."""

    def wrong_inputs(self, l: int, layer: Convolution) -> Array:
        return self.unfolded(l, with_padding(layer, lambda left, right: (right, left)))


@mistake()
class PatchPaddingForgotten(OtherInputs):
    """The patches begin at the first input and not in the padding."""

    def wrong_inputs(self, l: int, layer: Convolution) -> Array:
        return self.unfolded(l, with_padding(replace(layer, circular=False), lambda left, right: (0, left + right)))


@mistake()
class PatchStrideForgotten(OtherInputs):
    """The patches are read with stride 1, although the stride of the layer is not 1."""

    def wrong_inputs(self, l: int, layer: Convolution) -> Array:
        return self.unfolded(l, replace(layer, stride=1))


@mistake()
class PatchDilationForgotten(OtherInputs):
    """The taps of a patch are next to each other, although the dilation is not 1."""

    def wrong_inputs(self, l: int, layer: Convolution) -> Array:
        return self.unfolded(l, replace(layer, dilation=1))


@mistake()
class PatchZerosForCircular(OtherInputs):
    """The patches have zeros where circular padding repeats the other end of the input."""

    def wrong_inputs(self, l: int, layer: Convolution) -> Array:
        return self.unfolded(l, replace(layer, circular=False))


@mistake()
class PatchCircularForZeros(OtherInputs):
    """The patches repeat the other end of the input where the right patches have zeros of the padding."""

    def wrong_inputs(self, l: int, layer: Convolution) -> Array:
        return self.unfolded(l, replace(layer, circular=True))


@mistake()
class SharedInputsBeforeTheTransfer(OtherInputs):
    """In the gradient and the curvature, the inputs of layer l are h_{l-1} instead of a_{l-1} = f(h_{l-1})."""

    def wrong_inputs(self, l: int, layer: Convolution) -> Array:
        below = self.a[0] if l == 1 else self.h[l - 1]
        return self.with_unit(layer, self.patches(l, layer, below))


@mistake()
class SharedInputsCentred(OtherInputs):
    """In the gradient and the curvature, the mean over datapoints and positions is subtracted from the inputs.

    The inputs are centred as for a covariance.
    """

    def wrong_inputs(self, l: int, layer: Convolution) -> Array:
        inputs = self.unfolded(l, layer)
        kept = inputs.shape[3] - layer.bias
        counted = self.only_counted(l, np.moveaxis(inputs[..., :kept], 2, 3))
        mean = np.mean(np.sum(counted, axis=3), axis=0) / self.mean_count(l)
        return np.concatenate([inputs[..., :kept] - mean[:, None], inputs[..., kept:]], axis=3)


@mistake()
class GroupsInterleaved(SharedTextbook):
    """The channels of a group are not next to each other in the patches: group j has the channels j, j + groups, ..."""

    def inputs(self, l: int) -> Array:
        layer, a = self.of_weights(l), self.a[l - 1]
        order = np.arange(a.shape[1]).reshape(-1, layer.groups).T.ravel()
        return self.with_unit(layer, self.patches(l, layer, a[:, order]))


@mistake()
class GroupsOfOutputsInterleaved(SharedTextbook):
    """The outputs of a group are not next to each other in the factors: group j has the outputs j, j + groups, ..."""

    def roots_of_groups(self, l: int, C: Array) -> list[Array]:
        groups = self.of_weights(l).groups
        return [C[:, :, j::groups] for j in range(groups)]


@mistake()
class GroupsReversed(SharedTextbook):
    """The factors of the groups are in reversed order."""

    def pairs_of(self, l: int, C: Array) -> list[tuple[Array, Array]]:
        return super().pairs_of(l, C)[::-1]


@mistake()
class FirstGroupForAll(SharedTextbook):
    """The inputs of the first group are used for every group of a layer."""

    def inputs(self, l: int) -> Array:
        return np.repeat(super().inputs(l)[:, :1], self.of_weights(l).groups, axis=1)


@mistake()
class GroupsApartInTheBlock(SharedTextbook):
    """The exact blocks lack the parts between different groups of a layer."""

    def block(self, l: int, H: Array) -> Array:
        whole, groups = super().block(l, H), self.of_weights(l).groups
        D, P = self.W[l].shape
        group = np.arange(D) * groups // D
        same = group[None, :, None, None] == group[None, None, None, :]
        return np.asarray(whole.reshape(P, D, P, D) * same).reshape(P * D, P * D)
