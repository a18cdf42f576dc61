"""The masks of activations, by which the textbook replaces numbers at masked positions by 0."""

import numpy as np

from ....problems.layers import positions_of
from ....problems.masked import is_masked
from ....problems.problem import Array, Problem


def masks_of(problem: Problem) -> list[Array] | None:
    """The masks (N, T_l) of a_0, ..., a_L with one axis of positions, or None for a problem without a mask."""
    return [mask.reshape(problem.N, -1) for mask in problem.masks] if is_masked(problem) else None


class Masking:
    """Methods that put zeros at masked positions, or return the number of counted positions.

    Without a mask, every position counts.
    """

    problem: Problem
    N: int
    masks: list[Array] | None

    def positions(self, l: int) -> int:
        """The number of positions of a_l."""
        return positions_of(self.problem.shapes[l])

    def only_counted(self, l: int, x: Array) -> Array:
        """Replace the entries of an array (N, ..., T_l) at the masked positions of a_l by 0.

        A number at a masked position may be NaN, so a product with the mask would not be 0.
        """
        if self.masks is None:
            return x
        mask = self.masks[l]
        return np.where(mask.reshape(self.N, *(1,) * (x.ndim - 2), mask.shape[1]), x, 0.0)

    def visible(self, l: int, a: Array) -> Array:
        """The activations a_l (N, C, T) as the windows of a layer read them, with zeros at masked positions.

        The backward pass through the windows has the same zeros in the derivatives with respect to a_l.
        """
        return self.only_counted(l, a)

    def pooled_values(self, l: int, a: Array) -> Array:
        """The activations a_l as a pooling layer reads them, or derivatives with respect to these values."""
        return self.only_counted(l, a)

    def counts(self, l: int) -> Array:
        """The number of counted positions of a_l for each datapoint, (N,)."""
        return np.full(self.N, self.positions(l)) if self.masks is None else np.sum(self.masks[l], axis=1)

    def mean_count(self, l: int) -> float:
        """The mean number of counted positions of a_l: T_l, or M / N with M counted positions in the batch."""
        return float(np.mean(self.counts(l)))
