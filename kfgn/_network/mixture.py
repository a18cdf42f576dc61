"""The mixture of two binary classifiers (27), p(y | h) = s A + (1 - s) C, whose H_L is indefinite at every h.

    s = sigma(h_1), A = sigma(t h_2), C = sigma(t h_3), t = 2 y - 1, for a label y of 0 or 1

Let r = s A / p be the responsibility of the first classifier. The logit of r is z = h_1 + w with w = log A - log C. The
derivatives of the loss are computed from logistic functions of z, h_1, t h_2 and t h_3. Each 1 - sigma(x) is computed
as sigma(-x), so that no digits are lost where a probability is near 1. h is (N, 3) and y is (..., N).
"""

from typing import NamedTuple

from .._types import Array, Namespace
from ..backends import index_dtype, with_derivative
from .indefinite_hessian import FullHessian
from .transfers import logistic, softplus


class _Parts(NamedTuple):
    """The terms of gradient and Hessian, each (..., N).

    The fields one_minus_r = 1 - r, one_minus_a = 1 - A and one_minus_c = 1 - C are computed without a subtraction.
    """

    t: Array
    w: Array
    z: Array
    r: Array
    one_minus_r: Array
    A: Array
    one_minus_a: Array
    C: Array
    one_minus_c: Array


def _sigma(xp: Namespace, x: Array) -> Array:
    return logistic(xp, x)[0]


def _sigma_derivative(xp: Namespace, x: Array) -> Array:
    return logistic(xp, x)[1]


def _sign(xp: Namespace, h: Array, y: Array) -> Array:
    """t = 2 y - 1."""
    return 2 * xp.astype(y, h.dtype) - 1


def _parts(xp: Namespace, h: Array, y: Array) -> _Parts:
    t = _sign(xp, h, y)
    a, c = t * h[..., 1], t * h[..., 2]
    w = softplus(xp, -c) - softplus(xp, -a)
    z = h[..., 0] + w
    return _Parts(t, w, z, *(_sigma(xp, x) for x in (z, -z, a, -a, c, -c)))


@with_derivative(lambda xp, x, t: _sigma_derivative(xp, x[0]) * t[0] - _sigma_derivative(xp, x[1]) * t[1])
def _difference(xp: Namespace, u: Array, v: Array, gap: Array) -> Array:
    """sigma(u) - sigma(v) without cancellation, from u, v and gap = u - v.

    The result is computed as sigma(u) sigma(-v) (1 - e^-gap) for gap >= 0, and -sigma(-u) sigma(v) (1 - e^gap) for gap
    < 0.
    """
    above = _sigma(xp, u) * _sigma(xp, -v)
    below = -_sigma(xp, -u) * _sigma(xp, v)
    return xp.where(gap >= 0, above, below) * -xp.expm1(-xp.abs(gap))


@with_derivative(lambda xp, x, t: xp.sum(gradient(xp, *x) * t[0], axis=-1))
def value(xp: Namespace, h: Array, y: Array) -> Array:
    """E = -log p(y | h).

    If q = 1 - p < 1/2, E is computed as log(1 + q/(1-q)), where q is computed as a sum of positive terms.
    """
    t = _sign(xp, h, y)
    h_1, a, c = h[..., 0], t * h[..., 1], t * h[..., 2]
    q = _sigma(xp, h_1) * _sigma(xp, -a) + _sigma(xp, -h_1) * _sigma(xp, -c)
    small_q = q < 0.5
    # for q >= 1/2, log p is the log of a sum of two exponentials; the larger is factored out, since both may underflow
    log_first = -softplus(xp, -h_1) - softplus(xp, -a)
    log_second = -softplus(xp, h_1) - softplus(xp, -c)
    log_p = xp.maximum(log_first, log_second) + xp.log1p(xp.exp(-xp.abs(log_first - log_second)))
    # log1p(q / (1 - q)) instead of -log1p(-q), since XLA's log1p has errors of 200 ulp for arguments near -0.4
    q = xp.where(small_q, q, xp.zeros_like(q))
    return xp.where(small_q, xp.log1p(q / (1 - q)), -log_p)


@with_derivative(lambda xp, x, t: FullHessian(hessian(xp, *x)).product(t[0]))
def gradient(xp: Namespace, h: Array, y: Array) -> Array:
    """dE/dh = (s - r, -t r (1 - A), -t (1 - r) (1 - C)), (..., N, 3)."""
    e = _parts(xp, h, y)
    s_minus_r = _difference(xp, h[..., 0], e.z, -e.w)
    return xp.stack([s_minus_r, -e.t * e.r * e.one_minus_a, -e.t * e.one_minus_r * e.one_minus_c], axis=-1)


def hessian(xp: Namespace, h: Array, y: Array) -> Array:
    """H_L = diag(s (1-s), r A (1-A), (1-r) C (1-C)) - r (1-r) d d^T with d = (1, t (1-A), -t (1-C)), (..., N, 3, 3)."""
    e = _parts(xp, h, y)
    h_1 = h[..., 0]
    # s (1-s) - r (1-r) = (s - r) (1 - s - r)
    H_11 = _difference(xp, h_1, e.z, -e.w) * _difference(xp, -h_1, e.z, -2 * h_1 - e.w)
    H_22 = e.r * e.one_minus_a * (e.A - e.one_minus_r * e.one_minus_a)
    H_33 = e.one_minus_r * e.one_minus_c * (e.C - e.r * e.one_minus_c)
    both = e.r * e.one_minus_r
    H_12, H_13, H_23 = -e.t * both * e.one_minus_a, e.t * both * e.one_minus_c, both * e.one_minus_a * e.one_minus_c
    rows = [[H_11, H_12, H_13], [H_12, H_22, H_23], [H_13, H_23, H_33]]
    return xp.stack([xp.stack(row, axis=-1) for row in rows], axis=-2)


def sample(xp: Namespace, h: Array, u: Array) -> Array:
    """Labels y: 1 if the uniform u (..., N) is below p(1 | h) = s sigma(h_2) + (1 - s) sigma(h_3), and 0 otherwise."""
    h_1 = h[..., 0]
    p = _sigma(xp, h_1) * _sigma(xp, h[..., 1]) + _sigma(xp, -h_1) * _sigma(xp, h[..., 2])
    return xp.astype(u < p, index_dtype(u))
