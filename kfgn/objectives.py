"""The objectives E(h_L, y), each the negative log-likelihood of a distribution p(y | h_L).

A loss is summed over the outputs of a datapoint. Here h is (..., N, D_L): leading axes, where there
are any, are further labels of the same datapoints, as KFAC samples them.
"""

from collections.abc import Callable
from typing import NamedTuple

from ._types import Array, Namespace
from .backends import device
from .transfers import logistic, softplus


class Objective(NamedTuple):
    """What the curvature needs to know of an objective.

    value(xp, h, y)      E of each datapoint, (..., N)
    gradient(xp, h, y)   dE/dh_L, (..., N, D_L)
    hessian(xp, h)       H_L of each datapoint, (N, D_L, D_L)
    mean_hessian(xp, h)  E[H_L], (D_L, D_L), without the N matrices it averages
    root_rows(xp, h, M)  C^T M for a root C (D_L, K) of H_L = C C^T and a matrix M (D_L, D): (N, K, D). The roots
                         are known in closed form, so this costs no product of matrices
    sample(xp, h, draw)  labels y ~ p(y | h_L), made from given draws
    classes              whether y is the index of a class, (..., N), and not a vector, (..., N, D_L)
    target_range         the values that y may take, where they are bounded
    """

    value: Callable[[Namespace, Array, Array], Array]
    gradient: Callable[[Namespace, Array, Array], Array]
    hessian: Callable[[Namespace, Array], Array]
    mean_hessian: Callable[[Namespace, Array], Array]
    root_rows: Callable[[Namespace, Array, Array], Array]
    sample: Callable[[Namespace, Array, Array], Array]
    classes: bool = False
    target_range: tuple[float, float] | None = None


def identity_like(xp: Namespace, D: int, h: Array) -> Array:
    """The identity (D, D) in the dtype and on the device of h."""
    return xp.eye(D, dtype=h.dtype, device=device(h))


def diagonal(xp: Namespace, v: Array) -> Array:
    """diag(v): (..., D) to (..., D, D)."""
    return v[..., None] * identity_like(xp, v.shape[-1], v)


# Squared error: |h - y|^2 / 2, y normal with mean h and unit variance, H_L = I.


def _squared_error(xp: Namespace, h: Array, y: Array) -> Array:
    return xp.vecdot(h - y, h - y) / 2


def _squared_error_hessian(xp: Namespace, h: Array) -> Array:
    return diagonal(xp, xp.ones_like(h))


def _squared_error_mean_hessian(xp: Namespace, h: Array) -> Array:
    return identity_like(xp, h.shape[-1], h)


def _squared_error_root_rows(xp: Namespace, h: Array, M: Array) -> Array:
    return xp.broadcast_to(M[None, :, :], (h.shape[0], *M.shape))


# Bernoulli cross-entropy on logits, p = logistic(h) and 1 - p = logistic(-h): H_L = diag(p (1 - p)).


def _bernoulli(xp: Namespace, h: Array, y: Array) -> Array:
    return xp.sum(y * softplus(xp, -h) + (1 - y) * softplus(xp, h), axis=-1)


def _bernoulli_gradient(xp: Namespace, h: Array, y: Array) -> Array:
    # p - y, with its digits kept where p is nearly y
    return (1 - y) * logistic(xp, h)[0] - y * logistic(xp, -h)[0]


def _bernoulli_hessian(xp: Namespace, h: Array) -> Array:
    return diagonal(xp, logistic(xp, h)[1])


def _bernoulli_mean_hessian(xp: Namespace, h: Array) -> Array:
    return diagonal(xp, xp.mean(logistic(xp, h)[1], axis=0))


def _bernoulli_root_rows(xp: Namespace, h: Array, M: Array) -> Array:
    return xp.sqrt(logistic(xp, h)[1])[:, :, None] * M[None, :, :]


def _bernoulli_sample(xp: Namespace, h: Array, u: Array) -> Array:
    return xp.astype(u < logistic(xp, h)[0], h.dtype)


# Categorical cross-entropy on logits, p = softmax(h): H_L = diag(p) - p p^T. What a confident p would
# cancel is written with 1 - p_i = sum_{j != i} p_j.


def softmax(xp: Namespace, h: Array) -> Array:
    """e^h / sum e^h over the last axis."""
    e = xp.exp(h - xp.max(h, axis=-1, keepdims=True))
    return e / xp.sum(e, axis=-1, keepdims=True)


def _off_diagonal(xp: Namespace, h: Array) -> Array:
    return 1 - identity_like(xp, h.shape[-1], h)


def _others(xp: Namespace, p: Array) -> Array:
    return p @ _off_diagonal(xp, p)


def _is_class(xp: Namespace, h: Array, y: Array) -> Array:
    """Which output is that of the class y: (..., N, D_L) from (..., N)."""
    return y[..., None] == xp.arange(h.shape[-1], dtype=y.dtype, device=device(h))


def _categorical(xp: Namespace, h: Array, y: Array) -> Array:
    # h_k - h_y + log(1 + sum_{j != k} e^(h_j - h_k)), with k the class of the largest output
    zero = xp.zeros_like(h)
    largest = _is_class(xp, h, xp.argmax(h, axis=-1))
    h = h - xp.max(h, axis=-1, keepdims=True)
    others = xp.sum(xp.where(largest, zero, xp.exp(h)), axis=-1)
    return xp.log1p(others) - xp.sum(xp.where(_is_class(xp, h, y), h, zero), axis=-1)


def _categorical_gradient(xp: Namespace, h: Array, y: Array) -> Array:
    # p - e_y
    p = softmax(xp, h)
    return xp.where(_is_class(xp, h, y), -_others(xp, p), p)


def _categorical_hessian(xp: Namespace, h: Array) -> Array:
    p = softmax(xp, h)
    return diagonal(xp, p * _others(xp, p)) - p[:, :, None] * p[:, None, :] * _off_diagonal(xp, p)


def _categorical_mean_hessian(xp: Namespace, h: Array) -> Array:
    p = softmax(xp, h)
    return diagonal(xp, xp.mean(p * _others(xp, p), axis=0)) - p.T @ p / p.shape[0] * _off_diagonal(xp, p)


def _categorical_root_rows(xp: Namespace, h: Array, M: Array) -> Array:
    # C = diag(sqrt p) - p sqrt(p)^T: row k of C^T M is sqrt(p_k) (M_k - p^T M)
    p = softmax(xp, h)
    return xp.sqrt(p)[:, :, None] * (M[None, :, :] - (p @ M)[:, None, :])


def _categorical_sample(xp: Namespace, h: Array, u: Array) -> Array:
    above = u[..., None] < xp.cumulative_sum(softmax(xp, h), axis=-1)
    y = xp.argmax(xp.astype(above, h.dtype), axis=-1)
    return xp.where(xp.any(above, axis=-1), y, xp.full_like(y, h.shape[-1] - 1))  # rounding may leave the sum below u


OBJECTIVES: dict[str, Objective] = {
    "squared_error": Objective(
        value=_squared_error,
        gradient=lambda xp, h, y: h - y,
        hessian=_squared_error_hessian,
        mean_hessian=_squared_error_mean_hessian,
        root_rows=_squared_error_root_rows,
        sample=lambda xp, h, z: h + z,
    ),
    "bernoulli": Objective(
        value=_bernoulli,
        gradient=_bernoulli_gradient,
        hessian=_bernoulli_hessian,
        mean_hessian=_bernoulli_mean_hessian,
        root_rows=_bernoulli_root_rows,
        sample=_bernoulli_sample,
        target_range=(0, 1),
    ),
    "categorical": Objective(
        value=_categorical,
        gradient=_categorical_gradient,
        hessian=_categorical_hessian,
        mean_hessian=_categorical_mean_hessian,
        root_rows=_categorical_root_rows,
        sample=_categorical_sample,
        classes=True,
    ),
}
