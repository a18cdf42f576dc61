"""The objectives E(h_L, y), each the negative log-likelihood of a distribution p(y | h_L), up to a constant.

The distributions of the squared error and of the two cross-entropies are exponential families with the natural
parameters h_L, so H_L is positive semi-definite and does not depend on y (Appendix D.2). The H_L of the mixture is
indefinite and depends on y, see `_mixture`. Losses are summed over the outputs of one datapoint and averaged over
datapoints.

>>> import numpy as np
>>> from kfgn_reference import OBJECTIVES
>>> E = OBJECTIVES["squared_error"]
>>> h, y = np.array([3.0, 1.0]), np.array([1.0, 2.0])
>>> float(E.value(h, y)), E.gradient(h, y).tolist(), E.hessian(h, y).tolist()
(2.5, [2.0, -1.0], [[1.0, 0.0], [0.0, 1.0]])
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from . import _mixture as mixture
from ._arithmetic import diagonal, off_diagonal, one, zero
from ._batch import datapoints
from ._expectation import mean
from ._named import Named
from ._network import Network, forward
from ._transfers import logistic, logistic_first, softplus
from ._types import Array


class Objective(NamedTuple):
    """E, its derivatives and its distribution, for one datapoint with outputs h = h_L (D_L,).

    value(h, y)     E, a scalar
    gradient(h, y)  dE/dh_L, (D_L,)
    hessian(h, y)   script H_L = d^2 E / dh_L^2, (D_L, D_L), the start of (8)
    root(h, y)      a root C_L (D_L, K) of H_L, so that C_L C_L^T = H_L. The paper gives no root. The field is None if
                    H_L is indefinite
    sample(h, draw) y ~ p(y | h_L), computed from a given draw
    """

    value: Callable[[Array, Any], Any]
    gradient: Callable[[Array, Any], Array]
    hessian: Callable[[Array, Any], Array]
    root: Callable[[Array, Any], Array] | None
    sample: Callable[[Array, Any], Any]


# Squared error: y (D_L,) is normal with mean h_L and unit variance. A draw is D_L standard normals.
# Choice: Section 2.1 writes (h_L - y)^2, and footnote 5 has a factor 1/2. The code has the factor 1/2, so H_L = I.


def squared_error(h: Array, y: Array) -> Any:
    """|h - y|^2 / 2."""
    return (h - y) @ (h - y) / 2


def identity_matrix(h: Array, _y: Array) -> Array:
    """H_L = I (D_L, D_L), which is its own root."""
    return diagonal(one(h))


# Bernoulli cross-entropy: y (D_L,) is in [0, 1], and p = logistic(h_L), so that 1 - p = logistic(-h_L). A draw is D_L
# uniforms in [0, 1).


def bernoulli_cross_entropy(h: Array, y: Array) -> Any:
    """-sum_i (y_i log p_i + (1 - y_i) log(1 - p_i)), where -log p = softplus(-h)."""
    return np.sum(y * softplus(-h) + (1 - y) * softplus(h))


def bernoulli_gradient(h: Array, y: Array) -> Array:
    """p - y, computed as (1 - y) p - y (1 - p) so that no digits are lost where y is 0 or 1 and p is nearly y."""
    return (1 - y) * logistic(h) - y * logistic(-h)


def bernoulli_sample(h: Array, u: Array) -> Array:
    """y_i = 1 where u_i < p_i, else 0."""
    return np.where(u < logistic(h), one(h), zero(h))


# Categorical cross-entropy: y is the index of a class, and p = softmax(h_L). A draw is one uniform.


def softmax(h: Array) -> Array:
    """p_i = e^h_i / sum_j e^h_j."""
    e = np.exp(h - np.max(h))
    return e / np.sum(e)


def categorical_cross_entropy(h: Array, y: int) -> Any:
    """-log p_y = h_k - h_y + log(1 + sum_{j != k} e^(h_j - h_k)) for any k, computed for the largest output h_k."""
    k = np.argmax(h)
    return h[k] - h[y] + np.log1p(np.sum(np.exp(np.delete(h, k) - h[k])))


def others(p: Array) -> Array:
    """1 - p_i, computed as sum_{j != i} p_j so that no digits are lost where p_i is nearly 1."""
    return off_diagonal(p) @ p


def categorical_gradient(h: Array, y: int) -> Array:
    """p - e_y, with e_y the unit vector of the class."""
    p = softmax(h)
    return np.where(np.arange(len(h)) == y, -others(p), p)


def categorical_hessian(h: Array, _y: int) -> Array:
    """diag(p) - p p^T, with p_i (1 - p_i) on the diagonal."""
    p = softmax(h)
    return diagonal(p * others(p)) - np.outer(p, p) * off_diagonal(p)


def categorical_root(h: Array, _y: int) -> Array:
    """diag(sqrt p) - p sqrt(p)^T, of rank D_L - 1. The matrix diag(sqrt p) alone would lose the term -p p^T."""
    p = softmax(h)
    return diagonal(np.sqrt(p) * others(p)) - np.outer(p, np.sqrt(p)) * off_diagonal(p)


def categorical_sample(h: Array, u: Any) -> int:
    """The first class y with u < p_0 + ... + p_y, or the last class if no sum is above u because of rounding."""
    return min(int(np.sum(np.cumsum(softmax(h)) <= u)), len(h) - 1)


OBJECTIVES: dict[str, Objective] = Named(
    "objective",
    {
        "squared_error": Objective(
            value=squared_error,
            gradient=lambda h, y: h - y,
            hessian=identity_matrix,
            root=identity_matrix,
            sample=lambda h, z: h + z,
        ),
        "bernoulli": Objective(
            value=bernoulli_cross_entropy,
            gradient=bernoulli_gradient,
            hessian=lambda h, y: diagonal(logistic_first(h)),
            root=lambda h, y: diagonal(np.sqrt(logistic_first(h))),
            sample=bernoulli_sample,
        ),
        "categorical": Objective(
            value=categorical_cross_entropy,
            gradient=categorical_gradient,
            hessian=categorical_hessian,
            root=categorical_root,
            sample=categorical_sample,
        ),
        "mixture": Objective(
            value=mixture.cross_entropy,
            gradient=mixture.gradient,
            hessian=mixture.hessian,
            root=None,
            sample=mixture.sample,
        ),
    },
)


def loss(net: Network, X: Array, Y: Array) -> Any:
    """The expected loss of Section 2.1, a scalar: E averaged over the N rows of X (N, D_0)."""
    E = OBJECTIVES[net.objective].value
    return mean(E(forward(net, x)[1][net.L], y) for x, y in datapoints(net, X, Y))
