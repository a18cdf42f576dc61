"""The arrays inside a problem, each with its path, such as `weights[1]` or `arguments.direction[0]`.

An array of a problem is a field of the problem, or is inside a field that is a tuple or a named tuple. The functions of
this module visit the arrays of a problem in order to round or hash them, to convert them to the arrays of a library, or
to write them to JSON.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def is_array(value: Any) -> TypeGuard[Array]:
    """True for an array or a NumPy scalar, since NumPy's arithmetic turns arrays without axes into scalars."""
    return isinstance(value, np.ndarray | np.generic)


def named_arrays(value: Any, path: str) -> Iterator[tuple[str, Array]]:
    """Yield the path and the array for all arrays inside a nested tuple, in the order of the fields of the tuple."""
    if is_array(value):
        yield path, value
    for name, part in parts(value, path):
        yield from named_arrays(part, name)


def mapped_arrays(f: Callable[[str, Array], Any], value: Any, path: str) -> Any:
    """Replace each array inside a nested tuple by f(path, array)."""
    if is_array(value):
        return f(path, value)
    if not isinstance(value, tuple):
        return value
    mapped = [mapped_arrays(f, part, name) for name, part in parts(value, path)]
    return type(value)(*mapped) if hasattr(value, "_fields") else tuple(mapped)


def parts(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield the path and the element for all elements of a tuple. A value that is not a tuple has no elements."""
    if isinstance(value, tuple):
        names = getattr(value, "_fields", None)
        for i, part in enumerate(value):
            yield (f"{path}.{names[i]}" if names else f"{path}[{i}]"), part
