"""The objectives E(h_L, y), each the negative log-likelihood of a distribution p(y | h_L), up to a constant.

A loss is summed over the outputs of a datapoint. In this module h is (..., N, D_L) and y is (..., N, D_L) or (..., N).
Leading axes are for several labels per datapoint, such as the samples of KFAC.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from .._algebra.matrices import is_index, is_largest, zero
from .._types import Array, Namespace
from ..backends import with_derivative
from . import mixture
from .indefinite_hessian import FullHessian, RankOne, projected
from .output_hessian import Diagonal, Identity, Multinomial, OutputCurvature, OutputHessian
from .transfers import logistic, logistic_parts, positive_part

PSD = ("project", "scalar", "raise")
"""The values of `Network.psd`, which chooses the replacement of an indefinite H_L in Gauss-Newton matrices."""


class GaussNewtonSplit(NamedTuple):
    """The PSD matrix M of a Gauss-Newton matrix J^T M J: H_L, or the matrix that replaces an indefinite H_L.

    M depends on the variable that the Gauss-Newton approximation treats as the output of the network: h_L, or the
    scalar p(y | h_L).

    output_curvature: a function of a namespace, h (..., N, D_L) and y, which returns M per datapoint
    root_size:        a function of D_L, which returns K, the number of columns of a root of M
    """

    output_curvature: Callable[[Namespace, Array, Array], OutputCurvature]
    root_size: Callable[[int], int] = lambda D_L: D_L


class Objective(NamedTuple):
    """An objective as functions of a namespace, h (..., N, D_L) and y.

    value:        E of each datapoint, (..., N)
    gradient:     dE/dh_L, (..., N, D_L)
    hessian:      H_L of each datapoint
    gauss_newton: the `GaussNewtonSplit` for each value of `Network.psd`, except "raise" if H_L is indefinite
    sample:       labels y ~ p(y | h_L) as a function of a namespace, h and random numbers
    classes:      a function from D_L to the number of classes if y has class indices, (..., N); None if y is
                  (..., N, D_L)
    target_range: the lower and upper bound of real targets, or None
    outputs:      the D_L that the objective requires, or None for any D_L
    """

    value: Callable[[Namespace, Array, Array], Array]
    gradient: Callable[[Namespace, Array, Array], Array]
    hessian: Callable[[Namespace, Array, Array], OutputHessian]
    gauss_newton: Mapping[str, GaussNewtonSplit]
    sample: Callable[[Namespace, Array, Array], Array]
    classes: Callable[[int], int] | None = None
    target_range: tuple[float, float] | None = None
    outputs: int | None = None


def _psd(hessian: Callable[[Namespace, Array, Array], OutputCurvature]) -> Mapping[str, GaussNewtonSplit]:
    """The field `gauss_newton` of an objective whose H_L is PSD: M is H_L for every value of `Network.psd`."""
    return dict.fromkeys(PSD, GaussNewtonSplit(hessian))


# Squared error |h - y|^2 / 2: y is normal with mean h and unit variance, and H_L = I.


def _squared_error(xp: Namespace, h: Array, y: Array) -> Array:
    return xp.vecdot(h - y, h - y) / 2


def _squared_error_hessian(_xp: Namespace, h: Array, _y: Array) -> Identity:
    return Identity(h)


# Bernoulli cross-entropy on logits: p = logistic(h), 1 - p = logistic(-h) and H_L = diag(p (1 - p)).


@with_derivative(lambda xp, x, t: xp.sum(_bernoulli_gradient(xp, *x) * t[0] - x[0] * t[1], axis=-1))
def _bernoulli(xp: Namespace, h: Array, y: Array) -> Array:
    # y softplus(-h) + (1 - y) softplus(h), as a sum of terms that are not negative
    linear = (1 - y) * positive_part(xp, h) + y * positive_part(xp, -h)
    return xp.sum(linear + xp.log1p(xp.exp(-xp.abs(h))), axis=-1)


@with_derivative(lambda xp, x, t: logistic(xp, x[0])[1] * t[0] - t[1])
def _bernoulli_gradient(xp: Namespace, h: Array, y: Array) -> Array:
    # p - y = (1 - y) p - y (1 - p), without cancellation where y is 0 or 1 and p is near y
    p, one_minus_p, denominator, _ = logistic_parts(xp, h)
    return ((1 - y) * p - y * one_minus_p) / denominator


def _bernoulli_hessian(xp: Namespace, h: Array, _y: Array) -> Diagonal:
    return Diagonal(logistic(xp, h)[1])


def _bernoulli_sample(xp: Namespace, h: Array, u: Array) -> Array:
    return xp.astype(u < logistic(xp, h)[0], h.dtype)


# Categorical cross-entropy on logits: p = softmax(h) and H_L = diag(p) - p p^T.


@with_derivative(lambda xp, h, t: _categorical_hessian(xp, *h).product(*t))
def softmax(xp: Namespace, h: Array) -> Array:
    """e^h / sum e^h over the last axis."""
    e = xp.exp(h - xp.max(h, axis=-1, keepdims=True))
    return e / xp.sum(e, axis=-1, keepdims=True)


@with_derivative(lambda xp, x, t: xp.sum(_categorical_gradient(xp, *x) * t[0], axis=-1))
def _categorical(xp: Namespace, h: Array, y: Array) -> Array:
    # h_k - h_y + log(1 + sum_{j != k} e^(h_j - h_k)), with k the class of the largest output
    largest = is_largest(xp, h)
    h = h - xp.max(h, axis=-1, keepdims=True)
    smaller = xp.sum(xp.where(largest, zero(xp, h), xp.exp(h)), axis=-1)
    return xp.log1p(smaller) - xp.sum(xp.where(is_index(xp, y, h), h, zero(xp, h)), axis=-1)


@with_derivative(lambda xp, x, t: _categorical_hessian(xp, x[0]).product(t[0]))
def _categorical_gradient(xp: Namespace, h: Array, y: Array) -> Array:
    # p - e_y, where 1 - p_y is the sum of the other probabilities
    e, at_y = xp.exp(h - xp.max(h, axis=-1, keepdims=True)), is_index(xp, y, h)
    others = xp.sum(xp.where(at_y, zero(xp, e), e), axis=-1, keepdims=True)
    return xp.where(at_y, -others, e) / xp.sum(e, axis=-1, keepdims=True)


def _categorical_hessian(xp: Namespace, h: Array, _y: Array | None = None) -> Multinomial:
    return Multinomial(softmax(xp, h))


def _categorical_sample(xp: Namespace, h: Array, u: Array) -> Array:
    above = u[..., None] < xp.cumulative_sum(softmax(xp, h), axis=-1)
    y = xp.argmax(xp.astype(above, h.dtype), axis=-1)
    last = xp.full_like(y, h.shape[-1] - 1)  # used if rounding leaves no cumulative sum above u
    return xp.where(xp.any(above, axis=-1), y, last)


OBJECTIVES: dict[str, Objective] = {
    "squared_error": Objective(
        value=_squared_error,
        gradient=lambda xp, h, y: h - y,
        hessian=_squared_error_hessian,
        gauss_newton=_psd(_squared_error_hessian),
        sample=lambda xp, h, z: h + z,
    ),
    "bernoulli": Objective(
        value=_bernoulli,
        gradient=_bernoulli_gradient,
        hessian=_bernoulli_hessian,
        gauss_newton=_psd(_bernoulli_hessian),
        sample=_bernoulli_sample,
        target_range=(0, 1),
    ),
    "categorical": Objective(
        value=_categorical,
        gradient=_categorical_gradient,
        hessian=_categorical_hessian,
        gauss_newton=_psd(_categorical_hessian),
        sample=_categorical_sample,
        classes=lambda D_L: D_L,
    ),
    "mixture": Objective(
        value=mixture.value,
        gradient=mixture.gradient,
        hessian=lambda xp, h, y: FullHessian(mixture.hessian(xp, h, y)),
        gauss_newton={
            "project": GaussNewtonSplit(lambda xp, h, y: projected(xp, mixture.hessian(xp, h, y))),
            "scalar": GaussNewtonSplit(lambda xp, h, y: RankOne(mixture.gradient(xp, h, y)), root_size=lambda D_L: 1),
        },
        sample=mixture.sample,
        classes=lambda D_L: 2,
        outputs=3,
    ),
}
