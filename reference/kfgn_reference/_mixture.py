"""Section 5.2: the mixture of two binary classifiers, equation (27), an objective with three outputs.

    p(y | h_L) = s A + (1 - s) C,    s = logistic(h_1), A = logistic(+-h_2), C = logistic(+-h_3)

where the upper signs are for y = 1 and the lower signs for y = 0. The mixture is not an exponential family: H_L depends
on y. H_L is **indefinite everywhere**, of rank 3 with exactly one negative eigenvalue (docs/errata.md contains the
proof).

Let r = s A / p(y | h_L) be the posterior probability of the first classifier, and let d be the gradient of
log(r / (1 - r)) with respect to h_L. Then

    H_L = diag(s (1 - s), r A (1 - A), (1 - r) C (1 - C)) - r (1 - r) d d^T
    d = (1, +-(1 - A), -+(1 - C))

The paper trains the mixture to a loss of about 1e-8. At this loss, all elements of H_L are small. If the code computed
an element as the difference of two nearly equal numbers, the element would lose its digits. The code therefore computes
each element as a product with a small factor.

>>> import numpy as np
>>> from kfgn_reference import mixture_probability
>>> float(mixture_probability(np.array([0.0, 0.0, 0.0]), 1))
0.5
"""

from typing import Any

import numpy as np

from ._arithmetic import diagonal, off_diagonal, one
from ._transfers import logistic, softplus
from ._types import Array


def sign(y: int) -> int:
    """+1 for y = 1 and -1 for y = 0."""
    return 2 * int(y) - 1


def probability(h: Array, y: int) -> Any:
    """Equation (27): p(y | h_L), a scalar, as a sum of positive terms."""
    t = sign(y)
    return logistic(h[0]) * logistic(t * h[1]) + logistic(-h[0]) * logistic(t * h[2])


def log_ratio(h: Array, y: int) -> Any:
    """log(A / C), from -log A = softplus(-+h_2) and -log C = softplus(-+h_3)."""
    t = sign(y)
    return softplus(-t * h[2]) - softplus(-t * h[1])


def cross_entropy(h: Array, y: int) -> Any:
    """-log p(y | h_L), a scalar: -log(1 - q) if the probability q of the other label is below 1/2.

    Otherwise the result is minus the log-sum-exp of the logarithms of the two terms of p.
    """
    q = probability(h, 1 - y)
    if 2 * q < 1:
        return -np.log1p(-q)
    t = sign(y)
    first = softplus(-h[0]) + softplus(-t * h[1])
    second = softplus(h[0]) + softplus(-t * h[2])
    return (first + second - abs(first - second)) / 2 - np.log1p(np.exp(-abs(first - second)))


def difference(h: Array, y: int) -> Any:
    """s - r = (1 - s) r (C / A - 1) = s (1 - r) (1 - A / C), computed in the form that cannot overflow."""
    w = log_ratio(h, y)
    if w > 0:
        return logistic(-h[0]) * logistic(h[0] + w) * np.expm1(-w)
    return -logistic(h[0]) * logistic(-h[0] - w) * np.expm1(w)


def gradient(h: Array, y: int) -> Array:
    """dE/dh_L = (s - r, -+r (1 - A), -+(1 - r) (1 - C)), (3,)."""
    t, z = sign(y), h[0] + log_ratio(h, y)
    return np.stack([difference(h, y), -t * logistic(z) * logistic(-t * h[1]), -t * logistic(-z) * logistic(-t * h[2])])


def hessian(h: Array, y: int) -> Array:
    """The true H_L (3, 3), by the formula at the top of the module.

    For Gauss-Newton matrices, `_outputs` replaces this H_L.
    """
    t, z = sign(y), h[0] + log_ratio(h, y)
    s, r, not_r = logistic(h[0]), logistic(z), logistic(-z)
    A, not_A = logistic(t * h[1]), logistic(-t * h[1])
    C, not_C = logistic(t * h[2]), logistic(-t * h[2])
    d = np.stack([one(z), t * not_A, -t * not_C])
    on = np.stack(
        [
            difference(h, y) * (not_r - s if 2 * r > 1 else logistic(-h[0]) - r),  # s (1 - s) - r (1 - r)
            r * not_A * (A - not_r * not_A),
            not_r * not_C * (C - r * not_C),
        ]
    )
    return diagonal(on) - r * not_r * np.outer(d, d) * off_diagonal(d)


def sample(h: Array, u: Any) -> int:
    """y = 1 if u < p(1 | h_L), else 0."""
    return int(u < probability(h, 1))
