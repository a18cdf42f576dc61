"""The rates of the primitives on each backend: products, symmetric products, Cholesky factors and solves."""

import statistics
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from kfgn.backends import cholesky, cholesky_solve, gram, symmetric_product

from .calls import library_of
from .libraries import Library
from .rows import Row
from .settings import Settings
from .timing import Call, interleaved

SIZE = 1000
COLUMNS = 785


class Primitive(NamedTuple):
    """A function of two matrices (n, n) and (n, k), and the number of its operations from n and k."""

    compute: Callable[[Any, Any], Any]
    operations: Callable[[int, int], float]


PRIMITIVES = {
    "A @ B": Primitive(lambda A, B: A @ B, lambda n, k: 2.0 * n * n * k),
    "A.T @ A": Primitive(lambda A, B: A.T @ A, lambda n, k: float(n * n * (n + 1))),
    "gram": Primitive(lambda A, B: gram(A), lambda n, k: float(n * n * (n + 1))),
    "symmetric product": Primitive(lambda A, B: symmetric_product(A, A), lambda n, k: float(n * n * (n + 1))),
    "Cholesky": Primitive(lambda A, B: cholesky(A), lambda n, k: n**3 / 3),
    "Cholesky solve": Primitive(cholesky_solve, lambda n, k: 2.0 * n * n * k),
}
"""The primitives: `@` of the library, and functions of kfgn.

Three products are counted as symmetric matrices, which a library may or may not exploit.
"""


def primitives(settings: Settings) -> list[Row]:
    """A row for each primitive and backend, with its rate."""
    n, k = (50, 40) if settings.quick else (SIZE, COLUMNS)
    libraries = [library_of(name, settings.dtype) for name in settings.backends]
    calls = {(work, library.name): _call(work, library, n, k) for work in PRIMITIVES for library in libraries}
    times = interleaved(calls, settings.rounds, settings.time)
    rows = []
    for (work, library), found in times.items():
        seconds = statistics.median(found)
        rate = PRIMITIVES[work].operations(n, k) / seconds
        rows.append(Row("primitives", work, library, seconds, note=f"{rate / 1e9:.0f} GFLOP/s"))
    return rows


def _call(work: str, library: Library, n: int, k: int) -> Call:
    """A call with a symmetric positive definite A, or with its Cholesky factor for a solve."""
    rng = np.random.default_rng(0)
    root = np.tril(rng.standard_normal((n, n)) / np.sqrt(n)) + 2 * np.eye(n)
    A = library.asarray(root if work == "Cholesky solve" else root @ root.T)
    B, compute = library.asarray(rng.standard_normal((n, k))), library.compiled(PRIMITIVES[work].compute)
    return library.waiting(lambda: compute(A, B))
