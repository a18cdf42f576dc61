"""Differentiation rules for functions whose formula JAX would differentiate wrongly.

JAX differentiates a formula term by term. A numerically stable formula may have a term with a kink where the function
is smooth, for example max(h, 0) + log(1 + e^-|h|) at h = 0. At a kink JAX may return a wrong derivative. At large |h|
the derivatives of the terms may cancel or be NaN.
"""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

from array_api_compat import array_namespace, is_jax_array

from .._types import Array, Namespace

Rule = Callable[..., Any]
"""rule(xp, x, t): the directional derivative of f(xp, *x) at the tuple of arrays x along the tuple t, linear in t."""


def with_derivative(rule: Rule) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a function f(xp, *x) the directional derivative `rule` under JAX's transformations.

    Parameters
    ----------
    rule : callable
        rule(xp, x, t) returns the directional derivative of f at the tuple of arrays x along the tuple of arrays t. The
        directional derivative is linear in t, and has the structure, shapes and dtypes of the result of f. If an array
        in x has integers, the rule must ignore the element of t for this array.

    Returns
    -------
    callable
        A decorator for f. For arrays of libraries other than JAX, f is called unchanged.

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn.backends import with_derivative
    >>> @with_derivative(lambda xp, x, t: 3 * x[0] ** 2 * t[0])
    ... def cube(xp, x):
    ...     return x**3
    >>> float(cube(np, np.asarray(2.0)))
    8.0
    """

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
