"""A network with random weights and datapoints, as arrays of one library."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import kfgn

from .libraries import Library
from .sizes import Sizes


class Batch(NamedTuple):
    """The arguments of the timed functions.

    V: a vector in the space of the weights, as arrays of their shapes
    """

    library: Library
    sizes: Sizes
    network: kfgn.Network
    weights: tuple[Any, ...]
    X: Any
    Y: Any
    V: tuple[Any, ...]

    def timed(self, f: Callable[..., Any], *further: Any) -> Callable[[], Any]:
        """A call of f(weights, X, Y, *further), compiled under JAX, which returns when its result exists."""
        compiled, arguments = self.library.compiled(f), (self.weights, self.X, self.Y, *further)
        return self.library.waiting(lambda: compiled(*arguments))

    @property
    def xp(self) -> Any:
        """The functions of the array API standard in the library."""
        return self.library.backend.xp

    @property
    def check(self) -> bool:
        """The argument `check` of kfgn's functions: the default, and False where `jax.jit` compiles them."""
        return not self.library.jits


def network_of(sizes: Sizes) -> kfgn.Network:
    """The network of tanh units with these shapes."""
    return kfgn.Network.dense(sizes.widths, ("tanh",) * len(sizes.hidden), sizes.objective)


def batch(library: Library, sizes: Sizes) -> Batch:
    """Random weights of variance 1 / inputs, and random datapoints, which are equal in every library."""
    rng = np.random.default_rng(0)
    network = network_of(sizes)
    weights, V = (
        tuple(library.asarray(rng.standard_normal((D, P)) / np.sqrt(P)) for D, P in network.weight_shapes)
        for _ in range(2)
    )
    X = rng.random((sizes.N, sizes.widths[0]))
    return Batch(library, sizes, network, weights, library.asarray(X), library.asarray(_targets(sizes, X, rng)), V)


def _targets(sizes: Sizes, X: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
    """Class indices (N,), or X itself for an autoencoder, or random targets (N, D_L)."""
    if sizes.objective == "categorical":
        return rng.integers(0, sizes.outputs, sizes.N)
    return X if sizes.outputs == sizes.widths[0] else rng.random((sizes.N, sizes.outputs))
