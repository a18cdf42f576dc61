"""The text of a value or of a type in an error message, on one line for values of any size."""

import reprlib
from typing import Any

from array_api_compat import is_array_api_obj

MAX_CHARACTERS = 100
"""The number of characters above which the text of a value is shortened in an error message."""

_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = MAX_CHARACTERS


def type_of(value: Any) -> str:
    """Return the full name of the type of a value, and the layout of a tensor of PyTorch, such as torch.sparse_coo."""
    layout = f" of layout {value.layout}" if hasattr(value, "layout") else ""
    return f"{type(value).__module__}.{type(value).__qualname__}{layout}"


def shown(value: Any) -> str:
    """Return the repr of a value, shortened if it is long, or the type and shape of an array with at least one axis."""
    if is_array_api_obj(value) and getattr(value, "ndim", 0):
        return f"{type_of(value)} of shape {tuple(value.shape)}"
    try:
        text = " ".join(_REPR.repr(value).split())
    except ValueError:  # Python does not print integers of thousands of digits
        text = f"a number of type {type_of(value)}"
    return text if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]}..."
