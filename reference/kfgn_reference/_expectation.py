"""E[.] over the empirical distribution p(x, y): the mean over the N datapoints of a batch.

>>> import numpy as np
>>> from kfgn_reference import expectation
>>> expectation({1: np.array([v])} for v in (1.0, 4.0))
{1: array([2.5])}
"""

from collections.abc import Hashable, Iterable
from typing import TypeVar

from ._types import Array

Key = TypeVar("Key", bound=Hashable)


def expectation(samples: Iterable[dict[Key, Array]]) -> dict[Key, Array]:
    """The mean of the samples, key by key. Only one sample and the sum are in memory if `samples` is a generator."""
    total: dict[Key, Array] = {}
    N = 0
    for sample in samples:
        total = {l: total[l] + sample[l] for l in sample} if N else sample
        N += 1
    return {l: total[l] / N for l in total}


def mean(samples: Iterable[Array]) -> Array:
    """The mean of the samples, such as an array or a scalar for each datapoint."""
    return expectation({0: sample} for sample in samples)[0]
