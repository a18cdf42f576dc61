"""The text of a value and of its type in an error: one line, however large the value is."""

import reprlib
from typing import Any

from array_api_compat import is_array_api_obj

LONGEST = 100
"""Characters of a value in an error."""

_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = LONGEST


def type_of(value: Any) -> str:
    """The type in words, with the layout of a sparse tensor."""
    layout = f" of layout {value.layout}" if hasattr(value, "layout") else ""
    return f"{type(value).__module__}.{type(value).__qualname__}{layout}"


def shown(value: Any) -> str:
    """The repr of a value, cut if it is long. For an array with axes it is the type and the shape."""
    if is_array_api_obj(value) and getattr(value, "ndim", 0):
        return f"{type_of(value)} of shape {tuple(value.shape)}"
    try:
        text = " ".join(_REPR.repr(value).split())
    except ValueError:  # Python does not print integers of thousands of digits
        text = f"a number of type {type_of(value)}"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
