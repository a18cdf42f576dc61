"""The arrays inside a problem, each with its path, such as `weights[1]` or `arguments.direction[0]`.

A problem consists of tuples, named tuples and arrays. Rounding, hashing, conversion to the arrays of a library, and
writing to JSON visit its arrays by these functions.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def is_array(value: Any) -> TypeGuard[Array]:
    """True for an array, and for the scalar into which NumPy's arithmetic turns an array without an axis."""
    return isinstance(value, np.ndarray | np.generic)


def named_arrays(value: Any, path: str) -> Iterator[tuple[str, Array]]:
    """The arrays inside a value, with their paths, in the order of its fields."""
    if is_array(value):
        yield path, value
    for name, part in parts(value, path):
        yield from named_arrays(part, name)


def mapped_arrays(f: Callable[[str, Array], Any], value: Any, path: str) -> Any:
    """The value with f(path, array) instead of each array inside it."""
    if is_array(value):
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
