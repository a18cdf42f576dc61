"""Functions of arrays that JAX compiles, and that NumPy runs without floating-point warnings."""

from collections.abc import Callable, Hashable
from functools import lru_cache, partial
from typing import Any

import numpy as np
from array_api_compat import is_jax_array, is_numpy_array

from .._types import Array
from .arrays import is_traced


def compiled(f: Callable[..., Any], *static: Hashable, like: Array) -> Callable[..., Any]:
    """Return the function `f(*static, ...)`, compiled if `like` is an array of JAX that is not traced.

    Parameters
    ----------
    f : callable
        A function f(*static, *arrays) that returns arrays, or tuples of arrays.
    *static : hashable
        The first arguments of f, which are constants of the compiled program.
    like : array of any shape and dtype
        An array of the same library as the arguments of the returned function.

    Returns
    -------
    callable
        A function of the arrays alone, which calls f with the static arguments and these arrays.

    Notes
    -----
    JAX compiles f once for each combination of static arguments, shapes, dtypes and settings. While JAX already traces
    `like`, f is not compiled separately, since the outer program contains f.

    NumPy's floating-point warnings are switched off, because an overflow is visible in the results as an infinity or a
    NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn.backends import compiled
    >>> x = np.ones(3)
    >>> scale = compiled(lambda factor, x: factor * x, 2.0, like=x)
    >>> scale(x)
    array([2., 2., 2.])
    """
    if is_jax_array(like) and not is_traced(like):
        return _jitted(f, static)
    bound = partial(f, *static)
    return np.errstate(all="ignore")(bound) if is_numpy_array(like) else bound


@lru_cache(maxsize=256)
def _jitted(f: Callable[..., Any], static: tuple[Hashable, ...]) -> Callable[..., Any]:
    import jax

    return jax.jit(partial(f, *static))  # type: ignore[no-any-return]
