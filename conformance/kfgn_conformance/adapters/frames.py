"""Arrays as bytes, the form in which answers come out of a worker. Nothing in them is executed or unpickled.

A line of JSON before the bytes has the dtype and the shape of each array: {"arrays": [["<f8", [7, 6]], ...]}. The
elements follow in this order, each array row by row.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..problems.problem import Array
from .answers import ARRAYS, KINDS, NoAnswerError, line, size

DTYPES = {np.dtype(code).str: np.dtype(code) for code in np.typecodes["All"] if np.dtype(code).kind in KINDS}
"""The dtypes that an array may have, by the name under which they are sent."""


def headers(arrays: tuple[Array, ...]) -> list[Any]:
    """The dtype and the shape of each array."""
    return [[array.dtype.str, list(array.shape)] for array in arrays]


def received(written: object, most: int, take: Callable[[int], bytes]) -> tuple[Array, ...]:
    """The arrays of these headers; `take` gives the next bytes. `NoAnswerError` for a wrong header, before it reads."""
    if not isinstance(written, list) or len(written) > ARRAYS:
        raise NoAnswerError(f"expected a list of at most {ARRAYS} arrays, got {line(written, 80)}")
    kinds = [_header(header, i) for i, header in enumerate(written, start=1)]
    if sum(size(*kind) for kind in kinds) > most:
        raise NoAnswerError(f"expected at most {most} bytes in all arrays, got {line(written, 80)}")
    return tuple(np.frombuffer(take(size(*kind)), kind[0]).reshape(kind[1]).copy() for kind in kinds)


def _header(header: object, i: int) -> tuple[np.dtype[Any], tuple[int, ...]]:
    match header:
        case [str(name), [*sizes]] if name in DTYPES and len(sizes) <= 64:
            shape = tuple(n for n in sizes if type(n) is int and 0 <= n < 2**48)
            empty_beyond_numpy = 0 in shape and math.prod(n or 1 for n in shape) >= 2**48
            if len(shape) == len(sizes) and not empty_beyond_numpy:
                return DTYPES[name], shape
    raise NoAnswerError(f"array {i}: expected its dtype and shape, got {line(header, 80)}")
