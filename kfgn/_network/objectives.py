"""The objectives E(h_L, y), each the negative log-likelihood of a distribution p(y | h_L).

A loss is summed over the outputs of a datapoint. Here h is (..., N, D_L): leading axes, where there
are any, are further labels of the same datapoints, as KFAC samples them.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from .._algebra.matrices import is_index, is_largest, one_minus
from .._types import Array, Namespace
from ..backends import with_derivative
from . import mixture
from .indefinite_hessian import FullHessian, RankOne, projected
from .output_hessian import Diagonal, Identity, Multinomial, OutputCurvature, OutputHessian
from .transfers import logistic, softplus

PSD = ("project", "scalar", "raise")
"""What `Network.psd` may be: what stands for an H_L that is indefinite in Gauss-Newton."""


class GaussNewtonSplit(NamedTuple):
    """Where Gauss-Newton splits the network from its objective, and the PSD matrix that is between.

    at(xp, h, y)  that matrix of each datapoint
    columns(D_L)  K, the number of columns of its root
    """

    at: Callable[[Namespace, Array, Array], OutputCurvature]
    columns: Callable[[int], int] = lambda D_L: D_L


class Objective(NamedTuple):
    """What the curvature needs to know of an objective.

    value(xp, h, y)     E of each datapoint, (..., N)
    gradient(xp, h, y)  dE/dh_L, (..., N, D_L)
    hessian(xp, h, y)   H_L of each datapoint
    gauss_newton        what stands for H_L in Gauss-Newton, by `Network.psd`: H_L itself under every name where it is
                        PSD; where it is not, there is none by the name of "raise"
    sample(xp, h, draw) labels y ~ p(y | h_L), made from given draws
    classes(D_L)        how many classes there are, if y is the index of one, (..., N), and not a vector, (..., N, D_L)
    target_range        the values that y may take, where they are bounded
    outputs             D_L, where the objective says what it is
    """

    value: Callable[[Namespace, Array, Array], Array]
    gradient: Callable[[Namespace, Array, Array], Array]
    hessian: Callable[[Namespace, Array, Array], OutputHessian]
    gauss_newton: Mapping[str, GaussNewtonSplit]
    sample: Callable[[Namespace, Array, Array], Array]
    classes: Callable[[int], int] | None = None
    target_range: tuple[float, float] | None = None
    outputs: int | None = None


def _itself(hessian: Callable[[Namespace, Array, Array], OutputCurvature]) -> Mapping[str, GaussNewtonSplit]:
    """H_L where it is PSD."""
    return dict.fromkeys(PSD, GaussNewtonSplit(hessian))


# Squared error: |h - y|^2 / 2, y normal with mean h and unit variance, H_L = I.


def _squared_error(xp: Namespace, h: Array, y: Array) -> Array:
    return xp.vecdot(h - y, h - y) / 2


def _squared_error_hessian(_xp: Namespace, h: Array, _y: Array) -> Identity:
    return Identity(h)


# Bernoulli cross-entropy on logits, p = logistic(h) and 1 - p = logistic(-h): H_L = diag(p (1 - p)).


def _bernoulli(xp: Namespace, h: Array, y: Array) -> Array:
    return xp.sum(y * softplus(xp, -h) + (1 - y) * softplus(xp, h), axis=-1)


def _bernoulli_gradient(xp: Namespace, h: Array, y: Array) -> Array:
    # p - y, with its digits kept where p is nearly y
    return (1 - y) * logistic(xp, h)[0] - y * logistic(xp, -h)[0]


def _bernoulli_hessian(xp: Namespace, h: Array, _y: Array) -> Diagonal:
    return Diagonal(logistic(xp, h)[1])


def _bernoulli_sample(xp: Namespace, h: Array, u: Array) -> Array:
    return xp.astype(u < logistic(xp, h)[0], h.dtype)


# Categorical cross-entropy on logits, p = softmax(h): H_L = diag(p) - p p^T.


@with_derivative(lambda xp, h, t: _categorical_hessian(xp, *h).product(*t))
def softmax(xp: Namespace, h: Array) -> Array:
    """e^h / sum e^h over the last axis."""
    e = xp.exp(h - xp.max(h, axis=-1, keepdims=True))
    return e / xp.sum(e, axis=-1, keepdims=True)


@with_derivative(lambda xp, x, t: xp.sum(_categorical_gradient(xp, *x) * t[0], axis=-1))
def _categorical(xp: Namespace, h: Array, y: Array) -> Array:
    # h_k - h_y + log(1 + sum_{j != k} e^(h_j - h_k)), with k the class of the largest output
    zero = xp.zeros_like(h)
    largest = is_largest(xp, h)
    h = h - xp.max(h, axis=-1, keepdims=True)
    smaller = xp.sum(xp.where(largest, zero, xp.exp(h)), axis=-1)
    return xp.log1p(smaller) - xp.sum(xp.where(is_index(xp, y, h), h, zero), axis=-1)


@with_derivative(lambda xp, x, t: _categorical_hessian(xp, x[0]).product(t[0]))
def _categorical_gradient(xp: Namespace, h: Array, y: Array) -> Array:
    # p - e_y
    p = softmax(xp, h)
    return xp.where(is_index(xp, y, h), -one_minus(xp, p), p)


def _categorical_hessian(xp: Namespace, h: Array, _y: Array | None = None) -> Multinomial:
    return Multinomial(softmax(xp, h))


def _categorical_sample(xp: Namespace, h: Array, u: Array) -> Array:
    above = u[..., None] < xp.cumulative_sum(softmax(xp, h), axis=-1)
    y = xp.argmax(xp.astype(above, h.dtype), axis=-1)
    return xp.where(xp.any(above, axis=-1), y, xp.full_like(y, h.shape[-1] - 1))  # rounding may leave the sum below u


OBJECTIVES: dict[str, Objective] = {
    "squared_error": Objective(
        value=_squared_error,
        gradient=lambda xp, h, y: h - y,
        hessian=_squared_error_hessian,
        gauss_newton=_itself(_squared_error_hessian),
        sample=lambda xp, h, z: h + z,
    ),
    "bernoulli": Objective(
        value=_bernoulli,
        gradient=_bernoulli_gradient,
        hessian=_bernoulli_hessian,
        gauss_newton=_itself(_bernoulli_hessian),
        sample=_bernoulli_sample,
        target_range=(0, 1),
    ),
    "categorical": Objective(
        value=_categorical,
        gradient=_categorical_gradient,
        hessian=_categorical_hessian,
        gauss_newton=_itself(_categorical_hessian),
        sample=_categorical_sample,
        classes=lambda D_L: D_L,
    ),
    "mixture": Objective(
        value=mixture.value,
        gradient=mixture.gradient,
        hessian=lambda xp, h, y: FullHessian(mixture.hessian(xp, h, y)),
        gauss_newton={
            "project": GaussNewtonSplit(lambda xp, h, y: projected(xp, mixture.hessian(xp, h, y))),
            "scalar": GaussNewtonSplit(lambda xp, h, y: RankOne(mixture.gradient(xp, h, y)), columns=lambda D_L: 1),
        },
        sample=mixture.sample,
        classes=lambda D_L: 2,
        outputs=3,
    ),
}
