"""Mistakes in KFAC's labels, in random projections, and in the means over labels and projections."""

import numpy as np
from kfgn_reference import mixture_probability

from ...problems.problem import Array
from ..mistake import mistake
from ..textbook import Textbook
from ..textbook.curvature import outer
from ..textbook.passes import PerLayer


@mistake("https://github.com/gpauloski/kfac-pytorch/issues/109")
class LabelsOfTheData(Textbook):
    """KFAC uses the labels of the data instead of sampled labels, as in the empirical Fisher matrix."""

    def kfac(self) -> PerLayer:
        return self.sampled(self.output_gradient(self.problem.Y)[:, None, :])


@mistake()
class SamplesSummed(Textbook):
    """The terms of the S samples of a datapoint are summed instead of averaged, so G is S times too large."""

    def mean_of_samples(self, rows: Array) -> Array:
        return super().mean_of_samples(rows) * rows.shape[1]


@mistake("asdl 0.1a4, fisher_mc with n_mc_samples above 1")
class SamplesDividedTwice(Textbook):
    """The mean over the S samples of a datapoint is divided by S again, so G is S times too small."""

    def mean_of_samples(self, rows: Array) -> Array:
        return super().mean_of_samples(rows) / rows.shape[1]


@mistake()
class FirstSampleOnly(Textbook):
    """Only the first sample of each datapoint is used."""

    def mean_of_samples(self, rows: Array) -> Array:
        return super().mean_of_samples(rows[:, :1])


@mistake()
class SamplesAveragedFirst(Textbook):
    """The gradients of the samples are averaged before the outer product instead of after it."""

    def mean_of_samples(self, rows: Array) -> Array:
        return outer(np.mean(rows, axis=1, keepdims=True))


@mistake()
class DatapointsAveragedFirst(Textbook):
    """In G, the propagated vectors are averaged over the datapoints before the outer product instead of after it."""

    def kflr(self) -> PerLayer:
        return {l: outer(self.mean(v)[None])[0] for l, v in self.propagated(self.root_rows()).items()}

    def sampled(self, rows: Array) -> PerLayer:
        return {l: self.mean_of_samples(self.mean(v)[None])[0] for l, v in self.propagated(rows).items()}


@mistake()
class LabelsComplemented(Textbook):
    """A label is 1 if the uniform random number is above the probability of the label 1, instead of below it."""

    def labels(self) -> PerLayer:
        labels = super().labels()[1]
        return {1: 1 - labels if self.problem.objective in ("bernoulli", "mixture") else labels}


@mistake()
class LabelsMostProbable(Textbook):
    """The most probable label replaces a sampled label. For the squared error, h_L replaces a sampled label."""

    def labels(self) -> PerLayer:
        problem, h = self.problem, self.h[self.L]
        if problem.objective == "categorical":
            labels = np.argmax(h, axis=1)
        elif problem.objective == "mixture":
            labels = np.array([int(mixture_probability(row, 1) > 1 / 2) for row in h])
        else:
            labels = h if problem.objective == "squared_error" else (h > 0).astype(float)
        return {1: np.repeat(labels[:, None], problem.draws.shape[1], axis=1)}


@mistake()
class LabelsWithAnotherVariance(Textbook):
    """The labels of the squared error are drawn with variance 1/2, as if the loss had no factor 1/2."""

    def labels(self) -> PerLayer:
        labels, h = super().labels()[1], self.h[self.L][:, None]
        return {1: h + (labels - h) / np.sqrt(2) if self.problem.objective == "squared_error" else labels}
