"""A choice between two computations by a condition that JAX may be tracing."""

from collections.abc import Callable
from typing import TypeVar

from array_api_compat import is_jax_array

from .._types import Array

Tree = TypeVar("Tree")


def can_branch_on(x: Array) -> bool:
    """Return True for an array of JAX, which `branch` accepts as its condition without reading the value on the host.

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
        For a Python bool the host chooses, and only the chosen function is called. For a boolean array of JAX the
        device chooses by `jax.lax.cond`: the program contains both functions and runs one of them.
    yes, no : callable
        Functions without parameters. If the condition is an array of JAX, the results of both functions must be equally
        nested tuples of arrays with equal shapes and dtypes.

    Returns
    -------
    object
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
