"""Conversion of the nested tuples of an optimiser's state to named arrays, and back.

The name of an array is its path: field names, or indices from 0, joined by dots, such as `factors.Q.3`.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

State = TypeVar("State")


def named_leaves(state: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the path and the value of every leaf of nested tuples."""
    if not isinstance(state, tuple):
        yield path, state
        return
    for name, part in zip(_names(state), state, strict=True):
        yield from named_leaves(part, f"{path}.{name}" if path else name)


def map_leaves(state: State, f: Callable[[str, Any], Any], path: str = "") -> State:
    """Return nested tuples of the same classes in which every leaf is replaced by f(path, leaf)."""
    if not isinstance(state, tuple):
        return f(path, state)  # type: ignore[no-any-return]
    parts = [
        map_leaves(part, f, f"{path}.{name}" if path else name) for name, part in zip(_names(state), state, strict=True)
    ]
    return type(state)(*parts) if hasattr(state, "_fields") else type(state)(parts)


def _names(state: tuple[Any, ...]) -> tuple[str, ...]:
    return getattr(state, "_fields", None) or tuple(map(str, range(len(state))))
