"""The split of a batch into chunks of datapoints, so that the arrays of one chunk fit into a given memory."""

from .._linearisation.linearisation import Linearisation
from ..backends import has_values

MEMORY = 2**26
"""The default number of bytes for the arrays of one chunk of datapoints. Larger chunks would not fit into caches."""

TRACED_MEMORY = 2**28
"""The default number of bytes in a traced program.

Such a program contains the code of every chunk, and larger chunks make the program shorter.
"""


def chunks(at: Linearisation, memory: int | None, bytes_per_datapoint: int) -> list[tuple[int, int]]:
    """For each chunk, the index of its first datapoint, and the index after that of its last datapoint.

    A chunk has at least one datapoint, also if the arrays of this datapoint need more than `memory`.

    memory: the number of bytes that the arrays of a chunk may need; None for the default
    """
    memory = memory or (MEMORY if has_values(at.outputs) else TRACED_MEMORY)
    N, size = at.X.shape[0], max(1, memory // bytes_per_datapoint)
    return [(start, min(start + size, N)) for start in range(0, N, size)]
