"""Properties of an array for which the array API standard has no function.

PyTorch is imported only for arrays of PyTorch, and JAX only for arrays of JAX.
"""

from typing import Any

import array_api_compat
import numpy as np
from array_api_compat import is_jax_array, is_torch_array

from .._types import Array


def is_traced(x: Array) -> bool:
    """Return True if x is a tracer of JAX, which has no value yet."""
    if not is_jax_array(x):
        return False
    from jax.core import Tracer

    return isinstance(x, Tracer)


def device(x: Array) -> Any:
    """Return the device of an array.

    Parameters
    ----------
    x : array of any shape and dtype

    Returns
    -------
    object or None
        The device as the library of x represents it; None for an array that JAX traces, which has no device yet.

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn.backends import device
    >>> device(np.ones(3))
    'cpu'
    """
    if is_torch_array(x):
        return x.device  # array_api_compat.device would first test whether x belongs to other libraries
    return None if is_traced(x) else array_api_compat.device(x)


def has_values(x: Array) -> bool:
    """Return True if the elements of an array can be read now.

    Parameters
    ----------
    x : array of any shape and dtype

    Returns
    -------
    bool
        False if JAX traces x, if x is on the `meta` device of PyTorch, or if `torch.compile` is compiling; otherwise
        True.

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn.backends import has_values
    >>> has_values(np.ones(3))
    True
    """
    if is_torch_array(x):
        import torch

        return not (x.is_meta or torch.compiler.is_compiling())
    return not is_traced(x)


def detached(x: Array) -> Array:
    """Return an array that is detached from all autograd graphs, so that operations on the array record no graph.

    Parameters
    ----------
    x : array of any shape and dtype

    Returns
    -------
    array of the shape and dtype of x
        An array that shares the memory of x. Only PyTorch records graphs, so an array of any other library is returned
        unchanged.

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn.backends import detached
    >>> x = np.ones(3)
    >>> detached(x) is x
    True
    """
    return _detached_tensor(x) if is_torch_array(x) else x


def _detached_tensor(x: Array) -> Array:
    import torch

    if type(x) is torch.Tensor and not x.requires_grad:
        return x
    return _unwrapped(x.detach())


def _unwrapped(x: Array) -> Array:
    """Return the tensor without the wrapper that a transform of torch.func puts around every result.

    While `torch.compile` is compiling, the tensor is returned unchanged.
    """
    import torch

    return x if torch.compiler.is_compiling() else torch.func.debug_unwrap(x)


def carries_derivatives(x: Array) -> bool:
    """Return True if an array is inside a transform of `torch.func` or has a tangent of PyTorch's forward mode.

    Parameters
    ----------
    x : array of any shape and dtype

    Returns
    -------
    bool
        False for an array of a library other than PyTorch, and while `torch.compile` is compiling, since the answer is
        then unknown.

    Notes
    -----
    kfgn rejects an array that carries derivatives, since `detached` would silently remove the derivatives.

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn.backends import carries_derivatives
    >>> carries_derivatives(np.ones(3))
    False
    """
    if not is_torch_array(x):
        return False
    import torch

    if torch.compiler.is_compiling():
        return False
    return (
        torch.func.debug_unwrap(x, recurse=False) is not x
        or torch.autograd.forward_ad.unpack_dual(x).tangent is not None
    )


def unit_roundoff(x: Array) -> float:
    """Return the unit roundoff u of the dtype of an array.

    Parameters
    ----------
    x : array of any shape, float32 or float64

    Returns
    -------
    float
        2^-24 for float32, 2^-53 for float64.

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn.backends import unit_roundoff
    >>> unit_roundoff(np.ones(3, dtype=np.float32)) == 2.0**-24
    True
    """
    return float(array_api_compat.array_namespace(x).finfo(x.dtype).eps) / 2


def index_dtype(x: Array) -> Any:
    """Return the dtype of indices: the default integer dtype of the library and device of an array.

    Parameters
    ----------
    x : array of any shape

    Returns
    -------
    dtype
        An integer dtype of the library of x.

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn.backends import index_dtype
    >>> index_dtype(np.ones(3)) == np.int64
    True
    """
    return array_api_compat.array_namespace(x).arange(1, device=device(x)).dtype


def copied(x: Array) -> Array:
    """Return a copy of an array, detached from all autograd graphs.

    Parameters
    ----------
    x : array of any shape and dtype

    Returns
    -------
    array of the shape and dtype of x
        A copy in new memory. Even an array of JAX is copied, since it may share the memory of a NumPy array.

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn.backends import copied
    >>> x = np.ones(3)
    >>> y = copied(x)
    >>> x[0] = 5
    >>> y
    array([1., 1., 1.])
    """
    if is_torch_array(x):
        return _unwrapped(x.detach().clone())
    return array_api_compat.array_namespace(x).asarray(x, copy=True)


def is_plain(x: Array) -> bool:
    """Return True if operations on an array have the same meaning as on ordinary arrays of its library.

    Parameters
    ----------
    x : array of any shape and dtype

    Returns
    -------
    bool
        False for a tensor of PyTorch that is not strided, such as a sparse tensor. False also for a masked array, a
        `numpy.matrix`, and a key from `jax.random.key`. True for all other arrays.

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn.backends import is_plain
    >>> is_plain(np.ones(3)), is_plain(np.ma.masked_equal([1, 2, 3], 2))
    (True, False)
    """
    if is_torch_array(x):
        import torch

        return bool(x.layout == torch.strided)
    if is_jax_array(x):
        import jax

        return not jax.dtypes.issubdtype(x.dtype, jax.dtypes.extended)
    return not isinstance(x, (np.ma.MaskedArray, np.matrix))
