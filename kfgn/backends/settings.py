"""Isolation from settings of the user that would change the digits or the dtype of a result, or cause warnings.

Public functions run under kfgn's own settings and restore the user's settings afterwards. The matmul precision of
PyTorch is one setting for the whole process. If the user has chosen a lower precision, other threads see the highest
precision while a function of kfgn runs on tensors of PyTorch.
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
    """Make a function run under kfgn's settings for one library: that of the first non-integer array in its arguments.

    Parameters
    ----------
    f : callable
        A function of arrays, or of tuples and lists of arrays.

    Returns
    -------
    callable
        A function that calls f under kfgn's settings, and restores the user's settings after each call.

    Notes
    -----
    The settings are:

    * NumPy: no floating-point warnings or errors, since non-finite values are detected in the results
    * PyTorch: no autocast; products and convolutions of float32 arrays in full float32 precision, except while
      `torch.compile` is compiling
    * JAX: standard promotion of dtypes and shapes; no check for NaN or infinity; products of float32 arrays in full
      float32 precision; 64-bit arrays if the first non-integer array is float64

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn.backends import with_own_settings
    >>> @with_own_settings
    ... def reciprocal(x):
    ...     return 1 / x
    >>> with np.errstate(all="raise"):
    ...     reciprocal(np.zeros(2))
    array([inf, inf])
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
    """Return the first array whose dtype is not an integer dtype, among the values or in nested tuples and lists."""
    for value in values:
        # arrays of integers, such as `State.t`, are skipped
        if is_array_api_obj(value) and "int" not in str(getattr(value, "dtype", "")):
            return value
        if depth and isinstance(value, (tuple, list)):
            found = _first_array(value[:8], depth - 1)  # a valid call has an array among the first 8 elements
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

    if torch.compiler.is_compiling():  # the compiler can trace autocast, but not the other settings
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
    """A context manager that keeps PyTorch's products of float32 at full precision while any thread is inside it.

    The first thread that enters the context sets the precision, and the last thread that leaves it restores the user's
    precision. If every thread restored the precision that it had found, the precision could change while other threads
    still compute.
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
    """Set the highest precision of products and convolutions. Closing the stack `before` restores the user's choice."""
    import torch

    if hasattr(torch.backends.mkldnn, "conv"):  # releases without this setting convolve in full precision
        _set_ieee(torch.backends.mkldnn.conv, before)
    try:
        precision = torch.get_float32_matmul_precision()
    except RuntimeError:  # the user has set a precision for each backend, so PyTorch has no single value
        for backend in (torch.backends.cuda.matmul, torch.backends.mkldnn.matmul):
            _set_ieee(backend, before)
        return
    if precision != "highest":
        before.callback(torch.set_float32_matmul_precision, precision)
        torch.set_float32_matmul_precision("highest")


def _set_ieee(backend: Any, before: contextlib.ExitStack) -> None:
    if backend.fp32_precision not in ("none", "ieee"):
        before.callback(setattr, backend, "fp32_precision", backend.fp32_precision)
        backend.fp32_precision = "ieee"
