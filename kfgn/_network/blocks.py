"""The Kronecker blocks of a layer with weights: their shapes, and the parts of arrays that belong to each block."""

from typing import ClassVar

from array_api_compat import array_namespace

from .._algebra.matrices import second_moment
from .._types import Array, Arrays
from .masks import Mask


class BlockPerGroup:
    """One Kronecker block Q kron G for each group of outputs of a layer whose W multiplies the rows `inputs`.

    The maps of the layers with weights inherit the class, and override methods if their blocks have a different form.
    `WeightedMap` describes the methods.
    """

    has_dense_block: ClassVar[bool] = False

    def by_group(self, inputs: Array) -> Arrays:
        """The rows `inputs` of the one group."""
        return (inputs,)

    def second_moments(self, inputs: Array, T: int, sharing: str, mask: Mask | None = None) -> Arrays:
        """Q of each group, from the rows of `by_group`."""
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
        """The shape of the rows of W of each group."""
        D, P = weight_shape
        return ((D // self.groups, P),) * self.groups

    def split(self, W: Array) -> Arrays:
        """The rows of W of each group."""
        size = W.shape[0] // self.groups
        return tuple(W[i : i + size, :] for i in range(0, W.shape[0], size)) if self.groups > 1 else (W,)

    def joined(self, blocks: Arrays) -> Array:
        """The array of the shape of W from the rows of each group."""
        return array_namespace(blocks[0]).concat(blocks, axis=0) if len(blocks) > 1 else blocks[0]

    def roots(self, rows: Array, inputs: Array) -> Arrays:  # noqa: ARG002  (the layers have one interface)
        """From rows (..., R', D), the columns (..., R', D / groups) of each group of outputs."""
        size = rows.shape[-1] // self.groups
        return tuple(rows[..., i : i + size] for i in range(0, rows.shape[-1], size)) if self.groups > 1 else (rows,)

    def mean_factors(self, G: Array, inputs: Array, mask: Mask | None = None) -> Arrays:  # noqa: ARG002
        """For each group of outputs, its diagonal block of G."""
        size = G.shape[0] // self.groups
        return tuple(G[i : i + size, i : i + size] for i in range(0, G.shape[0], size)) if self.groups > 1 else (G,)
