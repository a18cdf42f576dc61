"""Mistakes in EKFAC: in its eigenvalues, in their average, in the damping, and in the use of the eigenbases."""

from typing import Any

import numpy as np

from ...problems.problem import Array, Checkpoint
from ..mistake import mistake
from ..textbook import Textbook
from ..textbook.passes import PerLayer
from ..textbook.steps import CURVATURE_AVERAGE


@mistake()
class EigenvaluesNotAveraged(Textbook):
    """EKFAC has the eigenvalues of the last batch only, without a moving average."""

    def averaged_eigenvalues(self, here: Checkpoint, old: PerLayer) -> PerLayer:
        return self.eigenvalues(*self.bases())


@mistake()
class EigenvaluesCountedLate(Textbook):
    """The weight in the average of EKFAC's eigenvalues is that of a sequence with one batch less."""

    def averaged_eigenvalues(self, here: Checkpoint, old: PerLayer) -> PerLayer:
        return self.averaged(old, self.eigenvalues(*self.bases()), here.t, CURVATURE_AVERAGE)


@mistake()
class EigenvaluesCountedByRefreshes(Textbook):
    """The number of batches in the average of EKFAC's eigenvalues is that of the factors, which are updated rarely."""

    def averaged_eigenvalues(self, here: Checkpoint, old: PerLayer) -> PerLayer:
        done = here.t // self.trajectory().refresh
        return self.averaged(old, self.eigenvalues(*self.bases()), done + 1, CURVATURE_AVERAGE)


@mistake()
class EigenvaluesOfTheFactors(Textbook):
    """The eigenvalues of EKFAC are products of means in the two bases, so the block is a Kronecker product."""

    def eigenvalues(self, U_Q: PerLayer, U_G: PerLayer) -> PerLayer:
        found = {}
        for l in self.W:
            g = self.mean(np.sum(self.rotated_roots(l, U_G[l]) ** 2, axis=1))
            found[l] = np.outer(g, self.mean(self.rotated_inputs(l, U_Q[l]) ** 2))
        return found


@mistake()
class EigenvaluesOfTheGradients(Textbook):
    """The eigenvalues of EKFAC are those of the gradients at the labels of the data, and not those of the root of H_L.

    The matrix of these gradients is known as the empirical Fisher matrix.
    """

    def rotated_roots(self, l: int, U_G: Array) -> Array:
        return self.gradients()[l][:, None, :] @ U_G


@mistake()
class EigenvaluesOfTheMean(Textbook):
    """In the eigenvalues of EKFAC, the mean over the datapoints is inside the square."""

    def eigenvalues(self, U_Q: PerLayer, U_G: PerLayer) -> PerLayer:
        found = {}
        for l in self.W:
            a, C = self.rotated_inputs(l, U_Q[l]), self.rotated_roots(l, U_G[l])
            found[l] = np.sum(self.mean(C[:, :, :, None] * a[:, None, None, :]) ** 2, axis=0)
        return found


@mistake()
class EigenvaluesRooted(Textbook):
    """EKFAC divides by sqrt(S) + k instead of S + k, as Adam divides by a root."""

    def damped_eigenvalues(self, S: Array) -> Array:
        return np.sqrt(S) + self.block_damping()


@mistake()
class EigenvaluesDampedWithRoot(Textbook):
    """The square root of the damping gamma + eta is added to the eigenvalues of EKFAC, as it is added to factors."""

    def damped_eigenvalues(self, S: Array) -> Array:
        return S + np.sqrt(self.block_damping())


@mistake()
class EigenvaluesDampedWithoutEta(Textbook):
    """gamma alone, without eta, is added to the eigenvalues of EKFAC."""

    def damped_eigenvalues(self, S: Array) -> Array:
        return S + self.problem.arguments.gamma


@mistake()
class EigenbasesTransposed(Textbook):
    """The transposes of the eigenbases replace the eigenbases in EKFAC."""

    def bases(self) -> tuple[PerLayer, PerLayer]:
        U_Q, U_G = super().bases()
        return {l: U.T for l, U in U_Q.items()}, {l: U.T for l, U in U_G.items()}


@mistake()
class DirectionInTheEigenbasis(Textbook):
    """The direction of EKFAC is not rotated back from the eigenbasis."""

    def eigen_solve(self, S: Array, U_Q: Array, U_G: Array, V: Array) -> Any:
        return (U_G.T @ V @ U_Q) / self.damped_eigenvalues(S)
