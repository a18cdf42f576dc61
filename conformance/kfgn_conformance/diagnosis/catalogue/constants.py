"""Wrong constants: 2, N and D_L, where they multiply everything or only the second factor."""

from ...problems.problem import Array
from ..mistake import mistake
from ..textbook import Textbook
from ..textbook.passes import PerLayer


@mistake("https://github.com/f-dangel/curvlinops/issues/82")
class LossWithoutItsHalf(Textbook):
    """The squared error has lost its 1/2: the loss and all its derivatives are twice as large."""

    @property
    def scale(self) -> float:
        return 2.0 if self.problem.objective == "squared_error" else 1.0


@mistake("https://github.com/f-dangel/curvlinops/issues/111")
class LossDividedByOutputs(Textbook):
    """The loss is a mean over the outputs, where it should be their sum."""

    @property
    def scale(self) -> float:
        return 1 / self.problem.widths[-1]


@mistake("https://github.com/f-dangel/curvlinops/issues/111")
class LossDividedByOutputsTwice(Textbook):
    """The loss is divided by the number of outputs twice."""

    @property
    def scale(self) -> float:
        return 1 / self.problem.widths[-1] ** 2


@mistake("https://github.com/f-dangel/backpack/commit/f2975ad6")
class LossTimesOutputs(Textbook):
    """The loss is multiplied by the number of outputs: a mean over them was undone that was never taken."""

    @property
    def scale(self) -> float:
        return float(self.problem.widths[-1])


@mistake()
class SummedOverDatapoints(Textbook):
    """Everything is a sum over the datapoints, where it should be their mean."""

    def mean(self, x: Array) -> Array:
        return super().mean(x) * len(x)


@mistake("https://github.com/google-deepmind/kfac-jax/commit/40cf083")
class DividedByDatapointsTwice(Textbook):
    """Everything is divided by the number of datapoints twice."""

    def mean(self, x: Array) -> Array:
        return super().mean(x) / len(x)


@mistake()
class DividedByDatapointsLessOne(Textbook):
    """Everything is divided by N - 1, as an unbiased variance is."""

    def mean(self, x: Array) -> Array:
        return super().mean(x) * len(x) / max(len(x) - 1, 1)


class _ScaledSecondFactor(Textbook):
    """Every G_l is multiplied by the same number."""

    def of_second_factor(self) -> float:
        """That number."""
        raise NotImplementedError

    def _scaled(self, G: PerLayer) -> PerLayer:
        return {l: self.of_second_factor() * G_l for l, G_l in G.items()}

    def kflr(self) -> PerLayer:
        return self._scaled(super().kflr())

    def kfra(self) -> PerLayer:
        return self._scaled(super().kfra())

    def kfac(self) -> PerLayer:
        return self._scaled(super().kfac())

    def rp(self) -> PerLayer:
        return self._scaled(super().rp())


@mistake()
class SecondFactorSummed(_ScaledSecondFactor):
    """G is a sum over the datapoints and Q a mean, so that their product is N times too large."""

    def of_second_factor(self) -> float:
        return self.N


@mistake("https://github.com/google-deepmind/kfac-jax/commit/62d9203")
class SecondFactorDividedTwice(_ScaledSecondFactor):
    """G is divided by N twice."""

    def of_second_factor(self) -> float:
        return 1 / self.N


@mistake("https://github.com/wiseodd/natural-gradients/issues/2")
class SecondFactorOfMeanLoss(_ScaledSecondFactor):
    """G is made from gradients of the mean loss, each of which has its own 1/N: G is N^2 times too small."""

    def of_second_factor(self) -> float:
        return 1 / self.N**2
