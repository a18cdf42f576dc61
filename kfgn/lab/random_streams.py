"""Random numbers of a run: functions of its seed, and of the number of a layer or an epoch.

They do not depend on what was drawn before. So runs are equal on every library and device, and a checkpoint holds no
generator. The generator is that of the optimisers' draws, keyed by (seed, t). Each stream here starts at a value of
its counter that those draws never reach.
"""

import numpy as np

from .._optimisers.draws import generator

INITIAL_WEIGHTS, BATCHES = 1, 2
"""The streams."""


def stream(kind: int, seed: int, number: int) -> np.random.Generator:
    """Return the generator of a stream for a seed, and for the number of a layer or an epoch."""
    random = generator(seed, number)
    random.bit_generator.advance(kind << 192)  # type: ignore[attr-defined]  # the last of four 64-bit words
    return random
