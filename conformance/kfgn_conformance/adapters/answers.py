"""The reading of answers: plain NumPy arrays from any answer, and plain text from any exception."""

import math
from itertools import islice
from typing import Any

import numpy as np

from ..plain import plain
from ..problems.problem import Array, Problem
from ..quantities import Quantity

ARRAYS = 10_000
"""The most arrays of an answer."""

TEXT = 2**20
"""The most bytes of everything in an answer except the arrays."""

BYTES = 64
"""The most bytes for each number: enough for four of complex128, or for one in decimals with spaces around it."""

KINDS = "biufc"
"""The kinds of dtype that can be judged: booleans, integers, and real and complex numbers."""


class NoAnswerError(Exception):
    """The reason why a question has no answer that can be read; the message is one line."""


def room(problem: Problem, quantity: Quantity) -> int:
    """The most bytes that an answer may have, by the number of elements of the quantity on this problem."""
    return TEXT + BYTES * (quantity.elements(problem) + problem.parameters)


def line(text: object, most: int = 2000) -> str:
    """A text on one line, cut if it is longer, without control characters. The result is a plain `str`."""
    raw = text if isinstance(text, str) else str(text)
    start = str.__getitem__(raw, slice(4 * most))  # the method of `str` itself: a subclass may redefine it
    words = " ".join(start.split())
    shown = plain(words[:most])
    return shown + ("..." if len(words) > most or str.__len__(raw) > 4 * most else "")


def raised(error: BaseException) -> str:
    """An exception on one line, also one that cannot be printed."""
    name, text = line(kind(error).rpartition(".")[2]), message(error)
    return f"{name}: {text}" if text else name


def message(error: BaseException) -> str:
    """The message of an exception on one line, also of one that cannot be printed."""
    try:
        return line(error)
    except BaseException as another:
        return f"its message cannot be printed ({line(kind(another).rpartition('.')[2])})"


def kind(value: object) -> str:
    """The qualified name of a value's type, as `type` itself has it: a metaclass of the adapter's may redefine it."""
    name: str = type.__dict__["__qualname__"].__get__(type(value))
    return name


def as_arrays(answer: object, most: int) -> tuple[Array, ...]:
    """The answer as plain arrays of native byte order, of at most `most` bytes. `NoAnswerError` for anything else.

    A list is read as a tuple. These values convert to arrays: tensors of PyTorch, without their gradients, arrays of
    JAX, and anything that has `__array__` or `__dlpack__`.
    """
    if not isinstance(answer, (tuple, list)):
        raise NoAnswerError(f"expected a tuple of arrays, got {_described(answer)}")
    if len(answer) > ARRAYS:
        raise NoAnswerError(f"expected at most {ARRAYS} arrays, got {len(answer)}")
    values = list(islice(answer, ARRAYS + 1))  # a class of the adapter's may have more than its length
    if len(values) > ARRAYS:
        raise NoAnswerError(f"expected at most {ARRAYS} arrays, got more")
    arrays, left = [], most
    for i, value in enumerate(values, start=1):
        which = f"array {i} of {len(values)}"
        array = _as_array(value, which)
        left -= array.nbytes
        if left < 0:
            raise NoAnswerError(f"{which}: expected at most {most} bytes in all arrays, got {_described(array)}")
        arrays.append(array.astype(array.dtype.newbyteorder("="), copy=False))
    return tuple(arrays)


def size(dtype: np.dtype[Any], shape: tuple[int, ...]) -> int:
    """The bytes of an array, as an integer that does not overflow."""
    return dtype.itemsize * math.prod(shape)


def _as_array(value: Any, which: str) -> Array:
    """One array of numbers, of NumPy's own class."""
    if isinstance(value, (list, tuple, dict, str, bytes)) or value is None:
        raise NoAnswerError(f"{which}: expected an array, got {_described(value)}")
    if isinstance(value, np.ma.MaskedArray):
        raise NoAnswerError(f"{which}: expected an array without a mask, got {_described(value)}")
    try:
        array = _converted(value)
    except Exception as error:  # the reason is whatever the conversion raises
        raise NoAnswerError(
            f"{which}: expected an array that NumPy can convert, got {_described(value)}: {raised(error)}"
        ) from error
    if array.dtype.kind not in KINDS:
        raise NoAnswerError(f"{which}: expected an array of numbers, got {_described(value, array)}")
    return array


def _converted(value: Any) -> Array:
    if not isinstance(value, (np.ndarray, np.generic)):
        for method in ("detach", "cpu"):  # methods of PyTorch: its tensor may need a gradient, or be on a GPU
            if callable(getattr(value, method, None)):
                value = getattr(value, method)()
        if hasattr(value, "__dlpack__") and not hasattr(value, "__array__"):
            return np.from_dlpack(value)
    return np.asarray(value)


def _described(value: Any, converted: Array | None = None) -> str:
    """The type of a value, with the dtype and the shape where it has them."""
    parts = [line(kind(value), 80)]
    for name in ("dtype", "shape"):
        try:
            known = getattr(value if converted is None else converted, name)
        except Exception:
            continue
        if known is not None:
            parts.append(f"{name} {line(tuple(islice(known, 80)) if name == 'shape' else known, 80)}")
    return parts[0] + (f" of {' and '.join(parts[1:])}" if parts[1:] else "")
