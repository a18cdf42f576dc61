"""Functions of arrays as a library runs them best: JAX compiles them, the others take them as they are."""

from collections.abc import Callable, Hashable
from functools import lru_cache, partial
from typing import Any

from array_api_compat import is_jax_array

from .._types import Array
from .arrays import is_traced


def compiled(f: Callable[..., Any], *static: Hashable, like: Array) -> Callable[..., Any]:
    """f with its first arguments given, for arrays of the library of `like`.

    JAX compiles it once for each set of static arguments, shapes and settings, but not inside a trace, which compiles
    the whole of what it sees.
    """
    if is_jax_array(like) and not is_traced(like):
        return _jitted(f, static)
    return partial(f, *static)


@lru_cache(maxsize=256)
def _jitted(f: Callable[..., Any], static: tuple[Hashable, ...]) -> Callable[..., Any]:
    import jax

    return jax.jit(partial(f, *static))  # type: ignore[no-any-return]
