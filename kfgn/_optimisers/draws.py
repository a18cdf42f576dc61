"""Random numbers for the methods that sample, made on the host by a generator that counts: keyed (seed, t).

They are the same for every library and device, and a run that goes on from a checkpoint needs no generator's state.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._validation.scalars import checked_count, checked_seed


def checked_moment(seed: int, t: int, N: int) -> tuple[int, int, int]:
    """The seed of a run, its step t = 1, 2, ... and its N datapoints, checked to be integers in range."""
    return checked_seed("seed", seed), checked_count("t", t), checked_count("N", N)


def generator(seed: int, t: int) -> np.random.Generator:
    """The generator of step t of a run."""
    return np.random.Generator(np.random.Philox(key=np.array([seed, t], dtype=np.uint64)))


def uniforms(seed: int, t: int, shape: tuple[int, ...]) -> NDArray[Any]:
    """In [0, 1): multiples of 2^-24 in float32, so that they are the same in float64 and never round to 1."""
    return (generator(seed, t).integers(0, 2**24, shape) / 2**24).astype(np.float32)


def normals(seed: int, t: int, shape: tuple[int, ...]) -> NDArray[Any]:
    """Standard normals in float32, so that they are the same in float64."""
    return generator(seed, t).standard_normal(shape, dtype=np.float32)
