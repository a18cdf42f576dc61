"""The protocol of a layer at its place in a network: all that the methods of kfgn need to know of a kind of layer.

An activation is a matrix of rows (R, C), with one row of C channels for each position of each datapoint. R is N T for N
datapoints of T positions, and N in a network whose `inputs` is an int. Leading axes before R are for several rows per
position, such as the columns of a root of H_L.

A new kind of layer needs a record with the fields that a user sets, and a map that satisfies this protocol. Both are
in one file of this package. `Dense` is both the record and the map.
"""

from typing import Protocol, TypeAlias

from .._types import Array, Arrays, Namespace

Shape: TypeAlias = tuple[int, ...]
"""The shape (C, T) or (C, H, W) of an activation of one datapoint: the channels, and the positions along each axis."""


class LayerMap(Protocol):
    """The linear map of a layer, from the rows a_{l-1} (R, C) to the rows h_l (R', C').

    W is None for a layer without weights. An argument `inputs` is the result of the method `inputs`.
    """

    @property
    def mixes_positions(self) -> bool:
        """False if each row of h_l depends only on the row of a_{l-1} at the same position."""

    def inputs(self, xp: Namespace, a: Array) -> Array:
        """The rows that W multiplies, such as the patches of a convolution, each with an appended 1 if W has a bias."""

    def preactivations(self, W: Array, inputs: Array) -> Array:
        """The rows h_l (R', C')."""

    def preactivation_tangents(self, W: Array, R_a: Array) -> Array:
        """The derivative (..., R', C') of h_l along a direction R_a (..., R, C) of a_{l-1}, with W fixed."""

    def pulled_back(self, W: Array, rows: Array) -> Array:
        """The transpose of `preactivation_tangents`: from rows (..., R', C') to (..., R, C)."""

    def carried_over_taps(self, W: Array, G: Array) -> Array:
        """The step of KFRA from G (C', C'), a sum over output positions, to (C, C), a sum over input positions.

        KFRA assumes that the Gauss-Newton matrix of an activation has the same block at every position, and is zero
        between positions.
        """


class WeightedMap(LayerMap, Protocol):
    """The map of a layer that has weights W."""

    @property
    def groups(self) -> int:
        """The number of groups of outputs. Each group has its own Kronecker factors."""

    def by_group(self, inputs: Array) -> Arrays:
        """The rows (R', I) that the weights of each group multiply."""

    def input_tangents(self, xp: Namespace, R_a: Array) -> Array:
        """The derivative of `inputs` along a direction R_a (R, C) of a_{l-1}."""

    def mean_gradient(self, dE_dh: Array, inputs: Array) -> Array:
        """The mean of dE/dh_l a^T over the R' rows, in the shape of W, where a is a row of `inputs`."""
