"""Mistakes in batches with a mask: masked positions are included in a sum, in a divisor, or in a window.

T is the number of all positions of a datapoint, T_n the number of its counted positions, and M the sum of all T_n.
"""

import numpy as np

from ...problems.layers import Convolution, Dense, Pooling
from ...problems.problem import Array
from ..mistake import mistake
from ..textbook.shared_weights import SharedTextbook


@mistake()
class MaskedPositionsInTheDivisorOfQ(SharedTextbook):
    """Q of expand is divided by N T instead of M, the number of counted positions of the batch."""

    def expand_q(self, a: Array) -> Array:
        return super().expand_q(a) * self.mean_positions(a) / a.shape[1]


@mistake()
class MaskedPositionsInQ(SharedTextbook):
    """Q of expand and of reduce ignores the mask: masked positions are in the sums and in the divisors."""

    def counted_rows(self, l: int, a: Array) -> Array:
        return a

    def positions_of_datapoints(self, x: Array, axis: int = 1) -> Array:
        return np.full(len(x), x.shape[axis])


@mistake()
class MaskedPositionsSummedInQ(SharedTextbook):
    """Masked positions are in the sums of Q, although these sums are divided by the numbers of counted positions."""

    def counted_rows(self, l: int, a: Array) -> Array:
        return a


@mistake(seen="kfac-jax 0.0.8")
class UnitsOfMaskedPositions(SharedTextbook):
    """The inputs of masked positions are 0 in Q, but the 1 that multiplies the bias is not.

    The reason may be that the 1 was appended after the multiplication by the mask.
    """

    def counted_rows(self, l: int, a: Array) -> Array:
        counted = super().counted_rows(l, a)
        if isinstance(self.layer(l), Dense | Convolution) and self.of_weights(l).bias:
            counted = np.concatenate([counted[..., :-1], np.ones_like(counted[..., -1:])], axis=2)
        return counted


@mistake()
class MaskedPositionsInTheMeanOfReduce(SharedTextbook):
    """Reduce divides the sum of the counted inputs of a datapoint by T instead of T_n."""

    def combined_inputs(self, a: Array) -> Array:
        return np.sum(a, axis=1) / a.shape[1]


@mistake()
class MaskedOutputsCounted(SharedTextbook):
    """Masked positions of the outputs are in the loss, in its gradient, and in the roots of its Hessian."""

    def counted_outputs(self, x: Array) -> Array:
        return x


@mistake()
class KfraSlopesOfMaskedPositions(SharedTextbook):
    """KFRA uses the mean of f' f'^T over all positions instead of the counted ones."""

    def slope_moments(self, l: int) -> Array:
        s = self.slope(l)
        return self.mean(s @ s.swapaxes(1, 2)) / s.shape[2]


@mistake()
class ConvolutionReadsMaskedPositions(SharedTextbook):
    """A convolution reads the values at masked positions instead of zeros."""

    def visible(self, l: int, a: Array) -> Array:
        return a


@mistake()
class MaskedPositionsInTheMeanOfPooling(SharedTextbook):
    """In mean pooling, the sum over the counted positions is divided by T instead of T_n."""

    def share(self, l: int, layer: Pooling) -> Array:
        return np.full(self.N, 1 / layer.taps) if layer.kind == "mean" else super().share(l, layer)


@mistake()
class PoolingIgnoresTheMask(MaskedPositionsInTheMeanOfPooling):
    """Pooling ignores the mask: a mean or a sum is over all positions, with the values at masked positions."""

    def pooled_values(self, l: int, a: Array) -> Array:
        return a
