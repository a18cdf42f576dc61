"""The state of an optimiser as named arrays, and back: names are paths of fields, such as `curvature.Q.3`."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

Tree = TypeVar("Tree")


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The path and the value of every leaf of nested tuples; fields by name, other places by number."""
    if not isinstance(tree, tuple):
        yield path, tree
        return
    for name, branch in zip(_places(tree), tree, strict=True):
        yield from leaves(branch, f"{path}.{name}" if path else name)


def rebuilt(tree: Tree, leaf: Callable[[str, Any], Any], path: str = "") -> Tree:
    """A tree of the same kind with leaf(path, value) in the place of every leaf."""
    if not isinstance(tree, tuple):
        return leaf(path, tree)  # type: ignore[no-any-return]
    places = zip(_places(tree), tree, strict=True)
    branches = [rebuilt(branch, leaf, f"{path}.{name}" if path else name) for name, branch in places]
    return type(tree)(*branches) if hasattr(tree, "_fields") else type(tree)(branches)


def _places(tree: tuple[Any, ...]) -> tuple[str, ...]:
    return getattr(tree, "_fields", None) or tuple(map(str, range(len(tree))))
