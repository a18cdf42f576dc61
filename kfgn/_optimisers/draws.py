"""Random numbers for the methods that sample, from a counter-based generator that is keyed by (seed, t).

With an integer as the seed, NumPy draws them on the host: they are equal on every library and device. With a key of JAX
as the seed, JAX draws them, and a traced program can do so too. A run that is resumed from a checkpoint needs no
generator state in either case.
"""

from typing import Any

import numpy as np
from array_api_compat import is_jax_array

from .._types import Array
from .._validation.scalars import checked_count, checked_seed
from ..backends import drawn_from_key, has_values, is_random_key


def checked_moment(seed: Any, t: int | Array, N: int) -> tuple[Any, int | Array, int]:
    """Check the seed of a run, its step t = 1, 2, ... and its N datapoints.

    Return them as Python integers, except for a key of JAX, and for the t of a traced step.
    """
    if is_random_key(seed):
        return seed, t if _is_traced_count(t) else checked_count("t", t), checked_count("N", N)
    return checked_seed("seed", seed), checked_count("t", t), checked_count("N", N)


def _is_traced_count(t: Any) -> bool:
    return is_jax_array(t) and not has_values(t)


def generator(seed: int, t: int) -> np.random.Generator:
    """The generator of step t of a run."""
    return np.random.Generator(np.random.Philox(key=np.array([seed, t], dtype=np.uint64)))


def uniforms(seed: Any, t: Any, shape: tuple[int, ...]) -> Array:
    """Uniforms in [0, 1) in float32: multiples of 2^-24, which are exact in float64 and never round to 1."""
    if is_random_key(seed):
        return drawn_from_key(seed, t, shape, normal=False)
    return (generator(seed, t).integers(0, 2**24, shape) / 2**24).astype(np.float32)


def normals(seed: Any, t: Any, shape: tuple[int, ...]) -> Array:
    """Standard normals in float32, which are exact in float64."""
    if is_random_key(seed):
        return drawn_from_key(seed, t, shape, normal=True)
    return generator(seed, t).standard_normal(shape, dtype=np.float32)
