"""Settings of a library or a process that would change the digits, the dtype or the warnings of a result.

Public functions run under settings of their own, and leave those of the user as they were. PyTorch's matmul precision
is a setting of the process. If the user's is not `highest`, another thread sees the change during a call.
"""

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np
from array_api_compat import is_array_api_obj, is_jax_array, is_torch_array

from .._types import Array

P = ParamSpec("P")
R = TypeVar("R")


def with_own_settings(f: Callable[P, R]) -> Callable[P, R]:
    """f under kfgn's own settings of the library whose array comes first among its arguments.

    NumPy:   no floating-point warning or error, since a result that is not finite is seen by itself
    PyTorch: no autocast, and products of float32 in float32
    JAX:     the standard's promotion of dtypes and shapes, no search for NaN, products of float32 in float32, and
             64 bits for arrays that have them
    """

    @wraps(f)
    def g(*args: P.args, **kwargs: P.kwargs) -> R:
        like = _first_array((*args, *kwargs.values()), depth=4)
        if is_torch_array(like):
            with _torch_settings(like):
                return f(*args, **kwargs)
        if is_jax_array(like):
            with _jax_settings(like):
                return f(*args, **kwargs)
        with np.errstate(all="ignore"):
            return f(*args, **kwargs)

    return g


def _first_array(values: Iterable[Any], depth: int) -> Array | None:
    """The first array in the arguments, and in tuples and lists of them, which are short in a valid call."""
    for value in values:
        if is_array_api_obj(value) and "int" not in str(getattr(value, "dtype", "")):  # not the t of a state
            return value
        if depth and isinstance(value, (tuple, list)):
            found = _first_array(value[:8], depth - 1)
            if found is not None:
                return found
    return None


@contextlib.contextmanager
def _jax_settings(like: Array) -> Iterator[None]:
    import jax

    with contextlib.ExitStack() as stack:
        stack.enter_context(jax.numpy_dtype_promotion("standard"))
        stack.enter_context(jax.numpy_rank_promotion("allow"))
        stack.enter_context(jax.debug_nans(False))
        stack.enter_context(jax.debug_infs(False))
        stack.enter_context(jax.default_matmul_precision("highest"))
        if like.dtype == np.float64:
            stack.enter_context(jax.enable_x64(True))
        yield


def _torch_settings(like: Array) -> contextlib.AbstractContextManager[Any]:
    import torch

    if torch.compiler.is_compiling():  # the compiler knows autocast, but not the other settings
        return _without_autocast(like)
    stack = contextlib.ExitStack()
    stack.enter_context(_without_autocast(like))
    stack.enter_context(_PRODUCTS)
    return stack


def _without_autocast(like: Array) -> contextlib.AbstractContextManager[Any]:
    import torch

    kind = like.device.type
    if torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind):
        return torch.autocast(kind, enabled=False)  # type: ignore[no-any-return]
    return contextlib.nullcontext()


class _Products:
    """Products of float32 in float32 while any thread needs them: the first call sets this, the last one ends it.

    If each call put back what it had found, it would do so while others still compute.
    """

    def __init__(self) -> None:
        self.lock, self.calls, self.before = threading.Lock(), 0, contextlib.ExitStack()

    def __enter__(self) -> None:
        with self.lock:
            if self.calls == 0:
                _set_highest(self.before)
            self.calls += 1

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.calls -= 1
            if self.calls == 0:
                self.before.close()


_PRODUCTS = _Products()


def _set_highest(before: contextlib.ExitStack) -> None:
    """Set the precision of matmul, and have `before` put back the one of the user."""
    import torch

    try:
        precision = torch.get_float32_matmul_precision()
    except RuntimeError:  # it was set for each backend by itself, which PyTorch has in one word no more
        for backend in (torch.backends.cuda.matmul, torch.backends.mkldnn.matmul):
            before.callback(setattr, backend, "fp32_precision", backend.fp32_precision)
            backend.fp32_precision = "ieee"
        return
    if precision != "highest":
        before.callback(torch.set_float32_matmul_precision, precision)
        torch.set_float32_matmul_precision("highest")
