"""Loops of fixed length that a tracing library records once, without unrolling them."""

from collections.abc import Callable
from typing import TypeVar

from .._types import Array
from .arrays import is_traced

State = TypeVar("State", bound=tuple[Array, ...])


def repeat(n: int, step: Callable[[State], State], state: State) -> State:
    """Apply a function n times to a tuple of arrays: step(...step(step(state))).

    Parameters
    ----------
    n : int
        The number of applications, at least 0.
    step : callable
        A function of a tuple of arrays that returns a tuple of arrays with the same shapes and dtypes.
    state : tuple of arrays

    Returns
    -------
    tuple of arrays
        The tuple after n applications.

    Notes
    -----
    While JAX traces, the traced program contains one loop and not n copies of `step`.

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn.backends import repeat
    >>> (x,) = repeat(3, lambda state: (2 * state[0],), (np.ones(2),))
    >>> x
    array([8., 8.])
    """
    if any(map(is_traced, state)):
        from jax.lax import fori_loop

        return fori_loop(0, n, lambda _, s: step(s), state)  # type: ignore[no-any-return]
    for _ in range(n):
        state = step(state)
    return state
