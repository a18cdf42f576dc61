"""What Gauss-Newton matrices begin with at the outputs, in (12), (22) and (24): a positive semi-definite H_L.

The paper assumes that it is one (Section 3). The H_L of its mixture (27) never is, so (23) has no root
there, and something must stand for it. `Network.psd` says what:

    "project"  H_L with its negative eigenvalues set to zero, one datapoint at a time, before any mean:
               the mean of the projections is not the projection of the mean
    "scalar"   dE/dh_L dE/dh_L^T, of rank 1: the Gauss-Newton split (11) made at the scalar p(y | h_L), with
               d^2(-log p)/dp^2 = 1/p^2. Appendix E calls the output of this problem a scalar
    "raise"    nothing: a `ValueError`

For the other objectives it does not matter. The true H_L stays in the Hessian, (2)-(11) and (28)-(31).
"""

from typing import Any

import numpy as np

from ._network import Network
from ._objectives import OBJECTIVES
from ._spectral import projection, projection_root
from ._types import Array


def output_gauss_newton(net: Network, h: Array, y: Any) -> Array:
    """script G_L (D_L, D_L) of one datapoint with outputs h = h_L: H_L, or what stands for it."""
    E = OBJECTIVES[net.objective]
    if E.root is not None:
        return E.hessian(h, y)
    if stand_in(net) == "project":
        return projection(E.hessian(h, y))
    return np.outer(E.gradient(h, y), E.gradient(h, y))


def output_root(net: Network, h: Array, y: Any) -> Array:
    """C_L (D_L, K) with C_L C_L^T = script G_L: where (24) starts. K = D_L, or 1 for "scalar"."""
    E = OBJECTIVES[net.objective]
    if E.root is not None:
        return E.root(h, y)
    if stand_in(net) == "project":
        return projection_root(E.hessian(h, y))
    return E.gradient(h, y)[:, None]


def stand_in(net: Network) -> str:
    """`Network.psd` for an objective that needs it; `ValueError` if it refuses or is not known."""
    if net.psd == "raise":
        raise ValueError(f"H_L of the objective {net.objective} is indefinite; psd: expected project or scalar")
    if net.psd not in ("project", "scalar"):
        raise ValueError(f"psd: expected project, scalar or raise, got {net.psd!r}")
    return net.psd
