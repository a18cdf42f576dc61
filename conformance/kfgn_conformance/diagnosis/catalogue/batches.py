"""Mistakes in the mean over a batch: wrong combinations of the means of two parts, and one datapoint alone."""

import numpy as np

from ...problems.problem import Array
from ..mistake import mistake
from ..textbook import Textbook


def parts(x: Array) -> list[Array]:
    """The first third of the datapoints and the remaining datapoints, or one part with all datapoints if N < 3."""
    cut = len(x) // 3
    return [x[:cut], x[cut:]] if cut else [x]


@mistake()
class BatchesWeighedAlike(Textbook):
    """The batch is divided into two unequal parts, and the means of the parts are averaged with equal weights."""

    def mean(self, x: Array) -> Array:
        return np.mean([np.mean(part, axis=0) for part in parts(x)], axis=0)


@mistake()
class BatchesSummed(Textbook):
    """The batch is divided into two unequal parts, and the means of the parts are added."""

    def mean(self, x: Array) -> Array:
        return np.sum([np.mean(part, axis=0) for part in parts(x)], axis=0)


@mistake()
class LastBatchOnly(Textbook):
    """The batch is divided into two unequal parts, and the second mean overwrites the mean of the first part."""

    def mean(self, x: Array) -> Array:
        return np.mean(parts(x)[-1], axis=0)


@mistake()
class FirstDatapointOnly(Textbook):
    """Only the first datapoint is used."""

    def mean(self, x: Array) -> Array:
        return x[0]
