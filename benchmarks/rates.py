"""The rate of products of matrices, in operations per second, by the fastest library on a device.

The rates are measured in the rounds of the work that they bound, at the actual shapes, with the same dtype and number
of threads. A floor is the number of operations divided by these rates.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .floor import Terms
from .libraries import Library
from .timing import Call

Shape = tuple[int, int, int]

LARGEST = {"cpu": 2.0**31, "cuda": 2.0**39}
"""The number of operations above which a product is measured with fewer rows, which does not change its rate."""


class Product(NamedTuple):
    """The name of a timed product: its shape, and the library that computes it."""

    shape: Shape
    library: str


def products(libraries: Iterable[Library], works: Iterable[Terms]) -> dict[Product, Call]:
    """A call for each shape that occurs in the terms, and for each library."""
    shapes = sorted({term.shape for terms in works for term in terms})
    return {
        Product(shape, library.name): _multiplication(library, measured_shape(shape, LARGEST[library.backend.device]))
        for shape in shapes
        for library in libraries
    }


def rates(times: Mapping[Any, Sequence[float]], libraries: Iterable[Library]) -> list[dict[Shape, float]]:
    """The highest rate at each shape in each round, from the times of the products by these libraries."""
    device = {library.name: library.backend.device for library in libraries}
    rounds: list[dict[Shape, float]] = []
    for name, seconds in times.items():
        if isinstance(name, Product) and name.library in device:
            m, k, n = measured_shape(name.shape, LARGEST[device[name.library]])
            rounds = rounds or [{} for _ in seconds]
            for best, t in zip(rounds, seconds, strict=True):
                best[name.shape] = max(best.get(name.shape, 0.0), 2.0 * m * k * n / t)
    return rounds


def measured_shape(shape: Shape, largest: float) -> Shape:
    """The shape with its longest side shortened until a product has at most `largest` operations."""
    sides = list(shape)
    longest = sides.index(max(sides))
    others = 2.0 * np.prod(sides) / sides[longest]
    sides[longest] = max(1, min(sides[longest], int(largest / others)))
    return sides[0], sides[1], sides[2]


def _multiplication(library: Library, shape: Shape) -> Call:
    m, k, n = shape
    rng = np.random.default_rng(0)
    A, B = library.asarray(rng.standard_normal((m, k))), library.asarray(rng.standard_normal((k, n)))
    multiply = library.compiled(lambda A, B: A @ B)
    return library.waiting(lambda: multiply(A, B))
