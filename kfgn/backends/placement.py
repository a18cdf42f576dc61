"""The device of a new array that is used together with an existing array."""

from typing import Any

from array_api_compat import is_jax_array

from .._types import Array
from .arrays import device, is_traced


def creation_device(x: Array) -> Any:
    """Return the `device` argument for a new array that is used together with x.

    Parameters
    ----------
    x : array of any shape

    Returns
    -------
    object or None
        The device of x, as the library of x represents a device. None, which means the default device, for a traced
        array and for an array of JAX that is not committed to its device.

    Notes
    -----
    JAX commits an array to a device if the array is created with the argument `device`. JAX compiles a program again
    when one of the program's arguments becomes committed.

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn.backends import creation_device
    >>> creation_device(np.ones(3))
    'cpu'
    """
    committed = not is_jax_array(x) or is_traced(x) or x.committed
    return device(x) if committed else None
