"""A record of the calls of `linear` in a function of JAX, which adds a probe to each result."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from .uses import Array, recording


class Seen(NamedTuple):
    """A call of `linear`: its inputs (..., I), its matrix (O, I), its bias (O,) or None, and its result (..., O)."""

    a: Any
    W: Any
    b: Any
    h: Any

    @property
    def inputs(self) -> Any:
        """The inputs at all positions, (T, I), with the unit for a bias."""
        a = self.a.reshape(-1, self.a.shape[-1])
        return a if self.b is None else jnp.concatenate([a, jnp.ones_like(a[:, :1])], axis=1)

    @property
    def matrix(self) -> Any:
        """W with the bias as its last column."""
        return self.W if self.b is None else jnp.concatenate([self.W, self.b[:, None]], axis=1)


def recorded(at: Callable[[Any], Any], theta: Any, probes: Sequence[Any] | None = None) -> tuple[Any, list[Seen]]:
    """The outputs at theta, with a probe added to the result of each call, and the calls."""
    seen: list[Seen] = []

    def record(a: Any, W: Any, b: Any, h: Any) -> Any:
        if probes is None and isinstance(h, jax.core.Tracer):
            raise ValueError(
                "linear: expected a call outside of jax.vmap, jax.grad and jax.checkpoint, got a call inside one of"
                f" them, for W of shape {np.shape(W)}"
            )
        seen.append(Seen(a, W, b, h))
        return h if probes is None else h + probes[len(seen) - 1]

    with jax.disable_jit(), recording(record):  # so that the calls in jitted functions and loops have values
        return at(theta), seen


def places(products: Callable[[Any], list[Seen]], theta: Any) -> list[Array]:
    """The place in theta of each entry of the matrix of each product.

    The derivative of an entry along a vector v is v at its place. The vector 1, 2, ... finds the places, and random
    numbers confirm them. Raises `ValueError` if an entry is not a different entry of theta.
    """
    numbers, codes = np.arange(1.0, theta.size + 1), np.random.default_rng(0).uniform(size=theta.size)
    by_number, by_code = (matrices_along(products, theta, v) for v in (numbers, codes))
    found = []
    for along, confirmed in zip(by_number, by_code, strict=True):
        where = np.rint(along).astype(np.intp) - 1
        inside = np.array_equal(where + 1, along) and where.min() >= 0 and where.max() < theta.size
        if not inside or len(np.unique(where)) < where.size or not np.array_equal(codes[where], confirmed):
            raise ValueError(
                f"linear: expected entries of the parameters as W and b, each at most once, got other numbers, for a"
                f" matrix of shape {along.shape}"
            )
        found.append(where)
    return found


def matrices_along(products: Callable[[Any], list[Seen]], theta: Any, v: Array) -> list[Array]:
    """The derivatives of the matrices of all products along a vector v."""
    _, along = jax.jvp(lambda at: [seen.matrix for seen in products(at)], (theta,), (jnp.asarray(v),))
    return [np.asarray(matrix) for matrix in along]
