"""The network: layers one after another, and a loss that is summed over the positions of the outputs.

>>> import numpy as np
>>> from kfgn_reference.shared_weights import Dense, Network, loss
>>> net = Network((Dense(np.array([[2.0, 0.0]])),), "squared_error", divisor=2)
>>> X, Y = np.array([[[1.0, 3.0]]]), np.array([[[0.0], [4.0]]])
>>> float(loss(net, X, Y)), (2**2 / 2 + 2**2 / 2) / 2
(2.0, 2.0)
"""

from fractions import Fraction
from typing import NamedTuple

from .._types import Array
from ._layers import Layer, Weighted


class Network(NamedTuple):
    """A chain of layers with its loss.

    layers:    layer 1, ..., L. Each is a `Dense`, `Convolution`, `Pooling`, `Flatten`, `Elementwise`, `Normalisation`
               or `ScaleShift`, and layer 1 can also be an `Embedding`
    objective: the name of the loss E(h, y) of one position of the outputs, a key of `kfgn_reference.OBJECTIVES`
    divisor:   the loss of a datapoint is the sum of E over the T_L positions of the outputs, divided by this number.
               The divisor is 1 for a sum over positions, and T_L for a mean over positions. With masks, the divisor is
               `Fraction(M, N)` for a mean over the M counted positions of all N datapoints
    psd:       the treatment of an indefinite Hessian of the objective in Gauss-Newton matrices: "project", "scalar" or
               "raise". The module `kfgn_reference._outputs` defines the three
    """

    layers: tuple[Layer, ...]
    objective: str
    divisor: int | Fraction = 1
    psd: str = "project"

    @property
    def L(self) -> int:  # noqa: N802  (the paper's symbol)
        """The number of layers, including those without weights."""
        return len(self.layers)

    @property
    def weighted(self) -> dict[int, Weighted]:
        """The layers with weights, keyed by their number l."""
        return {l: layer for l, layer in enumerate(self.layers, 1) if isinstance(layer, Weighted)}


def forward(net: Network, x: Array) -> dict[int, Array]:
    """The activations a_0 = x (C_0, *positions) and a_l (C_l, *positions), the results of the layers l = 1, ..., L.

    If layer 1 is an embedding, x (*positions) has tokens. The result of a layer with weights is the paper's
    pre-activation h. The last result a_L is h_L (D_L, *positions). T_l is the number of positions of a_l.
    """
    a = {0: x}
    for l, layer in enumerate(net.layers, 1):
        a[l] = layer.forward(a[l - 1])
    return a
