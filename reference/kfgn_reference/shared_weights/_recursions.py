"""The recursions over all positions: the gradient, the Hessian (8s), the Gauss-Newton matrix (15s) and its root (25s).

An s after the number of an equation of the paper marks its form for shared weights. The recursions treat a whole
activation, with C_l channels at T_l positions, as the one vector vec(a_l). So the recursions are those of the paper,
with the Jacobian M_l of any layer in place of W_l and f'. M_l is the matrix of a linear layer, diag f' for a transfer
function, and a block diagonal matrix for a normalisation.

>>> from kfgn_reference.shared_weights import sample_preactivation_gauss_newton
>>> from kfgn_reference.shared_weights._example import X, Y, net
>>> sample_preactivation_gauss_newton(net, X[0], Y[0])[1].tolist()
[[1.0, 0.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 1.0]]
"""

from typing import Any, cast

from .._types import Array, PerLayer
from ._layers import Linear, Nonlinear
from ._network import Network, forward
from ._outputs import output_gauss_newton, output_gradient, output_hessian, output_root
from ._positions import block_diagonal, unvec, vec
from ._taps import layer_matrix


def backpropagate(net: Network, x: Array, y: Any) -> PerLayer:
    """dE/da_l (C_l, *positions) of one datapoint for l = 1, ..., L, from dE/dh_L.

        vec(dE/da_{l-1}) = M_l^T vec(dE/da_l)

    The matrix M_l is `layer_jacobian`.
    """
    a = forward(net, x)
    dE_da = {net.L: output_gradient(net, a[net.L], y)}
    for l in range(net.L, 1, -1):
        dE_da[l - 1] = unvec(layer_jacobian(net, a, l).T @ vec(dE_da[l]), a[l - 1].shape)
    return dE_da


def sample_preactivation_hessians(net: Network, x: Array, y: Any) -> PerLayer:
    """Equation (8s): script H_l = d^2 E / dvec(a_l)^2, (C_l T_l, C_l T_l), of one datapoint, for l = 1, ..., L.

        H_{l-1} = M_l^T H_l M_l + D_l,    D_l = sum_k (dE/da_l)_k d^2 (a_l)_k / dvec(a_{l-1})^2

    The sum is over all entries k of a_l. D_l is 0 for a linear layer, and diag(f''(vec a_{l-1}) * vec(dE/da_l)) for a
    transfer function, as in (10). For a normalisation, D_l has a full block for each position.
    """
    a, dE_da = forward(net, x), backpropagate(net, x, y)
    H = {net.L: output_hessian(net, a[net.L], y)}
    for l in range(net.L, 1, -1):
        layer, M = net.layers[l - 1], layer_jacobian(net, a, l)
        H[l - 1] = M.T @ H[l] @ M
        if isinstance(layer, Nonlinear):
            H[l - 1] = H[l - 1] + block_diagonal(layer.curvatures(a[l - 1], dE_da[l]))
    return H


def sample_preactivation_gauss_newton(net: Network, x: Array, y: Any) -> PerLayer:
    """Equation (15s): script G_l = J_l^T G_L J_l, (C_l T_l, C_l T_l), of one datapoint, J_l = dvec(h_L) / dvec(a_l).

    The recursion is (8s) without the matrix D_l, and starts from script G_L. The matrix script G_L is script H_L, or
    the replacement of an indefinite script H_L.
    """
    a = forward(net, x)
    G = {net.L: output_gauss_newton(net, a[net.L], y)}
    for l in range(net.L, 1, -1):
        M = layer_jacobian(net, a, l)
        G[l - 1] = M.T @ G[l] @ M
    return G


def sample_roots(net: Network, x: Array, y: Any) -> PerLayer:
    """Equation (25s): roots C_l of one datapoint with script G_l = C_l C_l^T, from a root C_L of script G_L.

        C_{l-1} = M_l^T C_l

    The root C_l has a row for each entry of vec(a_l), and K columns. K is the number of columns of C_L: T_L times the
    number of columns of the root of one position.
    """
    return carried_back(net, x, output_root(net, forward(net, x)[net.L], y))


def carried_back(net: Network, x: Array, C_L: Array) -> PerLayer:
    """(dvec(h_L) / dvec(a_l))^T C_L for l = 1, ..., L, for any matrix C_L with a row for each entry of vec(h_L).

    Result l has a row for each entry of vec(a_l), and as many columns as C_L.
    """
    a = forward(net, x)
    C = {net.L: C_L}
    for l in range(net.L, 1, -1):
        C[l - 1] = layer_jacobian(net, a, l).T @ C[l]
    return C


def layer_jacobian(net: Network, a: PerLayer, l: int) -> Array:
    """M_l = dvec(a_l) / dvec(a_{l-1}), (C_l T_l, C_{l-1} T_{l-1}), for l > 1."""
    layer, below = net.layers[l - 1], a[l - 1]
    if isinstance(layer, Nonlinear):
        return block_diagonal(layer.jacobians(below))
    return layer_matrix(cast("Linear", layer), below)
