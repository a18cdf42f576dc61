"""The recursions over all positions: the gradient, the Hessian (8s), the Gauss-Newton matrix (15s) and its root (25s).

An s after the number of an equation of the paper marks its form for shared weights. Every matrix is over all entries of
an activation, the C_l T_l entries of vec(a_l). So the recursions are those of the paper, with the matrix M_l of a layer
instead of W.

>>> from kfgn_reference.shared_weights import sample_preactivation_gauss_newton
>>> from kfgn_reference.shared_weights._example import X, Y, net
>>> sample_preactivation_gauss_newton(net, X[0], Y[0])[1].tolist()
[[1.0, 0.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 1.0]]
"""

from typing import Any

from .._arithmetic import diagonal
from .._types import Array, PerLayer
from ._layers import Elementwise
from ._network import Network, forward
from ._outputs import output_gauss_newton, output_gradient, output_hessian, output_root
from ._positions import unvec, vec
from ._taps import layer_matrix


def backpropagate(net: Network, x: Array, y: Any) -> PerLayer:
    """dE/da_l (C_l, *positions) of one datapoint for l = 1, ..., L, from dE/dh_L.

        dE/da_{l-1} = f'(a_{l-1}) * dE/da_l                for an elementwise layer l
        vec(dE/da_{l-1}) = M_l^T vec(dE/da_l)              for every other layer l

    The matrix M_l is `layer_matrix`.
    """
    a = forward(net, x)
    dE_da = {net.L: output_gradient(net, a[net.L], y)}
    for l in range(net.L, 1, -1):
        layer, below = net.layers[l - 1], a[l - 1]
        if isinstance(layer, Elementwise):
            dE_da[l - 1] = layer.f.first(below) * dE_da[l]
        else:
            dE_da[l - 1] = unvec(layer_matrix(layer, below).T @ vec(dE_da[l]), below.shape)
    return dE_da


def sample_preactivation_hessians(net: Network, x: Array, y: Any) -> PerLayer:
    """Equation (8s): script H_l = d^2 E / dvec(a_l)^2, (C_l T_l, C_l T_l), of one datapoint, for l = 1, ..., L.

        H_{l-1} = B H_l B + D             for an elementwise layer l, with the matrices below
        H_{l-1} = M_l^T H_l M_l           for every other layer l, since it is linear in its input

    B = diag(f'(vec a_{l-1})) and D = diag(f''(vec a_{l-1}) * vec(dE/da_l)) have C_l T_l rows.
    """
    a, dE_da = forward(net, x), backpropagate(net, x, y)
    H = {net.L: output_hessian(net, a[net.L], y)}
    for l in range(net.L, 1, -1):
        layer, below = net.layers[l - 1], a[l - 1]
        if isinstance(layer, Elementwise):
            B = diagonal(layer.f.first(vec(below)))
            H[l - 1] = B @ H[l] @ B + diagonal(layer.f.second(vec(below)) * vec(dE_da[l]))
        else:
            M = layer_matrix(layer, below)
            H[l - 1] = M.T @ H[l] @ M
    return H


def sample_preactivation_gauss_newton(net: Network, x: Array, y: Any) -> PerLayer:
    """Equation (15s): script G_l = J_l^T H_L J_l, (C_l T_l, C_l T_l), of one datapoint, J_l = dvec(h_L) / dvec(a_l).

    The recursion is (8s) without the matrix D, from script G_L.
    """
    a = forward(net, x)
    G = {net.L: output_gauss_newton(net, a[net.L], y)}
    for l in range(net.L, 1, -1):
        M = derivative(net, a, l)
        G[l - 1] = M.T @ G[l] @ M
    return G


def sample_roots(net: Network, x: Array, y: Any) -> PerLayer:
    """Equation (25s): C_l (C_l T_l, K) of one datapoint with script G_l = C_l C_l^T, from a root C_L of script H_L.

        C_{l-1} = B C_l                   for an elementwise layer l, with B of (8s)
        C_{l-1} = M_l^T C_l               for every other layer l

    K is the number of columns of C_L: those of the root of one position, times T_L.
    """
    return carried_back(net, x, output_root(net, forward(net, x)[net.L], y))


def carried_back(net: Network, x: Array, C_L: Array) -> PerLayer:
    """J_l^T C_L (C_l T_l, K) for l = 1, ..., L, for any matrix C_L with D_L T_L rows."""
    a = forward(net, x)
    C = {net.L: C_L}
    for l in range(net.L, 1, -1):
        C[l - 1] = derivative(net, a, l).T @ C[l]
    return C


def derivative(net: Network, a: PerLayer, l: int) -> Array:
    """dvec(a_l) / dvec(a_{l-1}), (C_l T_l, C_{l-1} T_{l-1}): B of an elementwise layer, M_l of every other layer."""
    layer, below = net.layers[l - 1], a[l - 1]
    if isinstance(layer, Elementwise):
        return diagonal(layer.f.first(vec(below)))
    return layer_matrix(layer, below)
