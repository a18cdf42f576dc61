"""E[.] over the empirical distribution p(x, y): the mean over the N datapoints of a batch."""

from collections.abc import Iterable

from ._types import PerLayer


def expectation(samples: Iterable[PerLayer]) -> PerLayer:
    """The mean of the samples, layer by layer, with one sample in memory at a time."""
    total: PerLayer = {}
    N = 0
    for sample in samples:
        total = {l: total[l] + sample[l] for l in sample} if N else sample
        N += 1
    return {l: total[l] / N for l in total}
