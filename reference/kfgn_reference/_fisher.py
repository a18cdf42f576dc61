"""Appendix D.1 and D.2: the Fisher matrix in its forms, equations (46)-(49) and (51).

Every form is a mean over the inputs x of the data. For each x, the mean over the labels y ~ p_theta(y | x) of the model
is exact (`_outcomes`). Gap: the paper does not define the p_theta(x, y) of (47) and later equations. Only y is from the
model, and x is from the data. Outer products of gradients at the labels of the data would give the empirical Fisher
matrix, which differs from the Fisher matrix.

>>> from kfgn_reference import fisher, gauss_newton
>>> from kfgn_reference._example import X, Y, net
>>> (fisher(net, X) == gauss_newton(net, X, Y)).all().item()
True
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ._batch import inputs
from ._expectation import mean
from ._gauss_newton import parameter_jacobian
from ._gradient import sample_gradient
from ._network import Network, forward
from ._objectives import OBJECTIVES
from ._outcomes import model_mean
from ._parameter_hessian import sample_hessian
from ._types import Array
from ._vectors import theta


def over_inputs_and_labels(net: Network, X: Array, f: Callable[[Array, Any], Array]) -> Array:
    """The mean of f(x, y) over the N inputs and the labels of the model, where f is at most quadratic in y."""
    return mean(model_mean(net, outputs(net, x), partial(f, x)) for x in inputs(net, X))


def fisher(net: Network, X: Array) -> Array:
    """Equations (46), first form, and (47): E[grad log p grad log p^T], with gradients in theta, mean over N."""

    def outer(x: Array, y: Any) -> Array:
        g = theta(sample_gradient(net, x, y))
        return np.outer(g, g)

    return over_inputs_and_labels(net, X, outer)


def fisher_from_hessians(net: Network, X: Array) -> Array:
    """Equation (46), second form: -E[grad grad log p], the Hessian (2) averaged over labels of the model and over N."""
    return over_inputs_and_labels(net, X, partial(sample_hessian, net))


def output_fisher(net: Network, h_L: Array, y: Any) -> Array:
    """Equation (48): script F_L = grad log p grad log p^T, (D_L, D_L), with gradients in h_L, at one label."""
    g = OBJECTIVES[net.objective].gradient(h_L, y)
    return np.outer(g, g)


def mean_output_fisher(net: Network, h_L: Array) -> Array:
    """E[script F_L] over p_theta(y | x), (D_L, D_L), for one datapoint."""
    return model_mean(net, h_L, partial(output_fisher, net, h_L))


def fisher_from_outputs(net: Network, X: Array) -> Array:
    """Equation (49): E[J^T script F_L J], J = dh_L/dtheta, mean over N and over the labels of the model."""
    return over_inputs_and_labels(net, X, lambda x, y: through(net, x, output_fisher(net, outputs(net, x), y)))


def fisher_from_output_hessians(net: Network, X: Array) -> Array:
    """Equation (51): E[J^T E[script H_L] J], with the inner mean over p_theta(y | x) and the outer mean over N.

    If H_L does not depend on y, (51) is the Gauss-Newton matrix (13), (50). For the mixture (27), (51) is not the
    Gauss-Newton matrix.
    """
    H = OBJECTIVES[net.objective].hessian

    def sample(x: Array) -> Array:
        h_L = outputs(net, x)
        return through(net, x, model_mean(net, h_L, partial(H, h_L)))

    return mean(sample(x) for x in inputs(net, X))


def outputs(net: Network, x: Array) -> Array:
    """h_L (D_L,) of one datapoint."""
    return forward(net, x)[1][net.L]


def through(net: Network, x: Array, M: Array) -> Array:
    """J^T M J with J = dh_L/dtheta of one datapoint, for a matrix M (D_L, D_L)."""
    J = np.concatenate(list(parameter_jacobian(net, x).values()), axis=1)
    return J.T @ M @ J
