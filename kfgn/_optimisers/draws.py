"""Random numbers for the methods that sample, from a counter-based generator that is keyed by (seed, t).

If the seed is an integer, NumPy draws the random numbers on the host, and the random numbers are equal on every library
and device. If the seed is a key of JAX, JAX draws the random numbers, also in a traced program. In both cases, a run
that is resumed from a checkpoint needs no generator state.
"""

from typing import Any

import numpy as np
from array_api_compat import is_jax_array

from .._curvature.kfac import label_draws_shape
from .._linearisation.arguments import checked_draws
from .._network.network import Network
from .._network.padded import values_of
from .._types import Array
from .._validation.scalars import checked_count, checked_seed
from ..backends import drawn_from_key, has_values, in_library_of, is_random_key


def checked_moment(seed: Any, t: int | Array, N: int) -> tuple[Any, int | Array, int]:
    """The checked seed, step t = 1, 2, ... and number N of datapoints, as Python integers.

    A key of JAX is returned unchanged. If JAX traces t and the seed is a key, t is returned unchanged too. The value of
    a 0-d integer array t of JAX that is not traced is read on the host.
    """
    if not is_random_key(seed):
        return checked_seed("seed", seed), _checked_t(t), checked_count("N", N)
    return seed, t if is_jax_array(t) and not has_values(t) else _checked_t(t), checked_count("N", N)


def _checked_t(t: Any) -> int:
    """t as a Python integer, from an integer or from a 0-d integer array of JAX such as `State.t`."""
    counts = is_jax_array(t) and t.ndim == 0 and np.issubdtype(t.dtype, np.integer) and has_values(t)
    return checked_count("t", int(t) if counts else t)


def generator(seed: int, t: int) -> np.random.Generator:
    """The random number generator of step t of the run with this seed."""
    return np.random.Generator(np.random.Philox(key=np.array([seed, t], dtype=np.uint64)))


def uniforms(seed: Any, t: Any, shape: tuple[int, ...]) -> Array:
    """Uniform random numbers in [0, 1): float32 multiples of 2^-24, which are exact in float64 and never round to 1."""
    if is_random_key(seed):
        return drawn_from_key(seed, t, shape, normal=False)
    return (generator(seed, t).integers(0, 2**24, shape) / 2**24).astype(np.float32)


def normals(seed: Any, t: Any, shape: tuple[int, ...]) -> Array:
    """Standard normal random numbers in float32, whose conversion to float64 is exact."""
    if is_random_key(seed):
        return drawn_from_key(seed, t, shape, normal=True)
    return generator(seed, t).standard_normal(shape, dtype=np.float32)


def label_draws(network: Network, seed: Any, t: int | Array, N: int, samples: int) -> Array:
    """The random numbers from which `sample_labels` makes labels: normals for squared_error, and otherwise uniforms."""
    kind = normals if network.objective == "squared_error" else uniforms
    return kind(seed, t, label_draws_shape(network, N, samples))


def checked_label_draws(network: Network, X: Array, draws: Array | None, method: str, *, sampled: bool) -> Array | None:
    """The checked draws of labels in the library of X, or None if nothing is sampled. No value of a draw is read."""
    if not sampled:
        if draws is not None:
            raise ValueError(f"draws: expected None for {method}, which samples nothing, got an array")
        return None
    if draws is None:
        raise ValueError(f"draws: expected the random numbers of {method} from `draw`, got None")
    return checked_draws(network, X, in_library_of(draws, values_of(X)), check=False)
