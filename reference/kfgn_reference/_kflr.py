"""Section 3.4: KFLR, the exact second factor from a low-rank square root, equations (23)-(25).

>>> from kfgn_reference import kflr
>>> from kfgn_reference._example import X, Y, net
>>> kflr(net, X, Y)[1].tolist()
[[0.5, -1.0], [-1.0, 4.0]]
"""

from ._batch import datapoints
from ._expectation import expectation
from ._network import Network, forward
from ._outputs import output_root
from ._types import Array, PerLayer


def sample_roots(net: Network, x: Array, y: Array) -> PerLayer:
    """Equation (24): C_l = B_l W_{l+1}^T C_{l+1}, (D_l, K), of one datapoint, from a root C_L of H_L.

    The columns of C_l are the vectors C_l^k of (23), so that script G_l = sum_k C_l^k C_l^kT = C_l C_l^T. B_l is
    diagonal, so the product with B_l scales the rows.
    """
    _, h = forward(net, x)
    C = {net.L: output_root(net, h[net.L], y)}
    for l in range(net.L - 1, 0, -1):
        C[l] = net.f(l).first(h[l])[:, None] * (net.kernel(l + 1).T @ C[l + 1])
    return C


def kflr(net: Network, X: Array, Y: Array) -> PerLayer:
    """Equation (25): the exact E[script G_l] (D_l, D_l), the mean of sum_k C_l^k C_l^kT over the N datapoints."""
    roots = (sample_roots(net, x, y) for x, y in datapoints(net, X, Y))
    return expectation({l: C[l] @ C[l].T for l in C} for C in roots)
