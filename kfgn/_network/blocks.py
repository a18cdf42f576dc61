"""The Kronecker blocks of a layer with weights: their shapes, and the parts of arrays that belong to each block."""

from typing import ClassVar

from array_api_compat import array_namespace

from .._algebra.matrices import second_moment
from .._types import Array, Arrays
from .masks import Mask


class BlockPerGroup:
    """The Kronecker blocks Q kron G of a layer, with one block for each group of outputs.

    The methods are for a layer whose W multiplies the rows `inputs`. The maps of all layers with weights inherit this
    class, and override methods if their blocks have a different form. `WeightedMap` describes the methods.
    """

    has_dense_block: ClassVar[bool] = False

    def by_group(self, inputs: Array) -> Arrays:
        """The rows that the weights of each group multiply. By default there is one group, with the rows `inputs`."""
        return (inputs,)

    def second_moments(self, inputs: Array, T: int, sharing: str, mask: Mask | None) -> Arrays:
        """Q of each group: the second moment of the rows of `by_group`.

        For "reduce", the means of the rows over the T positions replace the rows.
        """
        xp = array_namespace(inputs)
        rows = self.by_group(inputs)
        if mask is not None:
            return tuple(mask.second_moment(a, T, sharing) for a in rows)
        if sharing == "reduce" and T > 1:
            rows = tuple(xp.mean(xp.reshape(a, (-1, T, a.shape[1])), axis=1) for a in rows)
        return tuple(second_moment(xp, a) for a in rows)

    @property
    def groups(self) -> int:
        """The number of groups of outputs."""
        return 1

    def block_shapes(self, weight_shape: tuple[int, int]) -> tuple[tuple[int, int], ...]:
        """For each group, the shape (D / groups, P) of its rows of W (D, P)."""
        D, P = weight_shape
        return ((D // self.groups, P),) * self.groups

    def split(self, W: Array) -> Arrays:
        """For each group, its rows of W."""
        size = W.shape[0] // self.groups
        return tuple(W[i : i + size, :] for i in range(0, W.shape[0], size)) if self.groups > 1 else (W,)

    def joined(self, blocks: Arrays) -> Array:
        """An array of the shape of W from the rows of all groups, the inverse of `split`."""
        return array_namespace(blocks[0]).concat(blocks, axis=0) if len(blocks) > 1 else blocks[0]

    def roots(self, rows: Array, inputs: Array) -> Arrays:  # noqa: ARG002  (the layers have one interface)
        """For each group of outputs, its columns (..., R', D / groups) of an array `rows` (..., R', D) with R' rows."""
        size = rows.shape[-1] // self.groups
        return tuple(rows[..., i : i + size] for i in range(0, rows.shape[-1], size)) if self.groups > 1 else (rows,)

    def mean_factors(self, G: Array, inputs: Array, mask: Mask | None) -> Arrays:  # noqa: ARG002
        """For each group of outputs, its diagonal block of G."""
        size = G.shape[0] // self.groups
        return tuple(G[i : i + size, i : i + size] for i in range(0, G.shape[0], size)) if self.groups > 1 else (G,)
