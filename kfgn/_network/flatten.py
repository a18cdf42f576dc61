"""Flattening: the activation of a datapoint becomes a vector."""

import math
from dataclasses import dataclass
from typing import ClassVar

from array_api_compat import array_namespace

from .._algebra.matrices import identity_like
from .._documentation import Documented
from .._types import Array, Namespace
from .layer_map import Shape


@dataclass(frozen=True)
class Flatten(metaclass=Documented):
    """All entries of an activation as a vector without positions. The layer has no weights.

    The shape of the outputs is (C T,) for inputs (C, T), and (C H W,) for inputs (C, H, W). The channels of a position
    are next to each other, and positions are in row-major order. The order is not that of PyTorch's `Flatten`, in which
    the positions of a channel are next to each other. A `Flatten` is hashable and holds no array. The layer needs a
    network whose `inputs` is a tuple such as (C, T).

    Examples
    --------
    >>> import kfgn
    >>> network = kfgn.Network((2, 3), (kfgn.Flatten(), kfgn.Dense(4)), "squared_error")
    >>> network.shapes
    ((2, 3), (6,), (4,))
    """

    transfer: ClassVar[str] = "identity"

    def weight_shape(self, inputs: int) -> None:  # noqa: ARG002  (the layers have one interface)
        """None, since the layer has no weights."""
        return

    def at(self, shape: Shape) -> tuple["FlattenMap", Shape]:
        """The map of the layer for inputs of a shape, and the shape of its outputs."""
        C, *lengths = shape
        T = math.prod(lengths)
        return FlattenMap(C, T), (C * T,)


@dataclass(frozen=True)
class FlattenMap:
    """A flattening at its place in a network, a `LayerMap` without weights."""

    channels: int
    positions: int

    mixes_positions: ClassVar[bool] = True

    def inputs(self, xp: Namespace, a: Array) -> Array:  # noqa: ARG002
        """The rows a_{l-1}."""
        return a

    def preactivations(self, W: None, inputs: Array) -> Array:
        """The rows of all positions of each datapoint, joined to one row."""
        return self.preactivation_tangents(W, inputs)

    def preactivation_tangents(self, W: None, R_a: Array) -> Array:  # noqa: ARG002
        """The rows R_a (..., N T, C) in the shape (..., N, T C)."""
        return array_namespace(R_a).reshape(R_a, (*R_a.shape[:-2], -1, self.positions * self.channels))

    def pulled_back(self, W: None, rows: Array) -> Array:  # noqa: ARG002
        """The array `rows` (..., N, T C) in the shape (..., N T, C)."""
        return array_namespace(rows).reshape(rows, (*rows.shape[:-2], -1, self.channels))

    def carried_over_taps(self, W: None, G: Array) -> Array:  # noqa: ARG002
        """The sum of the diagonal blocks (C, C) of G (T C, T C)."""
        xp, T, C = array_namespace(G), self.positions, self.channels
        same_position = identity_like(xp, T, G)[:, None, :, None]
        return xp.sum(xp.reshape(G, (T, C, T, C)) * same_position, axis=(0, 2))
