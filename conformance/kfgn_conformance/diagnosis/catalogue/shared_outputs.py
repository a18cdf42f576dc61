"""Mistakes in the loss of networks with shared weights: its divisor, the roots at the outputs, and sampled labels."""

import numpy as np

from ...problems.problem import Array
from ..mistake import mistake
from ..textbook.shared_weights import SharedTextbook


@mistake()
class DivisorForgotten(SharedTextbook):
    """The loss is a sum over the positions of the outputs, without the divisor."""

    def divisor(self) -> float:
        return 1.0


@mistake()
class DivisorSquared(SharedTextbook):
    """The curvature is divided by the square of the divisor, like a product of two gradients of the divided loss."""

    def divisor_of_curvature(self) -> float:
        return super().divisor_of_curvature() ** 2


@mistake()
class DivisorForgottenInTheCurvature(SharedTextbook):
    """The loss and its gradient are divided by the divisor, and the curvature is not."""

    def divisor_of_curvature(self) -> float:
        return 1.0


@mistake()
class DivisorForgottenInTheGradient(SharedTextbook):
    """The loss and the curvature are divided by the divisor, and the gradient is not."""

    def divisor_of_gradient(self) -> float:
        return 1.0


@mistake()
class DivisorIsThePositions(SharedTextbook):
    """The loss is a mean over the positions of the outputs, although the divisor is a different number."""

    def divisor(self) -> float:
        return self.mean_count(self.L)


@mistake()
class RootsOfPositionsTogether(SharedTextbook):
    """The roots of all positions of the outputs are in the same columns, so there are terms between positions."""

    def output_columns(self) -> Array:
        C = self.roots_at_positions().transpose(0, 3, 2, 1)
        return C / np.sqrt(self.divisor_of_curvature())


@mistake()
class OutputsSummedOverPositions(SharedTextbook):
    """The root of the Hessian at each position of the outputs is replaced by the mean root over the positions."""

    def roots_at_positions(self) -> Array:
        C = super().roots_at_positions()
        mean = np.sum(C, axis=1) / self.counts(self.L)[:, None, None]
        return self.counted_outputs(np.broadcast_to(mean[:, None], C.shape))


@mistake()
class SharedLossWithoutItsHalf(SharedTextbook):
    """The squared error of a position lacks its factor 1/2."""

    @property
    def scale(self) -> float:
        return 2.0 if self.problem.objective == "squared_error" else 1.0


@mistake()
class SharedLossDividedByOutputs(SharedTextbook):
    """The loss of a position is a mean over the outputs instead of a sum."""

    @property
    def scale(self) -> float:
        return 1 / self.problem.widths[-1]


@mistake()
class SharedOutputsEmpirical(SharedTextbook):
    """The roots at the outputs are the gradients at the labels of the data, as in the empirical Fisher matrix."""

    def output_columns(self) -> Array:
        return self.output_gradient(self.problem.Y)[:, None] / np.sqrt(self.divisor_of_curvature())


@mistake()
class SharedOutputsUnrooted(SharedTextbook):
    """The Hessian of a position is used instead of its square root."""

    def roots_at_positions(self) -> Array:
        C = super().roots_at_positions()
        return C @ C.swapaxes(2, 3)


@mistake()
class SharedLabelsOfTheData(SharedTextbook):
    """KFAC with shared weights uses the labels of the data instead of the given labels."""

    def sampled_columns(self) -> Array:
        return self.output_gradient(self.problem.Y)[:, None] / np.sqrt(self.divisor_of_curvature())


@mistake()
class SharedRootsForLabels(SharedTextbook):
    """KFAC with shared weights uses the exact roots instead of the gradients at the given labels."""

    def sampled_columns(self) -> Array:
        return self.output_columns()


@mistake()
class SharedSamplesSummed(SharedTextbook):
    """The terms of the S labels of a datapoint are summed instead of averaged."""

    def averaged_samples(self, columns: Array) -> Array:
        return columns


@mistake()
class SharedSamplesDividedTwice(SharedTextbook):
    """The mean over the S labels of a datapoint is divided by S again."""

    def averaged_samples(self, columns: Array) -> Array:
        return columns / columns.shape[1]


@mistake()
class SharedFirstSampleOnly(SharedTextbook):
    """Only the first label of each position is used."""

    def averaged_samples(self, columns: Array) -> Array:
        return columns[:, :1]


@mistake()
class SamplesOfPositionsApart(SharedTextbook):
    """The gradients at sampled labels are carried back separately for each position of the outputs."""

    def sampled_columns(self) -> Array:
        columns = super().sampled_columns()
        N, S, D, T = columns.shape
        return np.einsum("nsdt,tu->nstdu", columns, np.eye(T)).reshape(N, S * T, D, T)
