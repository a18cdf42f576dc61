"""Pearlmutter's R-operator: the derivative of the forward and the backward pass along a direction V, step by step.

R{g} is the derivative of g with respect to r at r = 0, where g is computed with the weights W_l + r V_l. The R-operator
gives products with the Jacobian, the Gauss-Newton matrix and the Hessian for the cost of a few passes, and forms none
of these matrices. Appendix C.2 needs the R-operator for (41), and Appendix D.2 needs it for conjugate gradients.

>>> from kfgn_reference import gradient, gauss_newton_product
>>> from kfgn_reference._example import X, Y, net
>>> gauss_newton_product(net, X, Y, gradient(net, X, Y))[2].tolist()
[[-156.5, -851.0, -123.25]]
"""

from typing import Any

import numpy as np

from ._arithmetic import zero
from ._batch import datapoints
from ._expectation import expectation
from ._gradient import backpropagate
from ._network import Network, forward
from ._objectives import OBJECTIVES
from ._outputs import output_gauss_newton
from ._types import Array, PerLayer


def r_forward(net: Network, x: Array, V: PerLayer) -> tuple[PerLayer, PerLayer]:
    """R{a_l} and R{h_l} (D_l,) of one datapoint, with the keys of `forward`:

    R{h_l} = V_l a_{l-1} + W_l R{a_{l-1}},    R{a_l} = f'(h_l) * R{h_l},    R{a_0} = 0
    """
    a, h = forward(net, x)
    Ra, Rh = {0: zero(x)}, {}
    for l in range(1, net.L + 1):
        Rh[l] = V[l] @ net.with_unit(l, a[l - 1]) + net.weights[l - 1] @ net.with_zero(l, Ra[l - 1])
        if l < net.L:
            Ra[l] = net.f(l).first(h[l]) * Rh[l]
    return Ra, Rh


def jacobian_product(net: Network, x: Array, V: PerLayer) -> Array:
    """J V = R{h_L} (D_L,), J = dh_L/dtheta of one datapoint."""
    return r_forward(net, x, V)[1][net.L]


def transposed_jacobian_product(net: Network, x: Array, u: Array) -> PerLayer:
    """J^T u (D_l, D_{l-1} + 1) of one datapoint: the backward pass (3) with u (D_L,) instead of dE/dh_L."""
    a, h = forward(net, x)
    carried = {net.L: u}
    for l in range(net.L - 1, 0, -1):
        carried[l] = net.f(l).first(h[l]) * (net.kernel(l + 1).T @ carried[l + 1])
    return {l: np.outer(carried[l], net.with_unit(l, a[l - 1])) for l in carried}


def r_backward(net: Network, x: Array, y: Any, V: PerLayer, RdE_dh_L: Array) -> PerLayer:
    """R{dE/dh_l} (D_l,) for every layer of one datapoint, from a given R{dE/dh_L}:

    R{dE/da_l} = V_{l+1}^T dE/dh_{l+1} + W_{l+1}^T R{dE/dh_{l+1}}
    R{dE/dh_l} = f''(h_l) * R{h_l} * dE/da_l + f'(h_l) * R{dE/da_l}

    In these two formulas, V and W are without their bias columns.
    """
    _, h = forward(net, x)
    _, Rh = r_forward(net, x, V)
    dE_dh = backpropagate(net, x, y)
    RdE_dh = {net.L: RdE_dh_L}
    for l in range(net.L - 1, 0, -1):
        W, f = net.kernel(l + 1), net.f(l)
        dE_da = W.T @ dE_dh[l + 1]
        RdE_da = net.without_bias(l + 1, V[l + 1]).T @ dE_dh[l + 1] + W.T @ RdE_dh[l + 1]
        RdE_dh[l] = f.second(h[l]) * Rh[l] * dE_da + f.first(h[l]) * RdE_da
    return RdE_dh


def r_gradient(net: Network, x: Array, y: Any, V: PerLayer, RdE_dh_L: Array) -> PerLayer:
    """R{dE/dW_l} = R{dE/dh_l} a_{l-1}^T + dE/dh_l R{a_{l-1}}^T, the R-operator of (3), from a given R{dE/dh_L}."""
    a, _ = forward(net, x)
    Ra, _ = r_forward(net, x, V)
    dE_dh = backpropagate(net, x, y)
    RdE_dh = r_backward(net, x, y, V, RdE_dh_L)
    return {
        l: np.outer(RdE_dh[l], net.with_unit(l, a[l - 1])) + np.outer(dE_dh[l], net.with_zero(l, Ra[l - 1]))
        for l in RdE_dh
    }


def sample_hessian_product(net: Network, x: Array, y: Any, V: PerLayer) -> PerLayer:
    """The Hessian (2) of one datapoint times V: the R-operator of backpropagation, with R{dE/dh_L} = H_L R{h_L}."""
    _, h = forward(net, x)
    H_L = OBJECTIVES[net.objective].hessian(h[net.L], y)
    return r_gradient(net, x, y, V, H_L @ jacobian_product(net, x, V))


def sample_gauss_newton_product(net: Network, x: Array, y: Any, V: PerLayer) -> PerLayer:
    """The Gauss-Newton matrix (12) of one datapoint times V: J^T (script G_L (J V))."""
    _, h = forward(net, x)
    G_L = output_gauss_newton(net, h[net.L], y)
    return transposed_jacobian_product(net, x, G_L @ jacobian_product(net, x, V))


def hessian_product(net: Network, X: Array, Y: Array, V: PerLayer) -> PerLayer:
    """The expected Hessian times V, mean over the N datapoints."""
    return expectation(sample_hessian_product(net, x, y, V) for x, y in datapoints(net, X, Y))


def gauss_newton_product(net: Network, X: Array, Y: Array, V: PerLayer) -> PerLayer:
    """The expected Gauss-Newton matrix (13) times V, mean over the N datapoints."""
    return expectation(sample_gauss_newton_product(net, x, y, V) for x, y in datapoints(net, X, Y))
