"""Section 3.5: KFRA, the recursive approximation of the second factor, equation (26).

>>> from kfgn_reference import kfra
>>> from kfgn_reference._example import X, Y, net
>>> kfra(net, X, Y)[1].tolist()
[[0.5, -1.0], [-1.0, 4.0]]
"""

import numpy as np

from ._batch import datapoints
from ._expectation import expectation
from ._network import Network, forward
from ._outputs import output_gauss_newton
from ._types import Array, PerLayer


def kfra(net: Network, X: Array, Y: Array) -> PerLayer:
    """Equation (26): E[G_l] ~ E[B_l W_{l+1}^T E[G_{l+1}] W_{l+1} B_l], from the exact E[G_L] = E[H_L].

    The recursion treats E[G_{l+1}] as a constant. In the outer expectation, only the diagonal matrix B_l depends on the
    datapoint. The outer expectation therefore becomes the mean of an outer product (Algorithm 1):

        E[G_l] ~ (W_{l+1}^T E[G_{l+1}] W_{l+1}) * 1/N sum_n f'(h_l) f'(h_l)^T

    The product * is elementwise, and the result (D_l, D_l) is a mean over the N datapoints. For example, the result
    equals KFLR at l = L, at l = L - 1 if H_L is constant, in linear networks, for N = 1, and for equal inputs.
    """
    passes = [(forward(net, x)[1], y) for x, y in datapoints(net, X, Y)]
    G = expectation({net.L: output_gauss_newton(net, h[net.L], y)} for h, y in passes)
    derivatives = [{l: net.f(l).first(h[l]) for l in range(1, net.L)} for h, _ in passes]
    mean_outer = expectation({l: np.outer(d[l], d[l]) for l in d} for d in derivatives)
    for l in range(net.L - 1, 0, -1):
        W = net.kernel(l + 1)
        G[l] = (W.T @ G[l + 1] @ W) * mean_outer[l]
    return G
