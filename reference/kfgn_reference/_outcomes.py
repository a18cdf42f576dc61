"""The possible labels of the model and their probabilities: the mean over p_theta(y | x) as a finite sum.

Discrete labels are enumerated. For the squared error y is normal with mean h_L, and the paper takes means only of
functions that are at most quadratic in y. The 2^D_L points h_L + z with z in {-1, 1}^D_L have the mean and the
covariance of y. The mean of a quadratic function over these points therefore equals the mean over y. The points contain
no square root, so that rationals stay rational.

>>> import numpy as np
>>> from kfgn_reference import model_mean
>>> from kfgn_reference._example import net
>>> model_mean(net, np.array([3.0]), lambda y: np.outer(y, y)).tolist()
[[10.0]]
"""

import functools
import operator
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np

from ._arithmetic import one, rational
from ._mixture import probability
from ._network import Network
from ._objectives import softmax
from ._transfers import logistic
from ._types import Array

Outcomes = Iterator[tuple[Any, Any]]

SIGNS = np.int8
"""The dtype of arrays of -1, 0 and 1. The product of int8 and float32 is float32, whereas int64 would give float64."""


def squared_error_outcomes(h: Array) -> Outcomes:
    """The labels h + z for every sign vector z, each with probability 2^-D_L."""
    for z in product((-1, 1), repeat=len(h)):
        yield h + np.array(z, dtype=SIGNS), rational(1, 2 ** len(h), h[0])


def bernoulli_outcomes(h: Array) -> Outcomes:
    """Every y in {0, 1}^D_L with its probability, the product of p_i over y_i = 1 and of 1 - p_i over y_i = 0."""
    for y in product((0, 1), repeat=len(h)):
        label = np.array(y, dtype=SIGNS)
        yield one(h) * label, np.prod(logistic((2 * label - 1) * h))


def categorical_outcomes(h: Array) -> Outcomes:
    """Every class, with its softmax probability."""
    yield from enumerate(softmax(h))


def mixture_outcomes(h: Array) -> Outcomes:
    """The labels 0 and 1, with their probabilities (27)."""
    yield from ((y, probability(h, y)) for y in (0, 1))


OUTCOMES: dict[str, Callable[[Array], Outcomes]] = {
    "squared_error": squared_error_outcomes,
    "bernoulli": bernoulli_outcomes,
    "categorical": categorical_outcomes,
    "mixture": mixture_outcomes,
}


def model_mean(net: Network, h_L: Array, f: Callable[[Any], Array]) -> Array:
    """E[f(y)] over p_theta(y | x), for one datapoint with outputs h_L (D_L,) and f at most quadratic in y."""
    return functools.reduce(operator.add, (p * f(y) for y, p in OUTCOMES[net.objective](h_L)))
