"""The protocol of a layer at its place in a network: all that the methods of kfgn need to know of a kind of layer.

An activation is a matrix of rows (R, C), with one row of C channels for each position of each datapoint. R is N T for N
datapoints of T positions, and N in a network whose `inputs` is an int. Leading axes before R are for several rows per
position, such as the columns of a root of H_L.

A new kind of layer needs a record with the fields that a user sets, and a map that satisfies this protocol. The record
and the map are in one file of this package, or in two files such as `convolution` and `convolution_map`. `Dense` is
both the record and the map.
"""

from typing import Protocol, TypeAlias

from .._types import Array, Arrays, Namespace
from .masks import Mask

Shape: TypeAlias = tuple[int, ...]
"""The shape of an activation of one datapoint: (C, T), (C, H, W), or (C,) without positions, for C channels."""


class LayerMap(Protocol):
    """The linear map of a layer, from the rows a_{l-1} (R, C) to the rows h_l (R', C').

    W is None for a layer without weights. An argument `inputs` is the result of the method `inputs`.
    """

    @property
    def mixes_positions(self) -> bool:
        """False if each row of h_l depends only on the row of a_{l-1} at the same position."""

    def inputs(self, xp: Namespace, a: Array) -> Array:
        """The rows that W multiplies, such as a_{l-1} with an appended 1 for a bias, or patches of a convolution."""

    def preactivations(self, W: Array, inputs: Array) -> Array:
        """The rows h_l (R', C')."""

    def preactivation_tangents(self, W: Array, R_a: Array) -> Array:
        """The derivative (..., R', C') of h_l along a direction R_a (..., R, C) of a_{l-1}, with W fixed."""

    def pulled_back(self, W: Array, rows: Array) -> Array:
        """The transpose of `preactivation_tangents`: from rows (..., R', C') to (..., R, C)."""

    def carried_over_taps(self, W: Array, G: Array) -> Array:
        """The matrix (C, C) of KFRA at a_{l-1}, from the matrix G (C', C') of KFRA at h_l.

        Both matrices are sums over positions. KFRA assumes that the Gauss-Newton matrix of an activation has the same
        block at every position, and is zero between positions.
        """


class WeightedMap(LayerMap, Protocol):
    """The map of a layer that has weights W.

    The methods other than `input_tangents` and `mean_gradient` are about the Kronecker blocks Q kron G of the layer.
    `BlockPerGroup` has these methods for a layer with a block for each group of outputs. A layer with a dense block has
    one block, with Q = 1.
    """

    def by_group(self, inputs: Array) -> Arrays:
        """The rows (R', I) that the weights of each block multiply."""

    def second_moments(self, inputs: Array, T: int, sharing: str, mask: Mask | None) -> Arrays:
        """Q (I, I) of each block: the mean of a a^T over vectors a (I,).

        sharing: "expand" for the rows a of `by_group`, and "reduce" for the means of these rows over T positions
        mask:    the mask of the outputs; None if all positions count
        """

    def input_tangents(self, xp: Namespace, R_a: Array) -> Array:
        """The derivative of `inputs` along a direction R_a (R, C) of a_{l-1}."""

    def mean_gradient(self, dE_dh: Array, inputs: Array) -> Array:
        """The mean of dE/dW over the R' rows: the mean of dE/dh_l a^T if h_l = W a for the rows a of `inputs`."""

    @property
    def groups(self) -> int:
        """The number of Kronecker blocks: the number of groups of outputs, or 1 for a dense block."""

    @property
    def has_dense_block(self) -> bool:
        """True if Q is 1. A G that is computed from a root of the Gauss-Newton matrix is then the exact block of W."""

    def block_shapes(self, weight_shape: tuple[int, int]) -> tuple[tuple[int, int], ...]:
        """The shape (O, I) of the weights of each block, which has Q (I, I) and G (O, O)."""

    def split(self, W: Array) -> Arrays:
        """The weights (O, I) of each block, from an array of the shape of W."""

    def joined(self, blocks: Arrays) -> Array:
        """An array of the shape of W from the weights of each block, the inverse of `split`."""

    def roots(self, rows: Array, inputs: Array) -> Arrays:
        """The rows (..., R', O) of each block, from rows (..., R', C') of derivatives with respect to h_l."""

    def mean_factors(self, G: Array, inputs: Array, mask: Mask | None) -> Arrays:
        """G (O, O) of each block by KFRA, from the matrix (C', C') that the recursion of KFRA has at h_l."""
