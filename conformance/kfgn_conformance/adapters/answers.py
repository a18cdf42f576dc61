"""Conversion of an adapter's answers to NumPy arrays, and of an adapter's exceptions to lines of text."""

import math
import sysconfig
import traceback
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from ..plain import plain
from ..problems.problem import Array, Problem
from ..quantities import Quantity

MAX_ARRAYS = 10_000
"""The largest number of arrays in an answer."""

MAX_TEXT_BYTES = 2**20
"""The number of bytes that an answer may have in addition to its arrays, such as names and messages."""

BYTES_PER_NUMBER = 64
"""The number of bytes that an answer may have per element of the expected arrays, and per weight of the problem.

64 bytes are enough for four complex128 numbers, or for one number in decimal digits with spaces around the digits.
"""

DTYPE_KINDS = "biufc"
"""The kinds of dtype that an answer may have: booleans, integers, real numbers and complex numbers."""


MAX_NAME = 80
"""The number of characters after which the name of a file is cut."""

INSTALLED = tuple({sysconfig.get_path(name) for name in ("stdlib", "platlib", "purelib")})
"""The folders of installed packages and of the standard library."""

THE_KIT = str(Path(__file__).parents[1])
"""The folder of the kit."""


class NoAnswerError(Exception):
    """Exception for an answer that is missing or cannot be read. The message is the reason, on one line."""


def max_bytes(problem: Problem, quantity: Quantity) -> int:
    """The largest number of bytes of an answer, computed from the sizes of the expected arrays and of the weights."""
    return MAX_TEXT_BYTES + BYTES_PER_NUMBER * (quantity.elements(problem) + problem.parameters)


def one_line(text: object, limit: int = 2000) -> str:
    """Return a text as a `str` of one line, cut after `limit` characters, with unprintable characters escaped."""
    raw = text if isinstance(text, str) else str(text)
    start = str.__getitem__(raw, slice(4 * limit))  # a subclass of `str` may override `__getitem__`
    words = " ".join(start.split())
    shown = plain(words[:limit])
    return shown + ("..." if len(words) > limit or str.__len__(raw) > 4 * limit else "")


def error_line(error: BaseException) -> str:
    """The type and the message of an exception on one line, even if the methods of the exception fail."""
    name, text = one_line(type_name(error).rpartition(".")[2]), error_message(error)
    return f"{name}: {text}" if text else name


def raised_line(error: BaseException) -> str:
    """The result of `error_line` for an adapter's exception, with the name of a file and the number of a line.

    The line is the innermost line of the traceback that is in a file outside of the kit, of installed packages and of
    the standard library. If no such line exists, the line is the innermost line in any file outside of the kit. If the
    traceback has no line in such a file either, the result has no file and no line.
    """
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(_traceback(error))]
    outside = [place for place in frames if not place[0].startswith(("<", THE_KIT))]
    own = [place for place in outside if not place[0].startswith(INSTALLED)]
    if not outside:
        return error_line(error)
    file, line = (own or outside)[-1]
    return f"{error_line(error)} ({one_line(Path(file).name, MAX_NAME)}:{line})"


def _traceback(error: BaseException) -> TracebackType | None:
    """The traceback of an exception, even if the class of the exception overrides `__traceback__`."""
    found: TracebackType | None = BaseException.__dict__["__traceback__"].__get__(error)
    return found


def error_message(error: BaseException) -> str:
    """The message of an exception on one line, even if the `__str__` of the exception fails."""
    try:
        return one_line(error)
    except BaseException as failure:
        return f"the message cannot be printed ({one_line(type_name(failure).rpartition('.')[2])})"


def type_name(value: object) -> str:
    """The qualified name of a value's type, even if a metaclass overrides `__qualname__`."""
    name: str = type.__dict__["__qualname__"].__get__(type(value))
    return name


def as_arrays(answer: object, limit: int) -> tuple[Array, ...]:
    """Convert an answer to NumPy arrays of native byte order, with at most `limit` bytes in total.

    The answer is a tuple or a list of arrays. An array is a NumPy array without a mask, a tensor of PyTorch, an array
    of JAX, or any other object that NumPy can convert to numbers. A list, tuple, dict, text, bytes object or None is
    not an array. A tensor is converted without its gradient. Raises `NoAnswerError` for an answer that cannot be
    converted or is too large.
    """
    if not isinstance(answer, (tuple, list)):
        raise NoAnswerError(f"expected a tuple of arrays, got {_described(answer)}")
    if len(answer) > MAX_ARRAYS:
        raise NoAnswerError(f"expected at most {MAX_ARRAYS} arrays, got {len(answer)}")
    values = list(islice(answer, MAX_ARRAYS + 1))  # a subclass of list may yield more elements than its length
    if len(values) > MAX_ARRAYS:
        raise NoAnswerError(f"expected at most {MAX_ARRAYS} arrays, got more")
    arrays, left = [], limit
    for i, value in enumerate(values, start=1):
        which = f"array {i} of {len(values)}"
        array = _as_array(value, which)
        left -= array.nbytes
        if left < 0:
            raise NoAnswerError(f"{which}: expected at most {limit} bytes in all arrays, got {_described(array)}")
        arrays.append(array.astype(array.dtype.newbyteorder("="), copy=False))
    return tuple(arrays)


def byte_size(dtype: np.dtype[Any], shape: tuple[int, ...]) -> int:
    """The number of bytes of an array, as a Python integer, which does not overflow."""
    return dtype.itemsize * math.prod(shape)


def _as_array(value: Any, which: str) -> Array:
    """Convert a value to a `numpy.ndarray` of numbers."""
    if isinstance(value, (list, tuple, dict, str, bytes)) or value is None:
        raise NoAnswerError(f"{which}: expected an array, got {_described(value)}")
    if isinstance(value, np.ma.MaskedArray):
        raise NoAnswerError(f"{which}: expected an array without a mask, got {_described(value)}")
    try:
        array = _converted(value)
    except Exception as error:  # a conversion may raise any exception
        raise NoAnswerError(
            f"{which}: expected an array that NumPy can convert, got {_described(value)}: {error_line(error)}"
        ) from error
    if array.dtype.kind not in DTYPE_KINDS:
        raise NoAnswerError(f"{which}: expected an array of numbers, got {_described(value, array)}")
    return array


def _converted(value: Any) -> Array:
    if not isinstance(value, (np.ndarray, np.generic)):
        for method in ("detach", "cpu"):  # NumPy refuses a tensor that is on a GPU or requires a gradient
            if callable(getattr(value, method, None)):
                value = getattr(value, method)()
        if hasattr(value, "__dlpack__") and not hasattr(value, "__array__"):
            return np.from_dlpack(value)
    return np.asarray(value)


def _described(value: Any, converted: Array | None = None) -> str:
    """The type of a value as text, with the dtype and the shape of `converted`, or of the value if it has them."""
    parts = [one_line(type_name(value), 80)]
    for name in ("dtype", "shape"):
        try:
            found = getattr(value if converted is None else converted, name)
        except Exception:
            continue
        if found is not None:
            parts.append(f"{name} {one_line(tuple(islice(found, 80)) if name == 'shape' else found, 80)}")
    return parts[0] + (f" of {' and '.join(parts[1:])}" if parts[1:] else "")
