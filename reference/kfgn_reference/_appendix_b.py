"""Appendix B: the derivation of the recursion (8), expression by expression, equations (28)-(31).

`derivation` returns six of the eight expressions of (28), and the matrix form (29). All seven are equal. The product
rule turns each of the other two expressions of (28) into one of the six. Each of the six is computed from the
derivatives that occur in it. In the first three expressions, the second derivatives of E come from the R-operator,
and not from a recursion of matrices. The matrix form (29) is (8).

>>> from kfgn_reference import derivation
>>> from kfgn_reference._example import X, Y, net
>>> expressions = derivation(net, X[1], Y[1], 1)
>>> len(expressions), expressions[0].tolist(), expressions[-1].tolist()
(7, [[1.0, -2.0], [-2.0, 4.0]], [[1.0, -2.0], [-2.0, 4.0]])
"""

from typing import Any

import numpy as np

from ._arithmetic import one, zero
from ._gradient import backpropagate
from ._hessian import sample_preactivation_hessians
from ._network import Network, forward
from ._objectives import OBJECTIVES
from ._r_operator import jacobian_product, r_backward
from ._types import Array, PerLayer
from ._vectors import scaled, weights


def with_all_biases(net: Network) -> Network:
    """The same network with a bias in every layer: a column of zeros is appended to each W_l without a bias."""
    if net.biases is None:
        return net
    weights = [
        W if has_bias else np.append(W, zero(W[:, :1]), axis=1)
        for W, has_bias in zip(net.weights, net.biases, strict=True)
    ]
    return net._replace(weights=tuple(weights), biases=None)


def moves(net: Network, l: int, b: int) -> PerLayer:
    """The direction in parameter space that changes only the bias of [h_l]_b.

    Along this direction, every other pre-activation of layer l is constant.
    """
    V = scaled(0, weights(net))
    V[l] = V[l] + one(V[l]) * (np.arange(V[l].shape[1]) == V[l].shape[1] - 1) * (np.arange(len(V[l])) == b)[:, None]
    return V


def mixed_derivatives(net: Network, x: Array, y: Any, m: int, l: int) -> Array:
    """Equation (6), extended to two layers m >= l: d^2 E / d[h_m]_i d[h_l]_b, (D_m, D_l), for one datapoint.

    Column b is R{dE/dh_m} along the bias of [h_l]_b. A layer without a bias gets a bias of zero, so that this direction
    exists.
    """
    net = with_all_biases(net)
    _, h = forward(net, x)
    H_L = OBJECTIVES[net.objective].hessian(h[net.L], y)

    def along(V: PerLayer) -> Array:
        return r_backward(net, x, y, V, H_L @ jacobian_product(net, x, V))[m]

    return np.stack([along(moves(net, l, b)) for b in range(len(h[l]))], axis=1)


def derivation(net: Network, x: Array, y: Any, l: int) -> list[Array]:
    """Equation (28): six of its expressions for [script H_l]_{a,b}, l < L, and (29), as matrices (D_l, D_l).

    Misprint: the paper writes H_l instead of the element [H_l]_{a,b}, and in (31) dE/dx_a instead of dE/da_a. W is the
    matrix without its bias column.
    """
    _, h = forward(net, x)
    dE_dh = backpropagate(net, x, y)[l + 1]
    W = net.kernel(l + 1)
    first, second = net.f(l).first(h[l]), net.f(l).second(h[l])
    above = sample_preactivation_hessians(net, x, y)[l + 1]
    mixed = mixed_derivatives(net, x, y, l + 1, l)
    delta = np.eye(len(h[l]), dtype=bool)
    dh_dh = W * first  # d[h_{l+1}]_j / d[h_l]_b
    pairs = [(a, b) for a in range(len(h[l])) for b in range(len(h[l]))]
    I, J = range(len(W)), range(len(W))

    def matrix(element: Any) -> Array:
        return np.stack([element(a, b) for a, b in pairs]).reshape(delta.shape)

    return [
        # d/dh_b dE/dh_a
        mixed_derivatives(net, x, y, l, l),
        # sum_i d/dh_b (dE/dh_i dh_i/da_a da_a/dh_a), by the product rule
        matrix(lambda a, b: sum(mixed[i, b] * W[i, a] * first[a] for i in I))
        + matrix(lambda a, b: sum(dE_dh[i] * W[i, a] * (delta[a, b] * second[a]) for i in I)),
        # sum_i W_ia (da_a/dh_a d2E/dh_b dh_i + dE/dh_i d2a_a/dh_a dh_b)
        matrix(lambda a, b: sum(W[i, a] * (first[a] * mixed[i, b] + dE_dh[i] * delta[a, b] * second[a]) for i in I)),
        # sum_i W_ia (da_a/dh_a sum_j d2E/dh_j dh_i dh_j/dh_b + dE/dh_i delta_ab d2a_a/dh_a2)
        matrix(
            lambda a, b: sum(
                W[i, a] * (first[a] * sum(above[j, i] * dh_dh[j, b] for j in J) + dE_dh[i] * delta[a, b] * second[a])
                for i in I
            )
        ),
        # delta_ab d2a_a/dh_a2 (sum_i W_ia dE/dh_i) + sum_ij W_ia da_a/dh_a d2E/dh_j dh_i W_jb da_b/dh_b
        matrix(
            lambda a, b: (
                delta[a, b] * second[a] * sum(W[i, a] * dE_dh[i] for i in I)
                + sum(W[i, a] * first[a] * above[j, i] * W[j, b] * first[b] for i in I for j in J)
            )
        ),
        # the previous expression, with dE/da_a instead of its first sum
        matrix(
            lambda a, b: (
                delta[a, b] * second[a] * (W.T @ dE_dh)[a]
                + sum(W[i, a] * first[a] * above[j, i] * first[b] * W[j, b] for i in I for j in J)
            )
        ),
        matrix_form(net, x, y, l),
    ]


def elementwise_derivative_matrix(net: Network, x: Array, l: int) -> Array:
    """Equation (30): [B_l]_{a,a'} = delta_{a,a'} f'([h_l]_a), (D_l, D_l)."""
    _, h = forward(net, x)
    B = np.outer(zero(h[l]), zero(h[l]))
    for a, derivative in enumerate(net.f(l).first(h[l])):
        B[a, a] = derivative
    return B


def elementwise_second_derivative_matrix(net: Network, x: Array, y: Any, l: int) -> Array:
    """Equation (31): [D_l]_{a,a'} = delta_{a,a'} f''([h_l]_a) dE/d[a_l]_a, (D_l, D_l).

    Misprint: (31) writes dE/dx_a.
    """
    _, h = forward(net, x)
    dE_dh = backpropagate(net, x, y)[l + 1]
    D = np.outer(zero(h[l]), zero(h[l]))
    for a, second in enumerate(net.f(l).second(h[l])):
        D[a, a] = second * sum(net.kernel(l + 1)[i, a] * dE_dh[i] for i in range(len(dE_dh)))
    return D


def matrix_form(net: Network, x: Array, y: Any, l: int) -> Array:
    """Equation (29): script H_l = B_l W_{l+1}^T script H_{l+1} W_{l+1} B_l + D_l, from (30) and (31)."""
    above = sample_preactivation_hessians(net, x, y)[l + 1]
    B, D = elementwise_derivative_matrix(net, x, l), elementwise_second_derivative_matrix(net, x, y, l)
    W = net.kernel(l + 1)
    return B @ W.T @ above @ W @ B + D
