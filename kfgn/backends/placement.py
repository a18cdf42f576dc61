"""The device of an array that is created next to another one."""

from typing import Any

from array_api_compat import is_jax_array

from .._types import Array
from .arrays import device, is_traced


def creation_device(x: Array) -> Any:
    """The `device` argument of an array that is created next to x; None for the default of the library.

    It is None for a traced array, and for an array of JAX that is not committed to its device. An array that is created
    with a device is committed, and JAX compiles a program again when one of its arguments becomes committed.
    """
    committed = not is_jax_array(x) or is_traced(x) or x.committed
    return device(x) if committed else None
