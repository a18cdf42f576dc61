"""The forward pass, the loss, and the backward pass of columns from the outputs to every layer.

A column is a vector at the outputs of a datapoint, such as a column of a root of H_L, or a gradient dE/dh_L.
"""

from functools import cached_property

import numpy as np
from kfgn_reference import OBJECTIVES, Transfer, transfer

from ....problems.problem import Array
from ..roots import output_roots
from .layers import Layers

PerLayer = dict[int, Array]


class Passes(Layers):
    """Formulas of activations and of columns at the pre-activations, for all datapoints at once."""

    @property
    def scale(self) -> float:
        """The factor by which the loss of a position is multiplied. The factor is 1 in the right formulas."""
        return 1.0

    def divisor(self) -> float:
        """The number by which the loss of a datapoint is divided."""
        return self.problem.divisor

    def divisor_of_gradient(self) -> float:
        """The number by which the gradient of the loss is divided."""
        return self.divisor()

    def divisor_of_curvature(self) -> float:
        """The number by which the second derivatives of the loss are divided."""
        return self.divisor()

    def mean(self, x: Array) -> Array:
        """The mean of an array over its first axis, the axis of the datapoints."""
        return np.mean(x, axis=0)

    def transfer_of(self, l: int) -> Transfer:
        """The transfer function of layer l, with its derivatives."""
        return transfer(getattr(self.layer(l), "transfer", "identity"))

    @cached_property
    def passes(self) -> tuple[PerLayer, PerLayer]:
        """a_0, ..., a_L and h_1, ..., h_L, each (N, C, T)."""
        a, h = {0: self.problem.X}, {}
        for l in range(1, self.L + 1):
            h[l] = self.forward_of(l, a[l - 1])
            a[l] = self.transfer_of(l).f(h[l])
        return a, h

    @property
    def a(self) -> PerLayer:
        """a_l (N, C_l, T_l)."""
        return self.passes[0]

    @property
    def h(self) -> PerLayer:
        """h_l (N, C_l, T_l), the results of the layers before their transfer functions."""
        return self.passes[1]

    @property
    def outputs(self) -> Array:
        """h_L with the axis of the positions before the axis of the outputs, (N, T, D)."""
        return self.h[self.L].transpose(0, 2, 1)

    def at_outputs(self, f: str, Y: Array) -> Array:
        """The function `f` of the objective, such as `gradient`, at every datapoint and position: (N, T, ...)."""
        function = getattr(OBJECTIVES[self.problem.objective], f)
        rows = zip(self.outputs, Y, strict=True)
        each = np.array([[function(h, y) for h, y in zip(*row, strict=True)] for row in rows])
        return self.scale * self.counted_outputs(each)

    def counted_outputs(self, x: Array) -> Array:
        """Replace the entries of an array (N, T, ...) at the masked positions of the outputs by 0."""
        return np.moveaxis(self.only_counted(self.L, np.moveaxis(x, 1, -1)), -1, 1)

    def loss(self) -> Array:
        """f: the mean over the datapoints of the sum of E over the positions, divided by the divisor."""
        return self.mean(np.sum(self.at_outputs("value", self.problem.Y), axis=1)) / self.divisor()

    def slope(self, l: int) -> Array:
        """f'(h_l), (N, C, T)."""
        return self.transfer_of(l).first(self.h[l])

    def carried(self, columns: Array) -> PerLayer:
        """Carry columns (N, K, D, T) at h_L back to h_l, (N, K, C_l, T_l), for every layer."""
        at = {self.L: columns}
        for l in range(self.L, 1, -1):
            at[l - 1] = self.back_through(l, at[l]) * self.slope(l - 1)[:, None]
        return at

    def output_gradient(self, Y: Array) -> Array:
        """dE/dh_L without the divisor, (N, D, T)."""
        return self.at_outputs("gradient", Y).transpose(0, 2, 1)

    def roots_at_positions(self) -> Array:
        """The root of the Hessian of E at every datapoint and position, without the divisor: (N, T, D, K)."""
        C = output_roots(self.problem.objective, self.problem.psd, self.outputs, self.problem.Y)
        return np.sqrt(self.scale) * self.counted_outputs(C)

    def output_columns(self) -> Array:
        """The root of the Hessian of the loss of a datapoint, (N, T K, D, T): every position has separate columns."""
        C = self.roots_at_positions()
        N, T, D, K = C.shape
        columns = np.einsum("ntdk,ts->ntkds", C, np.eye(T)).reshape(N, T * K, D, T)
        return columns / np.sqrt(self.divisor_of_curvature())

    def sampled_columns(self) -> Array:
        """The gradients at the given labels as columns, (N, S, D, T), divided by sqrt(S) and by sqrt(divisor)."""
        labels = self.problem.labels
        each = [self.output_gradient(labels[:, s]) for s in range(labels.shape[1])]
        return self.averaged_samples(np.stack(each, axis=1)) / np.sqrt(self.divisor_of_curvature())

    def averaged_samples(self, columns: Array) -> Array:
        """Divide the columns of S samples by the square root of S."""
        return columns / np.sqrt(columns.shape[1])

    def roots(self) -> PerLayer:
        """The roots C at every layer, (N, K, C_l, T_l)."""
        return self.carried(self.output_columns())

    def sampled_roots(self) -> PerLayer:
        """The columns of `sampled_columns`, carried back to every layer: (N, S, C_l, T_l)."""
        return self.carried(self.sampled_columns())
