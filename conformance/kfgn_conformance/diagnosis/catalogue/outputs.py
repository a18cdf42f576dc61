"""Mistakes in H_L, the start of the recursion (26), and in the square root of H_L, the start of the recursion (24)."""

import numpy as np
from kfgn_reference import projection, projection_root
from kfgn_reference._objectives import softmax

from ...problems.problem import Array, Problem
from ..mistake import mistake
from ..textbook import Textbook
from ..textbook.passes import PerLayer


@mistake()
class OutputsDiagonal(Textbook):
    """H_L is replaced by its diagonal."""

    def output_root(self) -> Array:
        diagonals = np.sqrt(np.sum(super().output_root() ** 2, axis=2))
        return diagonals[:, :, None] * np.eye(diagonals.shape[1])


@mistake()
class OutputsWithoutCrossTerm(Textbook):
    """H_L of the softmax is diag(p), without the term -p p^T."""

    def output_root(self) -> Array:
        if self.problem.objective != "categorical":
            return super().output_root()
        p = np.stack([softmax(h) for h in self.h[self.L]])
        return np.sqrt(p)[:, :, None] * np.eye(p.shape[1])


@mistake()
class OutputsUnrooted(Textbook):
    """H_L is used instead of its square root, so H_L^2 is propagated instead of H_L."""

    def output_root(self) -> Array:
        C = super().output_root()
        return C @ C.swapaxes(1, 2)


@mistake("https://github.com/aleximmer/Laplace/pull/270")
class RootTransposed(Textbook):
    """The rows of the square root C of H_L are propagated instead of its columns: C^T C replaces C C^T."""

    def root_rows(self) -> Array:
        C = self.output_root()
        return C if C.shape[1] == C.shape[2] else super().root_rows()


@mistake("https://github.com/gpauloski/kfac-pytorch/issues/109")
class OutputsEmpirical(Textbook):
    """H_L is replaced by dE/dh_L dE/dh_L^T at the labels of the data, as in the empirical Fisher matrix."""

    def output_root(self) -> Array:
        return self.output_gradient(self.problem.Y)[:, :, None]


@mistake()
class OutputsOfSquaredError(Textbook):
    """H_L is the identity, which is right for the squared error only."""

    def output_root(self) -> Array:
        return np.broadcast_to(np.eye(self.problem.widths[-1]), (self.N, *2 * (self.problem.widths[-1],)))


@mistake()
class OutputsAveragedFirst(Textbook):
    """H_L of every datapoint is replaced by the mean of H_L over the batch."""

    def output_root(self) -> Array:
        C = super().output_root()
        mean = np.mean(C @ C.swapaxes(1, 2), axis=0)
        return np.broadcast_to(projection_root(mean), (self.N, *mean.shape))


@mistake()
class OutputsNotProjected(Textbook):
    """For the mixture, KFRA and Gauss-Newton products use H_L itself, which is indefinite, and not its replacement."""

    def output_gauss_newton(self) -> Array:
        return self.output_hessian()


@mistake()
class OutputsProjectedTogether(Textbook):
    """The negative eigenvalue is removed from the mean of the mixture's H_L over the batch, not from every H_L."""

    def output_gauss_newton(self) -> Array:
        if self.problem.objective != "mixture" or self.problem.psd != "project":
            return super().output_gauss_newton()
        mean = projection(np.mean(self.output_hessian(), axis=0))
        return np.broadcast_to(mean, (self.N, *mean.shape))


@mistake()
class StandInExchanged(Textbook):
    """The two replacements for the mixture's H_L, `project` and `scalar`, are exchanged."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        other = "scalar" if problem.psd == "project" else "project"
        self.network = self.network._replace(psd=other)


@mistake()
class ProbabilitiesForLogits(Textbook):
    """The objective receives probabilities instead of logits, so the softmax or sigmoid is applied twice."""

    def forward(self) -> tuple[PerLayer, PerLayer]:
        a, h = super().forward()
        if self.problem.objective == "categorical":
            h[self.L] = np.stack([softmax(row) for row in h[self.L]])
        elif self.problem.objective != "squared_error":
            h[self.L] = 1 / (1 + np.exp(-h[self.L]))
        return a, h
