"""Random numbers for the methods that sample, from a counter-based generator on the host, keyed by (seed, t).

The random numbers are equal on every library and device. A run that is resumed from a checkpoint needs no generator
state.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._validation.scalars import checked_count, checked_seed


def checked_moment(seed: int, t: int, N: int) -> tuple[int, int, int]:
    """The checked seed, step t = 1, 2, ... and number N of datapoints, as Python integers."""
    return checked_seed("seed", seed), checked_count("t", t), checked_count("N", N)


def generator(seed: int, t: int) -> np.random.Generator:
    """The random number generator of step t of the run with this seed."""
    return np.random.Generator(np.random.Philox(key=np.array([seed, t], dtype=np.uint64)))


def uniforms(seed: int, t: int, shape: tuple[int, ...]) -> NDArray[Any]:
    """Uniform random numbers in [0, 1): float32 multiples of 2^-24, which are exact in float64 and never round to 1."""
    return (generator(seed, t).integers(0, 2**24, shape) / 2**24).astype(np.float32)


def normals(seed: int, t: int, shape: tuple[int, ...]) -> NDArray[Any]:
    """Standard normal random numbers in float32, whose conversion to float64 is exact."""
    return generator(seed, t).standard_normal(shape, dtype=np.float32)
