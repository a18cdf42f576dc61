"""Appendix D.2: exponential families whose natural parameters are the outputs h_L, equations (52)-(54).

    log p(y | x, theta) = log h(y) + T(y)^T h_L - log Z(h_L)

The functions are written in the usual form of each family, and share no code with `_objectives`. The mixture (27) is
missing, since it is not an exponential family.

>>> import numpy as np
>>> from kfgn_reference import log_likelihood_gradient
>>> log_likelihood_gradient("bernoulli", np.array([0.0, 0.0]), np.array([1.0, 0.0])).tolist()
[0.5, -0.5]
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ._arithmetic import diagonal, one
from ._types import Array


class ExponentialFamily(NamedTuple):
    """The terms of (52) and the first two derivatives of log Z, as functions of h = h_L (D_L,) and of y.

    log_base(y)          log h(y) of (52), where h(y) is the base measure. The constant of the normal distribution is
                         omitted, as in the objective
    statistic(y, h)      T(y) (D_L,), in the arithmetic of h
    log_partition(h)     log Z
    mean(h)              grad log Z = E[T(y)], (D_L,)
    covariance(h)        grad grad log Z = Cov[T(y)], (D_L, D_L)
    """

    log_base: Callable[[Any], Any]
    statistic: Callable[[Any, Array], Array]
    log_partition: Callable[[Array], Any]
    mean: Callable[[Array], Array]
    covariance: Callable[[Array], Array]


def class_mean(h: Array) -> Array:
    """e^h_i / sum_j e^h_j, the probabilities of the classes (D_L,)."""
    return np.exp(h) / np.sum(np.exp(h))


def bernoulli_mean(h: Array) -> Array:
    """e^h / (1 + e^h), elementwise."""
    return np.exp(h) / (1 + np.exp(h))


EXPONENTIAL_FAMILIES: dict[str, ExponentialFamily] = {
    "squared_error": ExponentialFamily(  # the normal distribution of unit variance
        log_base=lambda y: -y @ y / 2,
        statistic=lambda y, h: y,
        log_partition=lambda h: h @ h / 2,
        mean=lambda h: h,
        covariance=lambda h: diagonal(one(h)),
    ),
    "bernoulli": ExponentialFamily(
        log_base=lambda y: 0,
        statistic=lambda y, h: y,
        log_partition=lambda h: np.sum(np.log(1 + np.exp(h))),
        mean=bernoulli_mean,
        covariance=lambda h: diagonal(bernoulli_mean(h) * (1 - bernoulli_mean(h))),
    ),
    "categorical": ExponentialFamily(
        log_base=lambda y: 0,
        statistic=lambda y, h: one(h) * (np.arange(len(h)) == y),
        log_partition=lambda h: np.log(np.sum(np.exp(h))),
        mean=class_mean,
        covariance=lambda h: diagonal(class_mean(h)) - np.outer(class_mean(h), class_mean(h)),
    ),
}


def log_likelihood(objective: str, h: Array, y: Any) -> Any:
    """Equation (52): log p(y | h_L) = log h(y) + T(y)^T h_L - log Z(h_L).

    The constant -D_L / 2 log(2 pi) of the normal distribution is omitted.
    """
    family = EXPONENTIAL_FAMILIES[objective]
    return family.log_base(y) + family.statistic(y, h) @ h - family.log_partition(h)


def log_likelihood_gradient(objective: str, h: Array, y: Any) -> Array:
    """Equation (53): the gradient of (52) in h_L, T(y) - grad log Z(h_L), (D_L,)."""
    family = EXPONENTIAL_FAMILIES[objective]
    return family.statistic(y, h) - family.mean(h)


def log_partition_hessian(objective: str, h: Array) -> Array:
    """Equation (54): H_L = grad grad log Z(h_L), (D_L, D_L), which does not depend on y."""
    return EXPONENTIAL_FAMILIES[objective].covariance(h)
