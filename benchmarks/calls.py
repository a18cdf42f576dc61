"""The call of a piece of work by its name and by the name of a library: kfgn, a peer, or plain array code."""

from collections.abc import Callable
from typing import Any

from . import plain
from .batch import Batch, batch
from .libraries import Library, usable
from .sizes import Sizes
from .timing import Call
from .work import BY_NAME, DAMPING, HESSIAN_FREE_ITERATIONS, kfac_labels

PLAIN = "plain "
"""The prefix of the name of a library whose plain array code is timed."""


def library_of(name: str, dtype: str) -> Library:
    """The library with this name. Raises `RuntimeError` if it is not usable."""
    found = usable((name,), dtype)
    if not found:
        raise RuntimeError(f"backend: expected a usable library, got {name}")
    return found[0]


def call_of(work: str, library: str, sizes: Sizes, dtype: str) -> Call:
    """The call of a piece of work."""
    if library.startswith(PLAIN):
        return plain_call(work, batch(library_of(library.removeprefix(PLAIN), dtype), sizes))
    if library == "BackPACK":
        from .peers.backpack import WORKS

        return WORKS[work](batch(library_of("torch", dtype), sizes))
    return BY_NAME[work].prepare(batch(library_of(library, dtype), sizes))


def plain_call(work: str, b: Batch) -> Call:
    """The call of a piece of work as plain array code."""
    return b.library.waiting(PLAIN_WORKS[work](b))


def _kfac(b: Batch) -> Callable[[], Any]:
    labels = kfac_labels(b)
    return lambda: plain.kfac(b.xp, b.weights, b.X, b.Y, labels)


PLAIN_WORKS: dict[str, Callable[[Batch], Callable[[], Any]]] = {
    "gradient": lambda b: lambda: plain.gradient(b.xp, b.weights, b.X, b.Y),
    "KFRA": lambda b: lambda: plain.kfra(b.xp, b.weights, b.X, b.Y),
    "KFAC of given labels": _kfac,
    "Gauss-Newton product": lambda b: lambda: plain.gauss_newton_product(b.xp, b.weights, b.X, b.Y, b.V),
    "HessianFree step": lambda b: (
        lambda: plain.hessian_free_step(b.xp, b.weights, b.X, b.Y, DAMPING, HESSIAN_FREE_ITERATIONS)
    ),
}
"""The plain array code of each piece of work that has one."""
