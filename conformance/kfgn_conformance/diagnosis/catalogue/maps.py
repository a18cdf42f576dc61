"""Mistakes in the maps between layers with shared weights, in the forward pass and in the backward pass.

(8s) is the recursion (8) for the Hessian, over all positions of a layer.
"""

from dataclasses import replace

import numpy as np

from ...problems.layers import Convolution, Pooling
from ...problems.problem import Array
from ..mistake import mistake
from ..textbook.shared_weights import PerLayer, SharedTextbook
from .patches import with_padding


@mistake()
class FlattenedByChannels(SharedTextbook):
    """A flattened activation has the positions of a channel next to each other, as in `Flatten` of PyTorch."""

    def flattened(self, l: int, a: Array) -> Array:
        return a.reshape(len(a), -1, 1)

    def unflattened(self, l: int, d: Array) -> Array:
        return d.reshape(*d.shape[:2], self.problem.widths[l - 1], -1)


@mistake()
class FlattenedByChannelsBackward(SharedTextbook):
    """In the backward pass through a flattened activation, the positions of a channel are next to each other."""

    def unflattened(self, l: int, d: Array) -> Array:
        return d.reshape(*d.shape[:2], self.problem.widths[l - 1], -1)


@mistake()
class PoolingSummed(SharedTextbook):
    """Mean pooling computes the sum over each window."""

    def share(self, l: int, layer: Pooling) -> Array:
        return np.ones(self.N)


@mistake()
class PoolingAveraged(SharedTextbook):
    """Sum pooling computes the mean over each window."""

    def share(self, l: int, layer: Pooling) -> Array:
        return 1 / self.window_sizes(l, layer)


@mistake()
class PoolingNotDividedBackward(SharedTextbook):
    """In the backward pass through mean pooling, the derivatives are not divided by the size of a window."""

    def share_back(self, l: int, layer: Pooling) -> Array:
        return np.ones(self.N)


@mistake()
class KernelReversedBackward(SharedTextbook):
    """In the backward pass through a convolution, the taps of the kernel are in reversed order."""

    def taps_back(self, l: int) -> Array:
        return super().taps_back(l)[:, :, ::-1]


@mistake()
class StrideForgottenBackward(SharedTextbook):
    """In the backward pass through a convolution, the stride is 1, although the stride of the layer is not 1."""

    def sources_back(self, l: int, layer: Convolution) -> list[Array]:
        return super().sources_back(l, replace(layer, stride=1))


@mistake()
class DilationForgottenBackward(SharedTextbook):
    """In the backward pass through a convolution, the taps are next to each other, although the dilation is not 1."""

    def sources_back(self, l: int, layer: Convolution) -> list[Array]:
        return super().sources_back(l, replace(layer, dilation=1))


@mistake()
class WrapForgottenBackward(SharedTextbook):
    """In the backward pass through circular padding, the derivatives of the added positions are dropped."""

    def unpadded(self, l: int, layer: Convolution, padded: Array) -> Array:
        return super().unpadded(l, replace(layer, circular=False), padded)


@mistake()
class PaddingForgottenBackward(SharedTextbook):
    """In the backward pass through a convolution, the left padding is not removed, and the right end is cut off."""

    def unpadded(self, l: int, layer: Convolution, padded: Array) -> Array:
        moved = with_padding(replace(layer, circular=False), lambda left, right: (0, left + right))
        return super().unpadded(l, moved, padded)


@mistake()
class ZerosForCircular(SharedTextbook):
    """Circular padding is replaced by zeros, in the forward pass and in all derivatives."""

    def padded(self, l: int, layer: Convolution, a: Array) -> Array:
        return super().padded(l, replace(layer, circular=False), a)

    def unpadded(self, l: int, layer: Convolution, padded: Array) -> Array:
        return super().unpadded(l, replace(layer, circular=False), padded)


@mistake()
class SharedBiasNotAdded(SharedTextbook):
    """The network is evaluated without its biases, although the gradient and the factors include the biases."""

    def forward_of(self, l: int, a: Array) -> Array:
        h = super().forward_of(l, a)
        if l in self.W and self.of_weights(l).bias:
            return h - self.W[l][:, -1][:, None]
        return h


@mistake()
class SharedSlopeForgotten(SharedTextbook):
    """With shared weights, propagated columns and matrices are not multiplied by f'."""

    def slope(self, l: int) -> Array:
        return np.ones_like(super().slope(l))


@mistake()
class SharedSlopeTwice(SharedTextbook):
    """With shared weights, propagated columns and matrices are multiplied by f' twice."""

    def slope(self, l: int) -> Array:
        return super().slope(l) ** 2


@mistake()
class SlopeAveragedOverPositions(SharedTextbook):
    """f' is averaged over the positions of a datapoint."""

    def slope(self, l: int) -> Array:
        slope = super().slope(l)
        mean = np.sum(self.only_counted(l, slope), axis=2) / self.counts(l)[:, None]
        return np.broadcast_to(mean[:, :, None], slope.shape)


@mistake()
class SharedSecondDerivativeForgotten(SharedTextbook):
    """The recursion (8s) for the Hessian with shared weights lacks the term with f''."""

    def second_derivative_term(self, l: int) -> Array:
        return np.zeros_like(super().second_derivative_term(l))


@mistake()
class SharedSecondDerivativeNegated(SharedTextbook):
    """In the recursion (8s) for the Hessian with shared weights, the term with f'' has the wrong sign."""

    def second_derivative_term(self, l: int) -> Array:
        return -super().second_derivative_term(l)


@mistake()
class SharedHessianForGaussNewton(SharedTextbook):
    """With shared weights, the Hessian is computed instead of the Gauss-Newton matrix."""

    def preactivation_gauss_newton(self) -> PerLayer:
        return self.preactivation_hessians()
