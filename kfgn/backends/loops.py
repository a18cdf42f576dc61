"""Loops that JAX records once while it traces, without unrolling them."""

from collections.abc import Callable
from typing import TypeVar

from .._types import Array
from .arrays import is_traced
from .placement import in_host_memory

State = TypeVar("State", bound=tuple[Array, ...])


def repeat(
    n: int, step: Callable[[State], State], state: State, ended: Callable[[State], Array] | None = None
) -> State:
    """Apply a function n times to a tuple of arrays: step(...step(step(state))).

    Parameters
    ----------
    n : int
        The number of applications, at least 0.
    step : callable
        A function of a tuple of arrays that returns a tuple of arrays with the same shapes and dtypes.
    state : tuple of arrays
    ended : callable, optional
        A function of the tuple that returns a 0-d array of bool, true if no further application of `step` is needed.
        For arrays in host memory, the loop then ends early. For all other arrays, such as those of JAX, `ended` is not
        called, since the host would wait for the device.

    Returns
    -------
    tuple of arrays
        The tuple after n applications, or after fewer if the loop ended early.

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
        if ended is not None and in_host_memory(state[0]) and bool(ended(state)):
            break
        state = step(state)
    return state
