"""What the port asks of an array that the standard has no word for. No library is imported to answer."""

from typing import Any

import array_api_compat
import numpy as np
from array_api_compat import is_jax_array, is_torch_array

from .._types import Array


def is_traced(x: Array) -> bool:
    """Whether x stands for a value that JAX is tracing and does not have yet."""
    if not is_jax_array(x):
        return False
    from jax.core import Tracer

    return isinstance(x, Tracer)


def device(x: Array) -> Any:
    """The device of x in its library's words; None for a traced array, which has none yet."""
    return None if is_traced(x) else array_api_compat.device(x)


def has_values(x: Array) -> bool:
    """Whether the elements of x can be read: not when traced, compiled or on torch's `meta` device."""
    if is_torch_array(x):
        import torch

        return not (x.is_meta or torch.compiler.is_compiling())
    return not is_traced(x)


def detached(x: Array) -> Array:
    """x outside any autograd graph, without a copy, so that no graph is recorded from here on."""
    return _detached_tensor(x) if is_torch_array(x) else x


def _detached_tensor(x: Array) -> Array:
    import torch

    if type(x) is torch.Tensor and not x.requires_grad:
        return x
    return _unwrapped(x.detach())


def _unwrapped(x: Array) -> Array:
    """The tensor itself: a transform of torch.func wraps what an operation returns, constants too."""
    import torch

    return x if torch.compiler.is_compiling() else torch.func.debug_unwrap(x)


def carries_derivatives(x: Array) -> bool:
    """True if x is inside a transform of `torch.func`, or has a tangent of PyTorch's forward mode.

    Its value and its derivatives belong together there, and `detached` would part them. Not known while compiling.
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
    """u of the dtype of x: 2^-24 for float32, 2^-53 for float64."""
    return float(array_api_compat.array_namespace(x).finfo(x.dtype).eps) / 2


def index_dtype(x: Array) -> Any:
    """The default integer dtype of the library of x on its device."""
    return array_api_compat.array_namespace(x).arange(1, device=device(x)).dtype


def copied(x: Array) -> Array:
    """A copy of x outside any autograd graph, with the memory layout of x.

    JAX's arrays are copied too: those made from a NumPy array may share its memory.
    """
    if is_torch_array(x):
        return _unwrapped(x.detach().clone())
    return array_api_compat.array_namespace(x).asarray(x, copy=True)


def is_plain(x: Array) -> bool:
    """True if x computes as its library's arrays do: no sparse tensor, no masked array, no matrix, no random key."""
    if is_torch_array(x):
        import torch

        return bool(x.layout == torch.strided)
    if is_jax_array(x):
        import jax

        return not jax.dtypes.issubdtype(x.dtype, jax.dtypes.extended)
    return not isinstance(x, (np.ma.MaskedArray, np.matrix))
