"""Validation of arguments of the lab: paths, and instances of the lab's own classes."""

import os
from collections.abc import Callable
from typing import Any

from .._words import shown
from .errors import UsageError


def with_usage_error(check: Callable[..., Any], name: str, value: Any) -> Any:
    """Return check(name, value), and raise `UsageError` if the check raises a `TypeError` or a `ValueError`."""
    try:
        return check(name, value)
    except (TypeError, ValueError) as error:
        raise UsageError(str(error)) from None


def checked_path(name: str, value: Any) -> str:
    """Return a path as text.

    Raises `TypeError` for a value that is not a path, and `ValueError` for a path that is empty or has a zero byte.
    """
    path = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(path, str):
        raise TypeError(f"{name}: expected a path, got {shown(value)}")
    if not path or "\0" in path:
        raise ValueError(f"{name}: expected a path, got {shown(value)}")
    return path


def check_instance(name: str, value: Any, kind: type) -> None:
    """Raise `UsageError` if the value is not an instance of `kind`, a class of the lab."""
    if not isinstance(value, kind):
        raise UsageError(f"{name}: expected a kfgn.lab.{kind.__name__}, got {shown(value)}")
