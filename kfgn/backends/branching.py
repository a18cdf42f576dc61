"""A choice between two computations by a condition that JAX may be tracing."""

from collections.abc import Callable
from typing import TypeVar

from array_api_compat import is_jax_array

from .._types import Array

Tree = TypeVar("Tree")


def can_branch_on(x: Array) -> bool:
    """True for an array of JAX. `branch` chooses by such an array without reading it."""
    return bool(is_jax_array(x))


def branch(condition: bool | Array, yes: Callable[[], Tree], no: Callable[[], Tree]) -> Tree:
    """yes() if the condition is true, and no() if it is false.

    A Python bool chooses on the host, and only the chosen function is called. A 0-d boolean array of JAX chooses on
    the device by `jax.lax.cond`: one program has both functions and runs one of them. The two results must then be the
    same nested tuples of arrays with equal shapes and dtypes.
    """
    if isinstance(condition, bool):
        return yes() if condition else no()
    from jax.lax import cond

    return cond(condition, yes, no)  # type: ignore[no-any-return]
