"""Functions of arrays as a library runs them best: JAX compiles them, and NumPy does not warn."""

from collections.abc import Callable, Hashable
from functools import lru_cache, partial
from typing import Any

import numpy as np
from array_api_compat import is_jax_array, is_numpy_array

from .._types import Array
from .arrays import is_traced


def compiled(f: Callable[..., Any], *static: Hashable, like: Array) -> Callable[..., Any]:
    """f with its first arguments given, for arrays of the library of `like`.

    JAX compiles it once for each set of static arguments, shapes and settings, but not inside a trace, which compiles
    the whole of what it sees. NumPy does not warn of what is not finite: such a function tells it in its results.
    """
    if is_jax_array(like) and not is_traced(like):
        return _jitted(f, static)
    given = partial(f, *static)
    return np.errstate(all="ignore")(given) if is_numpy_array(like) else given


@lru_cache(maxsize=256)
def _jitted(f: Callable[..., Any], static: tuple[Hashable, ...]) -> Callable[..., Any]:
    import jax

    return jax.jit(partial(f, *static))  # type: ignore[no-any-return]
