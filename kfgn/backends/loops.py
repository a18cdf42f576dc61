"""A loop of fixed length, which a tracing library should see once and not unrolled."""

from collections.abc import Callable
from typing import TypeVar

from .._types import Array
from .arrays import is_traced

State = TypeVar("State", bound=tuple[Array, ...])


def repeat(n: int, step: Callable[[State], State], state: State) -> State:
    """step(...step(step(state))), n times, for a tuple of arrays that keep their shapes and dtypes.

    While JAX traces, this is one loop in its program and not n copies of the step.
    """
    if any(map(is_traced, state)):
        from jax.lax import fori_loop

        return fori_loop(0, n, lambda _, s: step(s), state)  # type: ignore[no-any-return]
    for _ in range(n):
        state = step(state)
    return state
