"""The elementwise transfer functions f of (1), with the f' of (9) and the f'' of (10).

At a kink, the result is the left derivative, for every array library. At h = 0, f' of ReLU is 0, f' of leaky ReLU is
its slope for h < 0, and both f' and f'' of ELU are alpha.

For a = f(h), the derivatives 1 - a^2 of tanh and a (1 - a) of the logistic function are computed without a subtraction,
which would lose digits where a unit saturates.
`with_derivative` makes JAX use the derivatives of this module.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .._algebra.matrices import zero
from .._types import Array, Namespace
from .._validation.scalars import checked_name, checked_number, checked_pair
from ..backends import erfc, tanh_derivative, with_derivative
from .normalising import Normalising

LEAK = 0.1
"""The default slope of leaky_relu for h < 0, as in Section 2.2.3: max(0.1 x, x)."""

LARGEST_PARAMETER = float(np.finfo(np.float32).max)
"""The largest absolute value of the parameter of a transfer function: the largest number of float32."""

TransferName: TypeAlias = str | tuple[str, float]
"""The name of a transfer function, or a pair of a name and a parameter, such as ("leaky_relu", 0.01)."""


class Transfer(NamedTuple):
    """The elementwise f, f' and f'', as functions of a namespace and of pre-activations h of any shape.

    value_and_derivative: f(h) and f'(h), computed together, since f and f' often share an exponential
    second_derivative:    f''(h)
    """

    value_and_derivative: Callable[[Namespace, Array], tuple[Array, Array]]
    second_derivative: Callable[[Namespace, Array], Array]

    def second_term(self, xp: Namespace, h: Array, dE_da: Array) -> Array:
        """The diagonal (10): f''(h) * dE/da, with a = f(h)."""
        return self.second_derivative(xp, h) * dE_da


def positive_part(xp: Namespace, h: Array) -> Array:
    """max(h, 0). A NaN stays NaN."""
    return xp.maximum(h, zero(xp, h))


def _identity(xp: Namespace, h: Array) -> tuple[Array, Array]:
    return h, xp.ones_like(h)


def _zero(xp: Namespace, h: Array) -> Array:
    return xp.zeros_like(h)


@with_derivative(lambda xp, h, t: (_relu(xp, *h)[1] * t[0], _zero(xp, *t)))
def _relu(xp: Namespace, h: Array) -> tuple[Array, Array]:
    return positive_part(xp, h), xp.astype(h > 0, h.dtype)


def _leaky_relu(slope: float) -> Transfer:
    """h where h > 0, and slope * h elsewhere."""

    def value_and_derivative(xp: Namespace, h: Array) -> tuple[Array, Array]:
        active = xp.astype(h > 0, h.dtype)
        derivative = active + slope * (1 - active)
        return h * derivative, derivative

    return Transfer(value_and_derivative, _zero)


@with_derivative(lambda xp, h, t: (_tanh(xp, *h)[1] * t[0], _tanh_second(xp, *h) * t[0]))
def _tanh(xp: Namespace, h: Array) -> tuple[Array, Array]:
    return xp.tanh(h), tanh_derivative(h)


def _tanh_second(xp: Namespace, h: Array) -> Array:
    a, derivative = _tanh(xp, h)
    return -2 * a * derivative


def logistic_parts(xp: Namespace, h: Array) -> tuple[Array, Array, Array, Array]:
    """The numerators of s = 1 / (1 + e^-h) and of 1 - s, their common denominator, and exp(-|h|).

    With e = exp(-|h|) <= 1, the denominator is 1 + e. The numerators are 1 and e for h > 0, and e and 1 for h < 0. Each
    numerator is computed as max(e, 1) or max(e, 0), since `maximum` is faster than `where`.
    """
    e = xp.exp(-xp.abs(h))
    positive = xp.astype(h > 0, h.dtype)
    return xp.maximum(e, positive), xp.maximum(e, 1 - positive), 1 + e, e


@with_derivative(lambda xp, h, t: (logistic(xp, *h)[1] * t[0], _logistic_second(xp, *h) * t[0]))
def logistic(xp: Namespace, h: Array) -> tuple[Array, Array]:
    """s = 1 / (1 + e^-h) and s (1 - s)."""
    numerator, _, denominator, e = logistic_parts(xp, h)
    return numerator / denominator, e / (denominator * denominator)


def _logistic_second(xp: Namespace, h: Array) -> Array:
    # 1 - 2 s = -tanh(h / 2)
    return -logistic(xp, h)[1] * xp.tanh(h / 2)


@with_derivative(lambda xp, h, t: logistic(xp, *h)[0] * t[0])
def softplus(xp: Namespace, h: Array) -> Array:
    """log(1 + e^h) = max(h, 0) + log(1 + e^-|h|)."""
    return positive_part(xp, h) + xp.log1p(xp.exp(-xp.abs(h)))


def _softplus(xp: Namespace, h: Array) -> tuple[Array, Array]:
    return softplus(xp, h), logistic(xp, h)[0]


@with_derivative(lambda xp, h, t: xp.exp(*h) * t[0])
def _expm1(xp: Namespace, h: Array) -> Array:
    """e^h - 1 with the derivative e^h. JAX's own derivative is (e^h - 1) + 1, which loses digits."""
    return xp.expm1(h)


def _elu(alpha: float) -> Transfer:
    """h where h > 0, and alpha (e^h - 1) elsewhere."""

    def nonpositive(xp: Namespace, h: Array) -> tuple[Array, Array]:
        positive = h > 0
        return positive, xp.where(positive, xp.zeros_like(h), h)

    def value_and_derivative(xp: Namespace, h: Array) -> tuple[Array, Array]:
        positive, below = nonpositive(xp, h)
        derivative = xp.where(positive, xp.ones_like(h), alpha * xp.exp(below))
        return xp.where(positive, h, alpha * _expm1(xp, below)), derivative

    def second_derivative(xp: Namespace, h: Array) -> Array:
        positive, below = nonpositive(xp, h)
        return xp.where(positive, xp.zeros_like(h), alpha * xp.exp(below))

    return Transfer(value_and_derivative, second_derivative)


@with_derivative(lambda xp, h, t: (_silu(xp, *h)[1] * t[0], _silu_second(xp, *h) * t[0]))
def _silu(xp: Namespace, h: Array) -> tuple[Array, Array]:
    """h s(h) and its derivative s(h) + h s'(h), with the logistic function s."""
    s, derivative = logistic(xp, h)
    return h * s, s + h * derivative


def _silu_second(xp: Namespace, h: Array) -> Array:
    return 2 * logistic(xp, h)[1] + h * _logistic_second(xp, h)


@with_derivative(lambda xp, h, t: (_gelu(xp, *h)[1] * t[0], _gelu_second(xp, *h) * t[0]))
def _gelu(xp: Namespace, h: Array) -> tuple[Array, Array]:
    """h Phi(h) and Phi(h) + h phi(h), with the distribution function Phi and the density phi of N(0, 1)."""
    Phi = erfc(-math.sqrt(0.5) * h) / 2
    return h * Phi, Phi + h * _normal_density(xp, h)


def _gelu_second(xp: Namespace, h: Array) -> Array:
    phi = _normal_density(xp, h)
    return 2 * phi - h * (h * phi)  # no factor h^2, which could overflow


def _normal_density(xp: Namespace, h: Array) -> Array:
    h = xp.clip(h, -SATURATED, SATURATED)
    return xp.exp(-h * h / 2) / math.sqrt(2 * math.pi)


@with_derivative(lambda xp, h, t: (_gelu_tanh(xp, *h)[1] * t[0], _gelu_tanh_second(xp, *h) * t[0]))
def _gelu_tanh(xp: Namespace, h: Array) -> tuple[Array, Array]:
    """h s(v) and its derivative s(v) + h v' s'(v), with the logistic function s and the v of `_gelu_argument`.

    The function h s(v) equals h (1 + tanh(v / 2)) / 2.
    """
    v, first, _ = _gelu_argument(xp, h)
    s, derivative = logistic(xp, v)
    return h * s, s + h * (first * derivative)


def _gelu_tanh_second(xp: Namespace, h: Array) -> Array:
    v, first, second = _gelu_argument(xp, h)
    derivative = logistic(xp, v)[1]
    return 2 * first * derivative + h * (second * derivative + first * first * _logistic_second(xp, v))


def _gelu_argument(xp: Namespace, h: Array) -> tuple[Array, Array, Array]:
    """v(h) = sqrt(8 / pi) (h + 0.044715 h^3), with the derivatives v' and v''."""
    h, scale = xp.clip(h, -SATURATED, SATURATED), math.sqrt(8 / math.pi)
    square = 0.044715 * h * h
    return scale * h * (1 + square), scale * (1 + 3 * square), scale * (6 * 0.044715) * h


SATURATED = 100.0
"""A bound on |h| above which two functions are 0 in float64: the normal density phi(h), and s'(v(h)) of gelu_tanh.

Here s is the logistic function, and v(h) is the result of `_gelu_argument`.

`_normal_density` and `_gelu_argument` clip h to this bound, so that no power of h overflows.
"""

TRANSFERS: dict[str, Transfer] = {
    "identity": Transfer(_identity, _zero),
    "relu": Transfer(_relu, _zero),
    "leaky_relu": _leaky_relu(LEAK),
    "tanh": Transfer(_tanh, _tanh_second),
    "logistic": Transfer(logistic, _logistic_second),
    "softplus": Transfer(_softplus, lambda xp, h: logistic(xp, h)[1]),
    "elu": _elu(1.0),
    "silu": Transfer(_silu, _silu_second),
    "gelu": Transfer(_gelu, _gelu_second),
    "gelu_tanh": Transfer(_gelu_tanh, _gelu_tanh_second),
}

PARAMETRIC: dict[str, Callable[[float], Transfer]] = {"leaky_relu": _leaky_relu, "elu": _elu}
"""The transfer functions with a parameter.

The parameter of leaky_relu is the slope for h < 0, 0.1 by default. The parameter of elu is alpha, 1 by default.
"""


def transfer_functions(name: TransferName) -> Transfer | Normalising:
    """The functions f, f' and f'' of a transfer function, from its checked name or a layer's property `transfer`."""
    if isinstance(name, str):
        return TRANSFERS[name]
    return Normalising(name[1]) if name[0] == "normalisation" else PARAMETRIC[name[0]](name[1])


def checked_transfer(argument: str, value: Any) -> TransferName:
    """Return the name of a transfer function, or a pair of a name and a parameter.

    Raises `ValueError` for an unknown name, a wrong number of elements or a parameter that float32 cannot hold, and
    `TypeError` for a parameter that is not a number.
    """
    if not isinstance(value, (tuple, list)):
        return checked_name(argument, value, tuple(TRANSFERS))
    name, parameter = checked_pair(argument, value, "a name or a pair of a name and a number")
    known = checked_name(argument, name, tuple(PARAMETRIC), "a name with a parameter, one of")
    return known, checked_number(argument, parameter, lower=-LARGEST_PARAMETER, upper=LARGEST_PARAMETER)
