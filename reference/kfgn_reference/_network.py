"""Section 2.1: the feedforward network and its forward pass, equation (1).

>>> import numpy as np
>>> from kfgn_reference import Network, forward
>>> net = Network((np.array([[2.0, -1.0]]), np.array([[3.0]])), ("relu",), "squared_error", biases=(True, False))
>>> a, h = forward(net, np.array([4.0]))
>>> h[1].tolist(), h[2].tolist()
([7.0], [21.0])
"""

from typing import Any, NamedTuple

import numpy as np

from ._arithmetic import one, zero
from ._transfers import Transfer, transfer
from ._types import Array, PerLayer


class Network(NamedTuple):
    """A feedforward network with its weights.

    weights:   W_1, ..., W_L, each (D_l, D_{l-1} + 1) with the bias in the last column, or (D_l, D_{l-1}) without a bias
    transfers: f_1, ..., f_{L-1}, each a name or a pair (name, parameter); the last layer has none
    objective: the name of the loss E(h_L, y)
    psd:       the treatment of an indefinite H_L in Gauss-Newton matrices: "project", "scalar" or "raise". The module
               `_outputs` defines the three
    biases:    L truth values, False for a layer without a bias; None gives every layer a bias
    """

    weights: tuple[Array, ...]
    transfers: tuple[str | tuple[str, Any], ...]
    objective: str
    psd: str = "project"
    biases: tuple[bool, ...] | None = None

    @property
    def L(self) -> int:  # noqa: N802  (the paper's symbol)
        """The number of layers."""
        return len(self.weights)

    def has_bias(self, l: int) -> bool:
        """True if W_l has a bias column."""
        return self.biases is None or self.biases[l - 1]

    def kernel(self, l: int) -> Array:
        """W_l without its bias column, (D_l, D_{l-1}): the matrix through which derivatives are propagated.

        The paper also writes W for this matrix in (8), (22), (24), (26), (28), (29) and (66)-(68). These equations
        differentiate through a layer, and the unit that footnote 2 appends has the derivative 0.
        """
        return self.without_bias(l, self.weights[l - 1])

    def without_bias(self, l: int, V: Array) -> Array:
        """V without its bias column, (D_l, D_{l-1}), for a V of the shape of W_l; V itself if layer l has no bias."""
        return V[:, :-1] if self.has_bias(l) else V

    def with_unit(self, l: int, a: Array) -> Array:
        """The vector that W_l multiplies: a = a_{l-1} with the unit appended, or a itself if layer l has no bias."""
        return append_unit(a) if self.has_bias(l) else a

    def with_zero(self, l: int, Ra: Array) -> Array:
        """Ra = R{a_{l-1}} of `_r_operator`, followed by 0, the derivative of the unit, if layer l has a bias."""
        return np.append(Ra, zero(Ra[:1])) if self.has_bias(l) else Ra

    def f(self, l: int) -> Transfer:
        """The transfer function of layer l, 1 <= l < L."""
        return transfer(self.transfers[l - 1])


def append_unit(a: Array) -> Array:
    """(a_1, ..., a_D, 1): a with the unit of footnote 2, which multiplies the bias column."""
    return np.append(a, one(a[:1]))


def forward(net: Network, x: Array) -> tuple[PerLayer, PerLayer]:
    """Equation (1): h_l = W_l a_{l-1} and a_l = f_l(h_l), for one datapoint x (D_0,).

    Returns the dictionaries a and h. The keys of a are 0, ..., L - 1, and the vectors of a omit the appended unit.
    The keys of h are 1, ..., L.

    Misprint: Algorithm 1 also writes a_L = f_L(h_L). No f_L exists, since the objective takes h_L.
    """
    a: PerLayer = {0: x}
    h: PerLayer = {}
    for l in range(1, net.L + 1):
        h[l] = net.weights[l - 1] @ net.with_unit(l, a[l - 1])
        if l < net.L:
            a[l] = net.f(l).f(h[l])
    return a, h
