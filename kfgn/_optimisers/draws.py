"""Random numbers for the methods that sample, from a counter-based generator on the host, keyed by (seed, t).

They are equal on every library and device, and a run that is resumed from a checkpoint needs no generator state.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._validation.scalars import checked_count, checked_seed


def checked_moment(seed: int, t: int, N: int) -> tuple[int, int, int]:
    """Check the seed of a run, its step t = 1, 2, ... and its N datapoints. Return them as Python integers."""
    return checked_seed("seed", seed), checked_count("t", t), checked_count("N", N)


def generator(seed: int, t: int) -> np.random.Generator:
    """The generator of step t of a run."""
    return np.random.Generator(np.random.Philox(key=np.array([seed, t], dtype=np.uint64)))


def uniforms(seed: int, t: int, shape: tuple[int, ...]) -> NDArray[Any]:
    """Uniforms in [0, 1) in float32: multiples of 2^-24, which are exact in float64 and never round to 1."""
    return (generator(seed, t).integers(0, 2**24, shape) / 2**24).astype(np.float32)


def normals(seed: int, t: int, shape: tuple[int, ...]) -> NDArray[Any]:
    """Standard normals in float32, which are exact in float64."""
    return generator(seed, t).standard_normal(shape, dtype=np.float32)
