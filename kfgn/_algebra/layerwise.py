"""Arithmetic on vectors that are tuples of arrays, one for each layer."""

from .._types import Array, Arrays, Namespace


def plus(a: Arrays, b: Arrays, scale: Array | float = 1.0) -> Arrays:
    """a + scale b."""
    return tuple(x + scale * y for x, y in zip(a, b, strict=True))


def inner(xp: Namespace, a: Arrays, b: Arrays) -> Array:
    """The sum of all products of elements, 0-d."""
    total, *rest = inners(xp, a, b)
    for product in rest:
        total = total + product
    return total


def inners(xp: Namespace, a: Arrays, b: Arrays) -> Arrays:
    """The inner product of each layer, 0-d each."""
    return tuple(xp.sum(x * y) for x, y in zip(a, b, strict=True))


def all_finite(xp: Namespace, a: Arrays) -> Array:
    """True if no element is NaN or infinite, 0-d."""
    first, *rest = (xp.all(xp.isfinite(x)) for x in a)
    for finite in rest:
        first = first & finite
    return first


def quotient(xp: Namespace, a: Array, b: Array) -> Array:
    """a / b, and NaN where b is zero, on NumPy too without a warning."""
    zero = b == 0
    return xp.where(zero, xp.full_like(b, float("nan")), a / xp.where(zero, xp.ones_like(b), b))
