"""Random numbers that count: what a run draws at a moment depends on its seed and that moment, and on nothing before.

So runs are the same on every library and device, and a checkpoint holds no generator. The optimisers draw from Philox
keyed (seed, t) with its counter at zero; the streams here start at counters that those never reach.
"""

import numpy as np

INITIAL, BATCHES = 1, 2


def generator(stream: int, seed: int, number: int) -> np.random.Generator:
    """The generator of a stream for a seed and a number: of a layer, or of an epoch."""
    return np.random.Generator(
        np.random.Philox(
            key=np.array([seed, number], dtype=np.uint64), counter=np.array([0, 0, 0, stream], dtype=np.uint64)
        )
    )
