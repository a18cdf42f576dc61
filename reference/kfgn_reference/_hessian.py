"""Section 2.2: the block-diagonal Hessian and its recursion, equations (4)-(10).

>>> from kfgn_reference import hessian_blocks
>>> from kfgn_reference._example import X, Y, net
>>> hessian_blocks(net, X, Y)[2].tolist()
[[2.0, 8.0, 1.0], [8.0, 44.5, 6.5], [1.0, 6.5, 1.0]]
"""

import numpy as np

from ._arithmetic import diagonal
from ._batch import datapoints
from ._expectation import expectation
from ._factored import sample_q
from ._gradient import backpropagate
from ._network import Network, forward
from ._objectives import OBJECTIVES
from ._types import Array, PerLayer


def derivative_matrix(net: Network, h: PerLayer, l: int) -> Array:
    """Equation (9): B_l = diag(f'(h_l)), (D_l, D_l)."""
    return diagonal(net.f(l).first(h[l]))


def second_derivative_matrix(net: Network, h: PerLayer, dE_dh: PerLayer, l: int) -> Array:
    """Equation (10): D_l = diag(f''(h_l) * dE/da_l), (D_l, D_l), with dE/da_l = W_{l+1}^T dE/dh_{l+1}."""
    dE_da = net.kernel(l + 1).T @ dE_dh[l + 1]
    return diagonal(net.f(l).second(h[l]) * dE_da)


def sample_preactivation_hessians(net: Network, x: Array, y: Array) -> PerLayer:
    """Equation (6), script H_l = d^2 E / dh_l^2 (D_l, D_l) of one datapoint, by the recursion (8):

        H_l = B_l W_{l+1}^T H_{l+1} W_{l+1} B_l + D_l

    with the matrices B_l (9) and D_l (10). The recursion starts at the Hessian H_L of the objective. The recursion
    holds for each datapoint, and not for the mean of H_l over a batch.
    """
    _, h = forward(net, x)
    dE_dh = backpropagate(net, x, y)
    H = {net.L: OBJECTIVES[net.objective].hessian(h[net.L], y)}
    for l in range(net.L - 1, 0, -1):
        W, B, D = net.kernel(l + 1), derivative_matrix(net, h, l), second_derivative_matrix(net, h, dE_dh, l)
        H[l] = B @ W.T @ H[l + 1] @ W @ B + D
    return H


def sample_hessian_elements(net: Network, x: Array, y: Array) -> PerLayer:
    """Equation (5): d^2 E / d[W_l]_{a,b} d[W_l]_{c,d} = [a_{l-1}]_b [a_{l-1}]_d [script H_l]_{a,c}.

    The array of one datapoint is indexed [a, b, c, d] and has shape (D_l, D_{l-1} + 1, D_l, D_{l-1} + 1).
    """
    H = sample_preactivation_hessians(net, x, y)
    Q = sample_q(net, x)
    return {l: H[l][:, None, :, None] * Q[l][None, :, None, :] for l in H}


def sample_hessian_blocks(net: Network, x: Array, y: Array) -> PerLayer:
    """Equations (4), (7), (65): H_l = d^2 E / dvec(W_l)^2 = (a_{l-1} a_{l-1}^T) kron (script H_l).

    Each block belongs to one datapoint and is square with D_l (D_{l-1} + 1) rows. vec stacks columns.
    """
    H = sample_preactivation_hessians(net, x, y)
    Q = sample_q(net, x)
    return {l: np.kron(Q[l], H[l]) for l in H}


def hessian_blocks(net: Network, X: Array, Y: Array) -> PerLayer:
    """The diagonal blocks of the expected Hessian: the blocks (7) averaged over the N datapoints."""
    return expectation(sample_hessian_blocks(net, x, y) for x, y in datapoints(net, X, Y))
