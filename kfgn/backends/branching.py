"""A choice between two computations by a condition that JAX may be tracing."""

from collections.abc import Callable
from typing import TypeVar

from array_api_compat import is_jax_array

from .._types import Array

Tree = TypeVar("Tree")


def can_branch_on(x: Array) -> bool:
    """Return True for an array of JAX. `branch` chooses by such an array without reading it.

    Parameters
    ----------
    x : array of any shape

    Returns
    -------
    bool
        True for an array of JAX, False for an array of any other library.

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn.backends import can_branch_on
    >>> can_branch_on(np.ones(3))
    False
    """
    return bool(is_jax_array(x))


def branch(condition: bool | Array, yes: Callable[[], Tree], no: Callable[[], Tree]) -> Tree:
    """Return yes() if the condition is true, and no() if it is false.

    Parameters
    ----------
    condition : bool or array, shape ()
        A Python bool chooses on the host, and only the chosen function is called. A boolean array of JAX chooses on the
        device by `jax.lax.cond`: one program has both functions and runs one of them.
    yes, no : callable
        Functions without parameters. For an array of JAX their results must be the same nested tuples of arrays, with
        equal shapes and dtypes.

    Returns
    -------
    nested tuple of arrays
        The result of the chosen function.

    Examples
    --------
    >>> from kfgn.backends import branch
    >>> branch(True, lambda: "yes", lambda: "no")
    'yes'
    """
    if isinstance(condition, bool):
        return yes() if condition else no()
    from jax.lax import cond

    return cond(condition, yes, no)  # type: ignore[no-any-return]
