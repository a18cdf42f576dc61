"""Mistakes in the sums and means over the positions at which weights are shared.

Expand and reduce are the approximations K-FAC-expand and K-FAC-reduce (Eschenhagen et al. 2023). KFC is the
approximation for convolutions by Grosse and Martens (2016). With a mask, only counted positions are positions. T is
then their number for a datapoint, or the mean of these numbers in expand.
"""

import numpy as np

from ...problems.problem import Array
from ..mistake import mistake
from ..textbook.shared_weights import PerLayer, SharedTextbook


@mistake()
class PositionsSummedInQ(SharedTextbook):
    """Q of expand is a sum over the T positions, so it is T times too large.

    If G is a mean over the positions, the scales are those of KFC, and `Conventions(divisors=...)` declares them.
    """

    def expand_q(self, a: Array) -> Array:
        return super().expand_q(a) * self.mean_positions(a)


@mistake()
class PositionsTwiceInQ(SharedTextbook):
    """Q of expand is divided by the number of positions twice."""

    def expand_q(self, a: Array) -> Array:
        return super().expand_q(a) / self.mean_positions(a)


@mistake()
class PositionsAveragedInG(SharedTextbook):
    """G of expand is a mean over the T positions instead of a sum, so it is T times too small.

    If Q is a sum over the positions, the scales are those of KFC, and `Conventions(divisors=...)` declares them.
    """

    def expand_g(self, C: Array) -> Array:
        return super().expand_g(C) / self.mean_positions(C, 3)


@mistake()
class PositionsTwiceInG(SharedTextbook):
    """G of expand is divided by the square of the number of positions."""

    def expand_g(self, C: Array) -> Array:
        return super().expand_g(C) / self.mean_positions(C, 3) ** 2


@mistake()
class PositionsDividedEverywhere(SharedTextbook):
    """Inputs and derivatives are divided by T, and both factors are means over the T positions.

    The blocks are T^5 times too small.
    """

    def expand_q(self, a: Array) -> Array:
        return super().expand_q(a) / self.mean_positions(a) ** 2

    def expand_g(self, C: Array) -> Array:
        return super().expand_g(C) / self.mean_positions(C, 3) ** 3


@mistake()
class InputsExpandedRootsReduced(SharedTextbook):
    """The factors of expand mix two methods: Q is a sum over the positions, and G is that of reduce."""

    def expand_q(self, a: Array) -> Array:
        return super().expand_q(a) * self.mean_positions(a)

    def expand_g(self, C: Array) -> Array:
        return self.reduce_g(C)


@mistake()
class InputsReducedInExpand(SharedTextbook):
    """Q of expand is that of reduce: the inputs are averaged over the positions before the outer product."""

    def expand_q(self, a: Array) -> Array:
        return self.reduce_q(a)


@mistake()
class RootsReducedInExpand(SharedTextbook):
    """G of expand is that of reduce: the derivatives are summed over the positions before the outer product."""

    def expand_g(self, C: Array) -> Array:
        return self.reduce_g(C)


@mistake()
class InputsExpandedInReduce(SharedTextbook):
    """Q of reduce is that of expand: the mean of the outer products of the inputs over the positions."""

    def reduce_q(self, a: Array) -> Array:
        return self.expand_q(a)


@mistake()
class RootsExpandedInReduce(SharedTextbook):
    """G of reduce is that of expand: the sum of the outer products of the derivatives over the positions."""

    def reduce_g(self, C: Array) -> Array:
        return self.expand_g(C)


@mistake()
class ReduceForExpand(SharedTextbook):
    """Reduce is computed instead of expand."""

    def expand_q(self, a: Array) -> Array:
        return self.reduce_q(a)

    def expand_g(self, C: Array) -> Array:
        return self.reduce_g(C)


@mistake()
class ExpandForReduce(SharedTextbook):
    """Expand is computed instead of reduce."""

    def reduce_q(self, a: Array) -> Array:
        return self.expand_q(a)

    def reduce_g(self, C: Array) -> Array:
        return self.expand_g(C)


@mistake()
class InputsSummedInReduce(SharedTextbook):
    """In reduce, the inputs are summed over the T positions instead of averaged, so Q is T^2 times too large."""

    def combined_inputs(self, a: Array) -> Array:
        return super().combined_inputs(a) * self.positions_of_datapoints(a)[:, None]


@mistake()
class RootsAveragedInReduce(SharedTextbook):
    """In reduce, the derivatives are averaged over the T positions instead of summed, so G is T^2 times too small."""

    def combined_roots(self, C: Array) -> Array:
        return super().combined_roots(C) / self.positions_of_datapoints(C, 3)[:, None, None]


@mistake()
class PositionsApartInTheBlock(SharedTextbook):
    """The exact blocks lack the terms of two different positions: the sum over positions is outside the square."""

    def pairs_of_positions(self, H: Array) -> Array:
        same = np.eye(H.shape[1])[None, :, None, :, None]
        return super().pairs_of_positions(H) * same


@mistake()
class PositionsAveragedInTheBlock(SharedTextbook):
    """The exact blocks are divided by T^2, because the gradient of the weights is a mean over the T positions."""

    def block(self, l: int, H: Array) -> Array:
        return super().block(l, H / self.counts(l)[:, None, None] ** 2)


@mistake()
class PositionsAveragedInTheGradient(SharedTextbook):
    """The gradient is a mean over the positions instead of a sum."""

    def summed_gradient(self, l: int, d: Array) -> Array:
        return super().summed_gradient(l, d) / self.counts(l)[:, None, None]


@mistake()
class FirstPositionOnly(SharedTextbook):
    """Only the first position of a layer is used in the factors, as if it were a class token."""

    def pairs(self, roots: PerLayer) -> list[tuple[Array, Array]]:
        return [(a[:, :1], C[:, :, :, :1]) for a, C in super().pairs(roots)]

    def positions_of_datapoints(self, x: Array, axis: int = 1) -> Array:
        return np.full(len(x), x.shape[axis])


@mistake()
class LastPositionOnly(SharedTextbook):
    """Each position overwrites the one before it, so only the last position is used in the factors."""

    def pairs(self, roots: PerLayer) -> list[tuple[Array, Array]]:
        return [(a[:, -1:], C[:, :, :, -1:]) for a, C in super().pairs(roots)]

    def positions_of_datapoints(self, x: Array, axis: int = 1) -> Array:
        return np.full(len(x), x.shape[axis])


@mistake()
class PositionsDividedInReduce(SharedTextbook):
    """G of reduce is divided by the number of positions, as if every position were a datapoint."""

    def reduce_g(self, C: Array) -> Array:
        return super().reduce_g(C) / self.mean_positions(C, 3)


@mistake()
class PositionsPermuted(SharedTextbook):
    """The approximations combine the inputs at position t of T with the derivatives at position T + 1 - t."""

    def pairs(self, roots: PerLayer) -> list[tuple[Array, Array]]:
        return [(a, C[..., ::-1]) for a, C in super().pairs(roots)]


@mistake()
class SharedSummedOverDatapoints(SharedTextbook):
    """With shared weights, every mean over the datapoints is replaced by a sum."""

    def mean(self, x: Array) -> Array:
        return super().mean(x) * len(x)


@mistake()
class SharedDividedByDatapointsTwice(SharedTextbook):
    """With shared weights, every mean over the datapoints is divided by the number of datapoints again."""

    def mean(self, x: Array) -> Array:
        return super().mean(x) / len(x)


@mistake()
class SharedFactorOfMeanLoss(SharedTextbook):
    """G is computed from gradients of the mean loss, which contain a factor 1/N, so G is N^2 times too small."""

    def expand_g(self, C: Array) -> Array:
        return super().expand_g(C) / self.N**2

    def reduce_g(self, C: Array) -> Array:
        return super().reduce_g(C) / self.N**2


@mistake()
class SharedBatchesWeighedAlike(SharedTextbook):
    """The batch is divided into two unequal parts, and the means of the parts are averaged with equal weights."""

    def mean(self, x: Array) -> Array:
        cut = len(x) // 3
        return (np.mean(x[:cut], axis=0) + np.mean(x[cut:], axis=0)) / 2 if cut else super().mean(x)
