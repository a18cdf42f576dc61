"""The elementwise transfer functions f of equation (1), with the f' of (9) and the f'' of (10).

The paper leaves the derivative at a kink open. This package takes the left derivative: f'(0) = 0 for ReLU, the slope
of the left branch for leaky ReLU, and f'(0) = f''(0) = alpha for ELU.

>>> import numpy as np
>>> from kfgn_reference import transfer
>>> f = transfer(("leaky_relu", 0.25))
>>> f.f(np.array([-2.0, 3.0])).tolist(), f.first(np.array([0.0, 3.0])).tolist()
([-0.5, 3.0], [0.25, 1.0])
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from ._arithmetic import one, times_fraction, zero
from ._named import Named
from ._special import erfc, pi
from ._types import Array


class Transfer(NamedTuple):
    """A transfer function and its first two derivatives, each applied to every element of an array."""

    f: Callable[[Array], Array]
    first: Callable[[Array], Array]
    second: Callable[[Array], Array]


def logistic(h: Array) -> Array:
    """1 / (1 + e^-h), with a small relative error in both tails. If e^-h overflows, the result is the limit 0."""
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-h))


def softplus(h: Array) -> Array:
    """log(1 + e^h) = max(h, 0) + log(1 + e^-|h|).

    max(h, 0) is computed as (h + |h|) / 2, since a ball (a number with an error bound) around 0 cannot be compared
    with 0.
    """
    return (h + abs(h)) / 2 + np.log1p(np.exp(-abs(h)))


def sech_squared(h: Array) -> Array:
    """1 - tanh(h)^2, computed as 1 / cosh(h)^2 so that no digits are lost where tanh(h)^2 is nearly 1."""
    with np.errstate(over="ignore"):
        return 1 / np.cosh(h) ** 2


def logistic_first(h: Array) -> Array:
    """s (1 - s) with the logistic function s, where 1 - s(h) = s(-h)."""
    return logistic(h) * logistic(-h)


def logistic_second(h: Array) -> Array:
    """s (1 - s) (1 - 2 s) with the logistic function s, where 1 - 2 s(h) = -tanh(h / 2)."""
    return -logistic_first(h) * np.tanh(h / 2)


def relu(h: Array) -> Array:
    """max(h, 0)."""
    return np.where(h > 0, h, zero(h))


def relu_first(h: Array) -> Array:
    """1 where h > 0, and 0 elsewhere."""
    return np.where(h > 0, one(h), zero(h))


def integer_ratio(name: str, parameter: Any) -> tuple[int, int]:
    """The integers n and d of a parameter n / d. Raises `ValueError` unless the parameter is a finite number.

    name: the name of the transfer function with this parameter
    """
    try:
        n, d = parameter.as_integer_ratio()
    except (AttributeError, TypeError, ValueError, OverflowError):
        expected = f"a finite int, float or Fraction as the parameter of {name}"
        raise ValueError(f"transfers: expected {expected}, got {parameter!r}") from None
    return n, d


def leaky_relu(slope: Any) -> Transfer:
    """max(slope h, h) for 0 < slope < 1, with f' = 1 where h > 0, and f' = slope elsewhere.

    slope: an integer, float or Fraction, 1/10 in Section 2.2.3. The code computes slope h as h n / d, with the integers
    n and d of slope = n / d, so that rationals stay rational.
    """
    n, d = integer_ratio("leaky_relu", slope)
    return Transfer(
        lambda h: np.where(h > 0, h, times_fraction(h, n, d)),
        lambda h: np.where(h > 0, one(h), times_fraction(one(h), n, d)),
        zero,
    )


def elu(alpha: Any) -> Transfer:
    """h where h > 0, and alpha (e^h - 1) elsewhere.

    f' is 1 and f'' is 0 where h > 0. f' and f'' are alpha e^h where h <= 0. The code computes e^min(h, 0), which cannot
    overflow.

    alpha: an integer, float or Fraction
    """
    n, d = integer_ratio("elu", alpha)

    def below(h: Array) -> Array:
        return times_fraction(np.exp(np.minimum(h, zero(h))), n, d)

    return Transfer(
        lambda h: np.where(h > 0, h, times_fraction(np.expm1(np.minimum(h, zero(h))), n, d)),
        lambda h: np.where(h > 0, one(h), below(h)),
        lambda h: np.where(h > 0, zero(h), below(h)),
    )


def silu(h: Array) -> Array:
    """h s(h) with the logistic function s."""
    return h * logistic(h)


def silu_first(h: Array) -> Array:
    """s(h) + h s'(h) with the logistic function s."""
    return logistic(h) + h * logistic_first(h)


def silu_second(h: Array) -> Array:
    """2 s'(h) + h s''(h) with the logistic function s."""
    return 2 * logistic_first(h) + h * logistic_second(h)


def normal_cdf(h: Array) -> Array:
    """Phi(h) = erfc(-h / sqrt 2) / 2, without the cancellation of 1 + erf(h / sqrt 2) in the left tail."""
    return erfc(-h / np.sqrt(2 * one(h))) / 2


def normal_density(h: Array) -> Array:
    """phi(h) = e^(-h^2 / 2) / sqrt(2 pi), the density of the standard normal distribution."""
    return np.exp(-h * h / 2) / np.sqrt(2 * one(h) * pi(h))


def gelu(h: Array) -> Array:
    """h Phi(h) with the distribution function Phi of `normal_cdf`."""
    return h * normal_cdf(h)


def gelu_first(h: Array) -> Array:
    """Phi(h) + h phi(h) with Phi of `normal_cdf` and phi of `normal_density`."""
    return normal_cdf(h) + h * normal_density(h)


def gelu_second(h: Array) -> Array:
    """(2 - h^2) phi(h) with phi of `normal_density`."""
    return (2 - h * h) * normal_density(h)


def gelu_argument(h: Array) -> tuple[Array, Array, Array]:
    """v(h) = sqrt(8 / pi) (h + 0.044715 h^3), with the derivatives v' and v''.

    The logistic function s(v) approximates Phi(h) of `normal_cdf`.
    """
    scale = np.sqrt(8 * one(h) / pi(h))
    square = times_fraction(h * h, 8943, 200000)
    return scale * h * (1 + square), scale * (1 + 3 * square), scale * times_fraction(h, 6 * 8943, 200000)


def gelu_tanh(h: Array) -> Array:
    """h (1 + tanh(v / 2)) / 2 with v of `gelu_argument`.

    The code computes h s(v) with the logistic function s, without the cancellation of 1 + tanh in the left tail.
    """
    v, _, _ = gelu_argument(h)
    return h * logistic(v)


def gelu_tanh_first(h: Array) -> Array:
    """s(v) + h v' s'(v) with v of `gelu_argument` and the logistic function s."""
    v, first, _ = gelu_argument(h)
    return logistic(v) + h * first * logistic_first(v)


def gelu_tanh_second(h: Array) -> Array:
    """(2 v' + h v'') s'(v) + h v'^2 s''(v) with v of `gelu_argument` and the logistic function s."""
    v, first, second = gelu_argument(h)
    return (2 * first + h * second) * logistic_first(v) + h * first * first * logistic_second(v)


TRANSFERS: dict[str, Transfer] = Named(
    "transfers",
    {
        "identity": Transfer(lambda h: h, one, zero),
        "relu": Transfer(relu, relu_first, zero),
        "leaky_relu": leaky_relu(Fraction(1, 10)),
        "tanh": Transfer(np.tanh, sech_squared, lambda h: -2 * np.tanh(h) * sech_squared(h)),
        "logistic": Transfer(logistic, logistic_first, logistic_second),
        "softplus": Transfer(softplus, logistic, logistic_first),
        "elu": elu(1),
        "silu": Transfer(silu, silu_first, silu_second),
        "gelu": Transfer(gelu, gelu_first, gelu_second),
        "gelu_tanh": Transfer(gelu_tanh, gelu_tanh_first, gelu_tanh_second),
    },
)
"""The transfer functions by their names. The default slope of the leaky ReLU is 1/10, and the alpha of the ELU is 1."""

WITH_PARAMETER: dict[str, Callable[[Any], Transfer]] = {"leaky_relu": leaky_relu, "elu": elu}
"""The functions that make a transfer function from its parameter, by name."""


def transfer(record: str | tuple[str, Any]) -> Transfer:
    """The transfer function for a record: a name, or a pair (name, parameter) such as ("leaky_relu", 0.01).

    Raises `ValueError` for an unknown name, and for a parameter that is not a finite number.
    """
    if isinstance(record, str):
        return TRANSFERS[record]
    name, parameter = record
    if name not in WITH_PARAMETER:
        raise ValueError(f"transfers: expected a parameter only for {', '.join(WITH_PARAMETER)}, got {record!r}")
    return WITH_PARAMETER[name](parameter)
