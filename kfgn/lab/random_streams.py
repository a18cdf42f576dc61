"""Random numbers of a run: functions of a seed and, except for the split, of the number of a layer or an epoch.

NumPy draws the random numbers on the host, so they are the same for all libraries and devices. The random numbers do
not depend on earlier draws, so a checkpoint contains no generator. The draws of the optimisers use the same
counter-based generator, with the key (seed, t) in step t. Each stream of this module starts at a value of the counter
that the draws of the optimisers never reach.
"""

import numpy as np

from .._optimisers.draws import generator

INITIAL_WEIGHTS, BATCHES, SPLIT = 1, 2, 3
"""The numbers of the streams."""


def stream(kind: int, seed: int, number: int) -> np.random.Generator:
    """Return the generator of a stream for a seed and a number.

    number: the number of a layer for initial weights, the number of an epoch for batches, and 0 for the split
    """
    random = generator(seed, number)
    # kind is added to the last of the four 64-bit words of the counter
    random.bit_generator.advance(kind << 192)  # type: ignore[attr-defined]
    return random
