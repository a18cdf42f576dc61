"""The arrays inside a problem, each with its path, such as `weights[1]` or `arguments.direction[0]`.

A problem consists of tuples, named tuples and arrays. Whatever is done with each of its arrays goes through the two
functions of this module: rounding, copying, hashing, comparison, conversion to a library, and writing to JSON.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

ARRAYS = (np.ndarray, np.generic)
"""The types of arrays. NumPy's arithmetic turns arrays without an axis into scalars, which count as arrays too."""


def named_arrays(value: Any, path: str) -> Iterator[tuple[str, Array]]:
    """The arrays inside a value, with their paths, in the order of its fields."""
    if isinstance(value, ARRAYS):
        yield path, value
    for name, part in parts(value, path):
        yield from named_arrays(part, name)


def mapped_arrays(f: Callable[[str, Array], Any], value: Any, path: str) -> Any:
    """The value with f(path, array) instead of each array inside it."""
    if isinstance(value, ARRAYS):
        return f(path, value)
    if not isinstance(value, tuple):
        return value
    mapped = [mapped_arrays(f, part, name) for name, part in parts(value, path)]
    return type(value)(*mapped) if hasattr(value, "_fields") else tuple(mapped)


def parts(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The elements of a tuple with their paths, or nothing if the value is not a tuple."""
    if isinstance(value, tuple):
        names = getattr(value, "_fields", None)
        for i, part in enumerate(value):
            yield (f"{path}.{names[i]}" if names else f"{path}[{i}]"), part
