"""Mistakes in the maps between layers with shared weights, in the forward pass and in the backward pass.

(8s) is the recursion (8) for the Hessian, over all positions of a layer.
"""

import numpy as np

from ...problems.layers import Convolution, Pooling
from ...problems.problem import Array
from ..mistake import mistake
from ..textbook.shared_weights import PerLayer, SharedTextbook


@mistake()
class FlattenedByChannels(SharedTextbook):
    """A flattened activation has the positions of a channel next to each other, as in `Flatten` of PyTorch."""

    def flattened(self, a: Array) -> Array:
        return a.reshape(len(a), -1, 1)

    def unflattened(self, d: Array, C: int, T: int) -> Array:
        return d.reshape(*d.shape[:2], C, T)


@mistake()
class FlattenedByChannelsBackward(SharedTextbook):
    """In the backward pass through a flattened activation, the positions of a channel are next to each other."""

    def unflattened(self, d: Array, C: int, T: int) -> Array:
        return d.reshape(*d.shape[:2], C, T)


@mistake()
class PoolingSummed(SharedTextbook):
    """Mean pooling is a sum over windows."""

    def share(self, layer: Pooling) -> float:
        return 1.0


@mistake()
class PoolingAveraged(SharedTextbook):
    """Sum pooling is a mean over windows."""

    def share(self, layer: Pooling) -> float:
        return 1 / layer.width


@mistake()
class PoolingNotDividedBackward(SharedTextbook):
    """In the backward pass through mean pooling, the derivatives are not divided by the width of a window."""

    def share_back(self, layer: Pooling) -> float:
        return 1.0


@mistake()
class KernelReversedBackward(SharedTextbook):
    """In the backward pass through a convolution, the taps of the kernel are in reversed order."""

    def taps_back(self, l: int) -> Array:
        return super().taps_back(l)[:, :, ::-1]


@mistake()
class StrideForgottenBackward(SharedTextbook):
    """In the backward pass through a convolution, the stride is 1, although the stride of the layer is not 1."""

    def sources_back(self, layer: Convolution, T: int) -> Array:
        return np.arange(T)[:, None] + layer.dilation * np.arange(layer.width)


@mistake()
class DilationForgottenBackward(SharedTextbook):
    """In the backward pass through a convolution, the taps are next to each other, although the dilation is not 1."""

    def sources_back(self, layer: Convolution, T: int) -> Array:
        return layer.stride * np.arange(T)[:, None] + np.arange(layer.width)


@mistake()
class WrapForgottenBackward(SharedTextbook):
    """In the backward pass through circular padding, the derivatives of the added positions are dropped."""

    def unpadded(self, layer: Convolution, padded: Array, T: int) -> Array:
        left = layer.padding[0]
        return padded[..., left : left + T]


@mistake()
class PaddingForgottenBackward(SharedTextbook):
    """In the backward pass through a convolution, the left padding is not removed, and the right end is cut off."""

    def unpadded(self, layer: Convolution, padded: Array, T: int) -> Array:
        return padded[..., :T]


@mistake()
class ZerosForCircular(SharedTextbook):
    """Circular padding is replaced by zeros everywhere."""

    def padded(self, layer: Convolution, a: Array) -> Array:
        return np.pad(a, ((0, 0), (0, 0), layer.padding))

    def unpadded(self, layer: Convolution, padded: Array, T: int) -> Array:
        left = layer.padding[0]
        return padded[..., left : left + T]


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
    """The columns that are carried back through a layer with shared weights are not multiplied by f'."""

    def slope(self, l: int) -> Array:
        return np.ones_like(super().slope(l))


@mistake()
class SharedSlopeTwice(SharedTextbook):
    """The columns that are carried back through a layer with shared weights are multiplied by f' twice."""

    def slope(self, l: int) -> Array:
        return super().slope(l) ** 2


@mistake()
class SlopeAveragedOverPositions(SharedTextbook):
    """f' is averaged over the positions of a datapoint."""

    def slope(self, l: int) -> Array:
        slope = super().slope(l)
        return np.broadcast_to(np.mean(slope, axis=2, keepdims=True), slope.shape)


@mistake()
class SharedSecondDerivativeForgotten(SharedTextbook):
    """The recursion (8s) lacks the term with f'', so it is the recursion for the Gauss-Newton matrix."""

    def second_derivative_term(self, l: int) -> Array:
        return np.zeros_like(super().second_derivative_term(l))


@mistake()
class SharedSecondDerivativeNegated(SharedTextbook):
    """The term with f'' in the recursion (8s) has the wrong sign."""

    def second_derivative_term(self, l: int) -> Array:
        return -super().second_derivative_term(l)


@mistake()
class SharedHessianForGaussNewton(SharedTextbook):
    """The Hessian is computed instead of the Gauss-Newton matrix with shared weights."""

    def preactivation_gauss_newton(self) -> PerLayer:
        return self.preactivation_hessians()
