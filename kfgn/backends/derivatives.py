"""Derivatives by a rule, for a library that differentiates these functions itself.

JAX differentiates a formula piece by piece. A stable formula may have a kink where the function has none, such as
max(h, 0) + log(1 + e^-|h|) at 0. There JAX gives a derivative of the kink. Far from 0 the pieces may cancel or give
NaN.
"""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

from array_api_compat import array_namespace, is_jax_array

from .._types import Array, Namespace

Rule = Callable[..., Any]
"""rule(xp, x, t): the derivative of f(xp, *x) as the arrays x move in the directions t, both tuples. Linear in t."""


def with_derivative(rule: Rule) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give f(xp, *x) this derivative under JAX's transformations, whatever its formula. Integers have none."""

    def decorated(f: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(f)
        def g(xp: Namespace, *x: Array) -> Any:
            return _under_jax(f, rule)(*x) if is_jax_array(x[0]) else f(xp, *x)

        return g

    return decorated


@lru_cache(maxsize=64)
def _under_jax(f: Callable[..., Any], rule: Rule) -> Callable[..., Any]:
    import jax

    g: Callable[..., Any] = jax.custom_jvp(lambda *x: f(array_namespace(x[0]), *x))
    g.defjvp(lambda x, t: (g(*x), rule(array_namespace(x[0]), x, t)))  # type: ignore[attr-defined]
    return g
