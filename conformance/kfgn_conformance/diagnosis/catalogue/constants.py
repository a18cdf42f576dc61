"""Mistakes by a constant factor, such as 2, N or D_L, in every quantity or in G_l only."""

from ...problems.problem import Array
from ..mistake import mistake
from ..textbook import Textbook
from ..textbook.passes import PerLayer


@mistake("https://github.com/f-dangel/curvlinops/issues/82")
class LossWithoutItsHalf(Textbook):
    """The squared error lacks its factor 1/2, so the loss and all its derivatives are twice as large."""

    @property
    def scale(self) -> float:
        return 2.0 if self.problem.objective == "squared_error" else 1.0


@mistake("https://github.com/f-dangel/curvlinops/issues/111")
class LossDividedByOutputs(Textbook):
    """The loss is a mean over the outputs instead of a sum."""

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
    """The loss is multiplied by the number of outputs, as if the loss were a mean over the outputs."""

    @property
    def scale(self) -> float:
        return float(self.problem.widths[-1])


@mistake()
class SummedOverDatapoints(Textbook):
    """Every mean over the datapoints is replaced by a sum."""

    def mean(self, x: Array) -> Array:
        return super().mean(x) * len(x)


@mistake("https://github.com/google-deepmind/kfac-jax/commit/40cf083")
class DividedByDatapointsTwice(Textbook):
    """Every mean over the datapoints is divided by the number of datapoints again."""

    def mean(self, x: Array) -> Array:
        return super().mean(x) / len(x)


@mistake()
class DividedByDatapointsLessOne(Textbook):
    """Every sum over the N datapoints is divided by N - 1 instead of N, as in an unbiased variance."""

    def mean(self, x: Array) -> Array:
        return super().mean(x) * len(x) / max(len(x) - 1, 1)


class _ScaledSecondFactor(Textbook):
    """Every G_l is multiplied by the same wrong number."""

    def factor(self) -> float:
        """The wrong number by which every G_l is multiplied."""
        raise NotImplementedError

    def _scaled(self, G: PerLayer) -> PerLayer:
        return {l: self.factor() * G_l for l, G_l in G.items()}

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
    """G is a sum over the datapoints while Q is a mean, so their product is N times too large."""

    def factor(self) -> float:
        return self.N


@mistake("https://github.com/google-deepmind/kfac-jax/commit/62d9203")
class SecondFactorDividedTwice(_ScaledSecondFactor):
    """G is divided by N twice."""

    def factor(self) -> float:
        return 1 / self.N


@mistake("https://github.com/wiseodd/natural-gradients/issues/2")
class SecondFactorOfMeanLoss(_ScaledSecondFactor):
    """G is computed from gradients of the mean loss, which contain a factor 1/N, so G is N^2 times too small."""

    def factor(self) -> float:
        return 1 / self.N**2
