"""New arrays in the dtype and on the device of the weights, and operations on nested tuples of arrays."""

from collections.abc import Callable
from typing import Any, TypeVar

from array_api_compat import array_namespace

from .._types import Array, Namespace
from ..backends import creation_device, detached, in_host_memory, index_dtype

Tree = TypeVar("Tree")


def zeros(shape: tuple[int, ...], like: Array) -> Array:
    """Zeros in the dtype and on the device of `like`."""
    return array_namespace(like).zeros(shape, dtype=like.dtype, device=creation_device(like))


def identity(n: int, like: Array) -> Array:
    """The identity (n, n) in the dtype and on the device of `like`."""
    return array_namespace(like).eye(n, dtype=like.dtype, device=creation_device(like))


def scalar(value: float, like: Array) -> Array:
    """A 0-d array in the dtype and on the device of `like`."""
    return array_namespace(like).full((), value, dtype=like.dtype, device=creation_device(like))


def zero_count(like: Array) -> Array:
    """The integer 0 as a 0-d array on the device of `like`, in the library's own index dtype."""
    return array_namespace(like).zeros((), dtype=index_dtype(like), device=creation_device(like))


def true(like: Array) -> Array:
    """True as a 0-d array on the device of `like`."""
    xp = array_namespace(like)
    return xp.ones((), dtype=xp.bool, device=creation_device(like))


def selected(xp: Namespace, condition: Array, yes: Callable[[], Tree], no: Callable[[], Tree]) -> Tree:
    """The result of `yes` if the 0-d condition is true, and the result of `no` otherwise.

    Both results are arrays, or equally nested tuples of arrays. An element None stays None. If the condition is in host
    memory, only the chosen function is called. Otherwise both functions are called and the device chooses, so that the
    host does not wait.
    """
    if in_host_memory(condition):
        return yes() if bool(condition) else no()
    return _where(xp, condition, yes(), no())


def _where(xp: Namespace, condition: Array, yes: Tree, no: Tree) -> Tree:
    if yes is None:
        return yes
    if not isinstance(yes, tuple) or not isinstance(no, tuple):
        return xp.where(condition, yes, no)  # type: ignore[no-any-return]
    chosen = [_where(xp, condition, a, b) for a, b in zip(yes, no, strict=True)]
    return _rebuilt(yes, chosen)


def detached_tree(tree: Tree) -> Tree:
    """The same nested tuples, with every array detached from all autograd graphs."""
    if not isinstance(tree, tuple):
        return detached(tree)  # type: ignore[no-any-return]
    return _rebuilt(tree, [detached_tree(part) for part in tree])


def _rebuilt(tree: Tree, parts: list[Any]) -> Tree:
    kind: Any = type(tree)
    return kind(*parts) if hasattr(tree, "_fields") else kind(parts)  # type: ignore[no-any-return]
