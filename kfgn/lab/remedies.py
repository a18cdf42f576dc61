"""NumPy expressions that turn common arrays of a user into arrays that a task accepts."""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .task import Task


def remedy(task: Task, message: str) -> str:
    """Return the end of an error message about an array of a task: an expression that repairs the array, or "".

    message: the error message, which begins with the name of the array, such as "Y_test: "
    """
    if not (found := re.match(r"([XY])(?:_(validation|test))?\b", message)):
        return ""
    kind, held_out = found.groups()
    X, Y = getattr(task, held_out) if held_out else (task.X, task.Y)
    name, dtype = found.group(), task.X.dtype if kind == "Y" or held_out else np.dtype(np.float32)
    array: NDArray[Any] = X if kind == "X" else Y
    if kind == "Y" and task.network.classes is not None:
        expression = _classes(name, array)
    else:
        expression = _numbers(name, array, dtype if dtype.kind == "f" else np.dtype(np.float32))
    return f"; use {expression}" if expression else ""


def _classes(name: str, Y: NDArray[Any]) -> str:
    """Return the expression that turns targets into class indices, or "" if the targets are integers (n,) already."""
    if Y.ndim == 2 and Y.shape[1] > 1:
        return f"{name}.argmax(1) if the rows of {name} are one-hot"
    flat = ".ravel()" if Y.ndim == 2 else ""
    whole = Y.dtype.kind in "iu"
    return "" if whole and not flat else f"{name}{flat}{'' if whole else '.astype(int)'}"


def _numbers(name: str, array: NDArray[Any], dtype: np.dtype[Any]) -> str:
    """Return the expression that turns a vector into a column and converts the dtype, or "" if neither is needed."""
    column = "[:, None]" if array.ndim == 1 else ""
    conversion = "" if array.dtype == dtype else f".astype({dtype.name!r})"
    return f"{name}{column}{conversion}" if column or conversion else ""
