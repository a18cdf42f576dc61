"""Random numbers that JAX draws with a key, and the conversion of random numbers to the library of an array."""

from typing import Any

import numpy as np
from array_api_compat import array_namespace, is_jax_array

from .._types import Array
from .placement import creation_device


def is_random_key(x: Any) -> bool:
    """Return True for a random key of JAX, traced or not.

    Parameters
    ----------
    x : object
        Any object.

    Returns
    -------
    bool
        True for a result of `jax.random.key`, and for an array of JAX with two integers of dtype uint32, such as a
        result of `jax.random.PRNGKey`.

    Examples
    --------
    >>> from kfgn.backends import is_random_key
    >>> is_random_key(7)
    False
    """
    if not is_jax_array(x):
        return False
    import jax

    if jax.dtypes.issubdtype(x.dtype, jax.dtypes.prng_key):
        return bool(x.shape == ())
    return bool(x.shape == (2,) and x.dtype == np.uint32)


def drawn_from_key(key: Any, t: int | Array, shape: tuple[int, ...], normal: bool) -> Array:
    """Return the random numbers that JAX draws for step t.

    Parameters
    ----------
    key : JAX key
        A key for which `is_random_key` is True.
    t : int or array, shape ()
        The number of the step, which is folded into the key.
    shape : tuple of int
        The shape of the result.
    normal : bool
        True for standard normal random numbers, False for uniform random numbers in [0, 1).

    Returns
    -------
    JAX array
        The random numbers in float32.

    Examples
    --------
    >>> import jax
    >>> from kfgn.backends import drawn_from_key
    >>> drawn_from_key(jax.random.key(0), 1, (3, 2), normal=True).shape
    (3, 2)
    """
    import jax

    draw = jax.random.normal if normal else jax.random.uniform
    return draw(jax.random.fold_in(key, t), shape, np.float32)


def in_library_of(x: Array, like: Array) -> Array:
    """Return random numbers in the library and dtype and on the device of an array, if the conversion is exact.

    Parameters
    ----------
    x : array of any shape
        The random numbers.
    like : array of any shape, float32 or float64
        An existing array, which determines the library, dtype and device of the result.

    Returns
    -------
    array
        The random numbers in the library and dtype and on the device of `like`, if x is an array of NumPy and the dtype
        of x is float32 or the dtype of `like`. If x and `like` are arrays of JAX and x is float32, the result is x in
        the dtype of `like`. In all other cases, the result is x itself.

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn.backends import in_library_of
    >>> in_library_of(np.ones(3, dtype=np.float32), np.ones(1)).dtype
    dtype('float64')
    """
    xp = array_namespace(like)
    if is_jax_array(like) and is_jax_array(x):
        return xp.astype(x, like.dtype) if x.dtype == np.float32 else x
    dtype = np.dtype(f"float{xp.finfo(like.dtype).bits}")
    if type(x) is not np.ndarray or x.dtype not in (np.float32, dtype):
        return x
    return xp.asarray(np.array(x, dtype), device=creation_device(like))
