"""The device of a new array, and arrays whose elements the host can read without waiting."""

from typing import Any

from array_api_compat import is_jax_array, is_numpy_array, is_torch_array

from .._types import Array
from .arrays import carries_derivatives, device, is_traced


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


def in_host_memory(x: Array) -> bool:
    """Return True if the host can read an array now, without waiting, and use it outside its library.

    Parameters
    ----------
    x : array of any shape and dtype

    Returns
    -------
    bool
        True for an array of NumPy, and for a `torch.Tensor` in host memory, unless a compiler, a tracer or a dispatch
        mode records the operations of PyTorch. False for a tensor that has a tangent of PyTorch's forward mode or is
        inside a transform of `torch.func`, for an instance of a subclass of `torch.Tensor`, and for an array of any
        other library. JAX, for example, may still be computing the elements.

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn.backends import in_host_memory
    >>> in_host_memory(np.ones(3))
    True
    """
    if not is_torch_array(x):
        return bool(is_numpy_array(x))
    import torch
    from torch.utils._python_dispatch import is_in_torch_dispatch_mode

    if torch.compiler.is_compiling() or torch.jit.is_tracing() or is_in_torch_dispatch_mode():
        return False
    return type(x) is torch.Tensor and x.device.type == "cpu" and not carries_derivatives(x)
