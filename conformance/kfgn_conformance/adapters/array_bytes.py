"""Arrays as raw bytes, the form in which a worker process sends its answers to the kit.

A line of JSON gives the dtype and the shape of each array: {"arrays": [["<f8", [7, 6]], ...]}. The bytes of the arrays
come after this line of JSON, in the order in which the line describes the arrays. The elements of an array are written
row by row. The kit neither executes nor unpickles the bytes.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..problems.problem import Array
from .answers import DTYPE_KINDS, MAX_ARRAYS, NoAnswerError, byte_size, one_line

DTYPES = {np.dtype(code).str: np.dtype(code) for code in np.typecodes["All"] if np.dtype(code).kind in DTYPE_KINDS}
"""The dtypes that an array may have. Each key is the name of a dtype in the line of JSON, such as `<f8`."""


def headers(arrays: tuple[Array, ...]) -> list[Any]:
    """The dtype and the shape of each array, for the line of JSON."""
    return [[array.dtype.str, list(array.shape)] for array in arrays]


def read_arrays(written: object, limit: int, read: Callable[[int], bytes]) -> tuple[Array, ...]:
    """Read the arrays whose dtypes and shapes are given in a list, with at most `limit` bytes in total.

    written: list of pairs of a dtype and a shape, as in the line of JSON
    read:    function of a number n that returns the next n bytes

    Raises `NoAnswerError`, before any byte is read, if the list is malformed or too long, or describes too many bytes.
    """
    if not isinstance(written, list) or len(written) > MAX_ARRAYS:
        raise NoAnswerError(f"expected a list of at most {MAX_ARRAYS} arrays, got {one_line(written, 80)}")
    layouts = [_header(header, i) for i, header in enumerate(written, start=1)]
    if sum(byte_size(*layout) for layout in layouts) > limit:
        raise NoAnswerError(f"expected at most {limit} bytes in all arrays, got {one_line(written, 80)}")
    return tuple(np.frombuffer(read(byte_size(*layout)), layout[0]).reshape(layout[1]).copy() for layout in layouts)


def _header(header: object, i: int) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """Read the dtype and the shape of array i from a pair. Raises `NoAnswerError` if the pair is not valid."""
    match header:
        case [str(name), [*sizes]] if name in DTYPES and len(sizes) <= 64:
            shape = tuple(n for n in sizes if type(n) is int and 0 <= n < 2**48)
            empty_but_too_large = 0 in shape and math.prod(n or 1 for n in shape) >= 2**48
            if len(shape) == len(sizes) and not empty_but_too_large:
                return DTYPES[name], shape
    raise NoAnswerError(f"array {i}: expected a dtype and a shape, got {one_line(header, 80)}")
