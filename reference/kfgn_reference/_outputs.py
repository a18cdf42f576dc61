"""The positive semi-definite H_L from which Gauss-Newton matrices are computed in (12), (22) and (24).

Section 3 assumes that H_L is positive semi-definite. The H_L of the mixture (27) is indefinite, so (23) has no
root and another matrix must replace H_L. `Network.psd` selects the replacement:

    "project"  H_L with its negative eigenvalues set to zero, for each datapoint and before any mean:
               the mean of the projections is not the projection of the mean
    "scalar"   dE/dh_L dE/dh_L^T, of rank 1. Suppose that the scalar p = p(y | h_L) is the output of the network.
               E = -log p has the second derivative 1/p^2 in p. The second term of (11), with the output p and with h_L
               instead of theta, is then 1/p^2 dp/dh_L dp/dh_L^T. This matrix equals dE/dh_L dE/dh_L^T. Appendix E
               calls the output of the mixture a scalar
    "raise"    no replacement: the functions raise a `ValueError`

The other objectives ignore `Network.psd`. The Hessian, (2)-(11) and (28)-(31), keeps the true H_L.

>>> import numpy as np
>>> from kfgn_reference import Network, output_root
>>> net = Network((np.zeros((3, 2)),), (), "mixture", psd="scalar")
>>> output_root(net, np.array([0.0, 1.0, -1.0]), 1).shape
(3, 1)
"""

from typing import Any

import numpy as np

from ._network import Network
from ._objectives import OBJECTIVES
from ._spectral import projection, projection_root
from ._types import Array


def output_gauss_newton(net: Network, h: Array, y: Any) -> Array:
    """script G_L (D_L, D_L) of one datapoint with outputs h = h_L: H_L or its replacement."""
    E = OBJECTIVES[net.objective]
    if E.root is not None:
        return E.hessian(h, y)
    if replacement(net) == "project":
        return projection(E.hessian(h, y))
    return np.outer(E.gradient(h, y), E.gradient(h, y))


def output_root(net: Network, h: Array, y: Any) -> Array:
    """C_L (D_L, K) with C_L C_L^T = script G_L, the start of (24). K = D_L, or 1 for the replacement "scalar"."""
    E = OBJECTIVES[net.objective]
    if E.root is not None:
        return E.root(h, y)
    if replacement(net) == "project":
        return projection_root(E.hessian(h, y))
    return E.gradient(h, y)[:, None]


def replacement(net: Network) -> str:
    """The replacement that `Network.psd` selects for an indefinite H_L: "project" or "scalar".

    Raises `ValueError` if `psd` is "raise" or unknown.
    """
    if net.psd == "raise":
        raise ValueError(f"psd: expected project or scalar for the indefinite H_L of {net.objective}, got 'raise'")
    if net.psd not in ("project", "scalar"):
        raise ValueError(f"psd: expected project, scalar or raise, got {net.psd!r}")
    return net.psd
