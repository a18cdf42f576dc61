"""Section 2.1: the feedforward network and its forward pass, equation (1)."""

from typing import NamedTuple

import numpy as np

from ._arithmetic import one
from ._transfers import TRANSFERS, Transfer
from ._types import Array, PerLayer


class Network(NamedTuple):
    """A feedforward network with its weights.

    weights:   W_1, ..., W_L, each (D_l, D_{l-1} + 1) with the bias in the last column
    transfers: the names of f_1, ..., f_{L-1}; the last layer has none
    objective: the name of the loss E(h_L, y)
    psd:       what stands for an indefinite H_L in Gauss-Newton matrices, see `outputs`
    """

    weights: tuple[Array, ...]
    transfers: tuple[str, ...]
    objective: str
    psd: str = "project"

    @property
    def L(self) -> int:  # noqa: N802  (the paper's symbol)
        """The number of layers."""
        return len(self.weights)

    def kernel(self, l: int) -> Array:
        """W_l without its bias column, (D_l, D_{l-1}): what a derivative is propagated through.

        Misprint: (8), (10), (22), (24), (26), (28) and (66) write W. The appended unit is a constant, so
        where the paper differentiates through a layer its W can only mean this.
        """
        return self.weights[l - 1][:, :-1]

    def f(self, l: int) -> Transfer:
        """The transfer function of layer l, 1 <= l < L."""
        return TRANSFERS[self.transfers[l - 1]]


def append_unit(a: Array) -> Array:
    """(a_1, ..., a_D, 1): footnote 2, the unit that multiplies the bias column."""
    return np.append(a, one(a[:1]))


def forward(net: Network, x: Array) -> tuple[PerLayer, PerLayer]:
    """Equation (1): h_l = W_l a_{l-1} and a_l = f_l(h_l), for one datapoint x (D_0,).

    Returns a, with keys 0, ..., L - 1 and no unit appended, and h, with keys 1, ..., L.

    Misprint: Algorithm 1 also writes a_L = f_L(h_L). There is no f_L; the objective takes h_L.
    """
    a: PerLayer = {0: x}
    h: PerLayer = {}
    for l in range(1, net.L + 1):
        h[l] = net.weights[l - 1] @ append_unit(a[l - 1])
        if l < net.L:
            a[l] = net.f(l).f(h[l])
    return a, h
