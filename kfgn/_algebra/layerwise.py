"""Arithmetic on vectors that are tuples of one array per layer."""

from .._types import Array, Arrays, Namespace
from ..backends import plus_multiple


def plus(a: Arrays, b: Arrays, scale: Array | float = 1.0) -> Arrays:
    """a + scale b."""
    return tuple(plus_multiple(x, scale, y) for x, y in zip(a, b, strict=True))


def inner(xp: Namespace, a: Arrays, b: Arrays) -> Array:
    """The inner product of a and b over all layers, 0-d."""
    total, *rest = inners(xp, a, b)
    for product in rest:
        total = total + product
    return total


def inners(xp: Namespace, a: Arrays, b: Arrays) -> Arrays:
    """The inner product of a and b in each layer, as 0-d arrays."""
    return tuple(xp.sum(x * y) for x, y in zip(a, b, strict=True))


def all_finite(xp: Namespace, a: Arrays) -> Array:
    """A 0-d boolean, true if all elements of all layers are finite."""
    first, *rest = (xp.all(xp.isfinite(x)) for x in a)
    for finite in rest:
        first = first & finite
    return first


def quotient(xp: Namespace, a: Array, b: Array) -> Array:
    """a / b, or NaN where b is zero, computed without a division by zero."""
    zero = b == 0
    return xp.where(zero, xp.full_like(b, float("nan")), a / xp.where(zero, xp.ones_like(b), b))
