"""The selection of the datapoints of each batch."""

from functools import lru_cache
from typing import Any, NamedTuple

from numpy.typing import NDArray

from .random_streams import BATCHES, stream


class Batches(NamedTuple):
    """Batches of N datapoints out of n. Each epoch permutes the n datapoints, and leaves out an incomplete last batch.

    For given n and N, the batch of a step depends only on the seed and on the number of the step.
    """

    n: int
    N: int
    seed: int

    def __call__(self, t: int) -> NDArray[Any]:
        """Return the indices (N,), int64, of the datapoints in the batch of step t = 1, 2, ..."""
        epoch, i = divmod(t - 1, self.n // self.N)
        return _order(self.n, self.seed, epoch)[i * self.N : (i + 1) * self.N]


@lru_cache(maxsize=1)
def _order(n: int, seed: int, epoch: int) -> NDArray[Any]:
    order = stream(BATCHES, seed, epoch).permutation(n)
    order.flags.writeable = False
    return order
