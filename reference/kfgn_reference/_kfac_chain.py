"""Appendix D.3: the equalities that lead to KFAC, equations (55)-(62), with each side computed as printed.

(55)-(59) are five expressions for E[script G_l], in dictionaries with keys l. (60)-(62) are three expressions for the
blocks of the Fisher matrix between layers, in dictionaries with keys (l, m). All expressions are means over the N
datapoints, and means over labels of the model are exact (`_outcomes`). For the mixture (27), whose H_L depends on y,
(55) differs from (56)-(59).

>>> from kfgn_reference import mean_from_gradients, mean_from_jacobians
>>> from kfgn_reference._example import X, Y, net
>>> mean_from_jacobians(net, X, Y)[1].tolist(), mean_from_gradients(net, X)[1].tolist()
([[0.5, -1.0], [-1.0, 4.0]], [[0.5, -1.0], [-1.0, 4.0]])
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ._batch import datapoints, inputs
from ._expectation import expectation
from ._fisher import mean_output_fisher, output_fisher, outputs
from ._gauss_newton import jacobians
from ._gradient import backpropagate, sample_gradient
from ._khatri_rao import layer_pairs
from ._network import Network, forward
from ._objectives import OBJECTIVES
from ._outcomes import OUTCOMES
from ._outputs import output_gauss_newton
from ._types import Array, Blocks, PerLayer
from ._vectors import vec

SampleFunction = Callable[[Network, Array, Any], dict[Any, Array]]


def over_labels(sample: SampleFunction, net: Network, X: Array) -> dict[Any, Array]:
    """The mean of sample(net, x, y) over the N inputs and over the labels of the model."""

    def of_datapoint(x: Array) -> dict[Any, Array]:
        weighted = [(p, sample(net, x, y)) for y, p in OUTCOMES[net.objective](outputs(net, x))]
        return {key: sum(p * value[key] for p, value in weighted) for key in weighted[0][1]}

    return expectation(of_datapoint(x) for x in inputs(net, X))


def mean_from_jacobians(net: Network, X: Array, Y: Array) -> PerLayer:
    """Equation (55): E[J_l^T script H_L J_l], J_l = dh_L/dh_l, (D_l, D_l)."""

    def sample(x: Array, y: Any) -> PerLayer:
        J = jacobians(net, x)
        return {l: J[l].T @ output_gauss_newton(net, outputs(net, x), y) @ J[l] for l in J}

    return expectation(sample(x, y) for x, y in datapoints(net, X, Y))


def mean_from_expected_fisher(net: Network, X: Array) -> PerLayer:
    """Equation (56): E[J_l^T E[script F_L] J_l], (D_l, D_l), with the inner mean over p_theta(y | x)."""

    def sample(x: Array) -> PerLayer:
        J = jacobians(net, x)
        return {l: J[l].T @ mean_output_fisher(net, outputs(net, x)) @ J[l] for l in J}

    return expectation(sample(x) for x in inputs(net, X))


def mean_from_fisher(net: Network, X: Array) -> PerLayer:
    """Equation (57): E[J_l^T script F_L J_l], (D_l, D_l), with one mean over x and y."""

    def sample(net: Network, x: Array, y: Any) -> PerLayer:
        J = jacobians(net, x)
        return {l: J[l].T @ output_fisher(net, outputs(net, x), y) @ J[l] for l in J}

    return over_labels(sample, net, X)


def mean_from_output_gradients(net: Network, X: Array) -> PerLayer:
    """Equation (58): E[J_l^T grad log p grad log p^T J_l], (D_l, D_l), with gradients with respect to h_L."""

    def sample(net: Network, x: Array, y: Any) -> PerLayer:
        J = jacobians(net, x)
        g = OBJECTIVES[net.objective].gradient(outputs(net, x), y)[:, None]
        return {l: (J[l].T @ g) @ (g.T @ J[l]) for l in J}

    return over_labels(sample, net, X)


def mean_from_gradients(net: Network, X: Array) -> PerLayer:
    """Equation (59): E[grad log p grad log p^T], (D_l, D_l), with gradients with respect to h_l.

    The mean over y is exact, whereas `kfac` estimates this mean from samples.
    """

    def sample(net: Network, x: Array, y: Any) -> PerLayer:
        d = backpropagate(net, x, y)
        return {l: np.outer(d[l], d[l]) for l in d}

    return over_labels(sample, net, X)


def fisher_from_weight_gradients(net: Network, X: Array) -> Blocks:
    """Equation (60): E[grad_l log p grad_m log p^T], where grad_l is with respect to vec(W_l)."""

    def sample(net: Network, x: Array, y: Any) -> Blocks:
        g = sample_gradient(net, x, y)
        return {(l, m): np.outer(vec(g[l]), vec(g[m])) for l, m in layer_pairs(net)}

    return over_labels(sample, net, X)


def fisher_from_kronecker_vectors(net: Network, X: Array) -> Blocks:
    """Equation (61): E[(a_{l-1} kron grad_l)(a_{m-1} kron grad_m)^T]. grad_l is the gradient of log p in h_l."""

    def sample(net: Network, x: Array, y: Any) -> Blocks:
        a, _ = forward(net, x)
        d = backpropagate(net, x, y)
        v = {l: np.kron(net.with_unit(l, a[l - 1]), d[l]) for l in d}
        return {(l, m): np.outer(v[l], v[m]) for l, m in layer_pairs(net)}

    return over_labels(sample, net, X)


def fisher_from_kronecker_products(net: Network, X: Array) -> Blocks:
    """Equation (62): E[(a_{l-1} a_{m-1}^T) kron (grad_l grad_m^T)]. grad_l is the gradient of log p in h_l."""

    def sample(net: Network, x: Array, y: Any) -> Blocks:
        a, _ = forward(net, x)
        d = backpropagate(net, x, y)
        return {
            (l, m): np.kron(np.outer(net.with_unit(l, a[l - 1]), net.with_unit(m, a[m - 1])), np.outer(d[l], d[m]))
            for l, m in layer_pairs(net)
        }

    return over_labels(sample, net, X)
