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
    def N(self) -> int:  # noqa: N802  (the paper's symbol)
        """The number of datapoints."""
        return int(self.X.shape[0])

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
    """A network of dense layers with these shapes, with random weights and datapoints."""
    return batch_of(library, network_of(sizes), sizes.N)


def batch_of(library: Library, network: kfgn.Network, N: int) -> Batch:
    """Random weights of variance 1 / inputs, and random datapoints, which are equal in every library."""
    rng = np.random.default_rng(0)
    weights, V = (
        tuple(library.asarray(rng.standard_normal((D, P)) / np.sqrt(P)) for D, P in network.weight_shapes)
        for _ in range(2)
    )
    X = rng.random((N, *network.shapes[0]))
    return Batch(library, network, weights, library.asarray(X), library.asarray(_targets(network, X, rng)), V)


def _targets(network: kfgn.Network, X: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
    """Class indices (N,) or (N, T), or X itself for an autoencoder, or random targets (N, D_L) or (N, T, D_L)."""
    positions, D = network.shapes[-1][1:], network.widths[-1]
    if network.classes is not None:
        return rng.integers(0, network.classes, (X.shape[0], *positions))
    return X if X.shape[1:] == (D,) else rng.random((X.shape[0], *positions, D))
