"""The forward pass (1) and the backward pass (3), for all datapoints at once."""

from functools import cached_property
from typing import Any

import numpy as np
from kfgn_reference import OBJECTIVES, Transfer

from ...problems.problem import Array, Problem
from .roots import output_roots

PerLayer = dict[int, Array]


class Passes:
    """Formulas of activations, derivatives and H_L, in arrays with the datapoints on the first axis.

    A dictionary of layers has the keys 1, ..., L.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.network = problem.reference
        self.W: PerLayer = dict(enumerate(problem.weights, start=1))
        self.V: PerLayer = dict(enumerate(problem.arguments.direction, start=1))
        self.L = len(self.W)
        self.N = problem.N

    @property
    def scale(self) -> float:
        """The factor by which the loss is multiplied. The factor is 1 in the right formulas."""
        return 1.0

    def has_bias(self, l: int) -> bool:
        """True if layer l has a bias, which is the last column of W_l."""
        return self.problem.weighted[l - 1].bias

    def without_bias(self, l: int, V: Array) -> Array:
        """Return V, a matrix of the shape of W_l, without the column of the bias."""
        return V[:, :-1] if self.has_bias(l) else V

    def kernel(self, l: int) -> Array:
        """W_l without its bias column."""
        return self.without_bias(l, self.W[l])

    def transfer(self, l: int) -> Transfer:
        """f_l and its derivatives."""
        return self.problem.reference.f(l)

    def with_unit(self, a: Array) -> Array:
        """Append a 1, which multiplies the bias, to the activations of each datapoint: (N, D) becomes (N, D + 1)."""
        return np.hstack([a, np.ones((len(a), 1))])

    def inputs(self, l: int, a: Array) -> Array:
        """The vectors that W_l multiplies: a_{l-1}, with a 1 appended if layer l has a bias."""
        return self.with_unit(a) if self.has_bias(l) else a

    def preactivations(self, l: int, a: Array) -> Array:
        """h_l (N, D_l), from the inputs of layer l."""
        return a @ self.W[l].T

    def forward(self) -> tuple[PerLayer, PerLayer]:
        """Return dictionaries a and h, where a[l] are the inputs of layer l and h[l] is h_l, for l = 1, ..., L.

        The inputs of layer l are a_{l-1}, with a 1 appended if layer l has a bias.
        """
        a, h = {1: self.inputs(1, self.problem.X)}, {}
        for l in range(1, self.L + 1):
            h[l] = self.preactivations(l, a[l])
            if l < self.L:
                a[l + 1] = self.inputs(l + 1, self.transfer(l).f(h[l]))
        return a, h

    @cached_property
    def passes(self) -> tuple[PerLayer, PerLayer]:
        """The result of the forward pass. The pass is computed only once."""
        return self.forward()

    @property
    def a(self) -> PerLayer:
        """a[l] is a_{l-1} with a 1 appended, (N, D_{l-1} + 1), or a_{l-1}, (N, D_{l-1}), for a layer without a bias."""
        return self.passes[0]

    @property
    def h(self) -> PerLayer:
        """h_l (N, D_l)."""
        return self.passes[1]

    def derivative(self, l: int) -> Array:
        """f'_l(h_l), (N, D_l)."""
        return self.transfer(l).first(self.h[l])

    def output_gradient(self, Y: Any) -> Array:
        """dE/dh_L (N, D_L), with one label per datapoint in Y."""
        gradient = OBJECTIVES[self.problem.objective].gradient
        return self.scale * np.stack([gradient(h, y) for h, y in zip(self.h[self.L], Y, strict=True)])

    def output_root(self) -> Array:
        """C_L (N, D_L, K), where C_L C_L^T is H_L or its positive semi-definite replacement."""
        return np.sqrt(self.scale) * output_roots(
            self.network.objective, self.network.psd, self.h[self.L], self.problem.Y
        )

    def output_gauss_newton(self) -> Array:
        """The matrix C_L C_L^T per datapoint, (N, D_L, D_L)."""
        C = self.output_root()
        return C @ C.swapaxes(1, 2)

    def one_layer_down(self, l: int, rows: Array) -> Array:
        """Propagate rows v (N, K, D_{l+1}) from layer l + 1 to layer l: (v W_{l+1}) * f'_l, as in (3) and (24)."""
        return (rows @ self.kernel(l + 1)) * self.derivative(l)[:, None, :]

    def propagated(self, rows: Array) -> PerLayer:
        """Propagate rows (N, K, D_L) from the outputs to every layer. Returns rows (N, K, D_l) per layer l."""
        at = {self.L: rows}
        for l in range(self.L - 1, 0, -1):
            at[l] = self.one_layer_down(l, at[l + 1])
        return dict(sorted(at.items()))

    def mean(self, x: Array) -> Array:
        """The mean of an array over its first axis, the axis of the datapoints."""
        return np.mean(x, axis=0)
