"""Appendix C.3: the adaptation of tau and gamma during the optimisation.

>>> from kfgn_reference import adapted_gamma, adapted_tau
>>> adapted_tau(8.0, 0.9, 0.5), adapted_tau(8.0, 0.1, 0.5)
(4.0, 16.0)
>>> adapted_gamma(8.0, 0.5, lambda gamma: -gamma)
4.0
"""

from collections.abc import Callable
from typing import Any

from ._arithmetic import rational

THREE_QUARTERS = (3, 4)


def adapted_tau(
    tau: Any,
    rho: Any,
    omega_tau: Any,
    thresholds: tuple[tuple[int, int], tuple[int, int]] = (THREE_QUARTERS, THREE_QUARTERS),
) -> Any:
    """C.3.1, Levenberg-Marquardt: the new tau.

    With the default thresholds, the new tau is tau omega_tau if rho > 3/4, and tau / omega_tau if rho < 3/4. The factor
    omega_tau is below 1.

    thresholds: two pairs (n, d) for the numbers n / d. tau grows if rho is below the first number, and shrinks if rho
    is above the second number. Martens and Grosse use 1/4 as the first number.
    """
    low, high = (rational(*pair, tau) for pair in thresholds)
    if rho > high:
        return tau * omega_tau
    return tau / omega_tau if rho < low else tau


def bounded(value: Any, bounds: tuple[Any, Any] | None) -> Any:
    """The value clipped to the bounds. Without bounds, as in the paper, tau may become arbitrarily small."""
    if bounds is None:
        return value
    lower, upper = bounds
    if value < lower:
        return lower
    return upper if value > upper else value


def adapted_gamma(
    gamma: Any, omega_gamma: Any, decrease: Callable[[Any], Any], bounds: tuple[Any, Any] | None = None
) -> Any:
    """C.3.2: the value among gamma, omega_gamma gamma and gamma / omega_gamma with the largest decrease of the model.

    decrease(gamma): twice the decrease of the model under C-bar by the best step along the direction delta that is
    computed with gamma. The value is (delta^T grad f)^2 / (delta^T C-bar delta). gamma does not change if neither
    omega_gamma gamma nor gamma / omega_gamma has a larger decrease. These two are clipped to `bounds`, which the paper
    does not have.

    Misprint: the text minimises the model under C-tilde. C-tilde contains gamma, so the smallest gamma would always
    win.
    """
    best, largest = gamma, decrease(gamma)
    for candidate in (bounded(omega_gamma * gamma, bounds), bounded(gamma / omega_gamma, bounds)):
        if (value := decrease(candidate)) > largest:
            best, largest = candidate, value
    return best


def decay(base: tuple[int, int], period: int, like: Any) -> Any:
    """The factor omega_tau or omega_gamma: (n / d)^period for base = (n, d), in the arithmetic of `like`.

    The paper uses 0.95^T with the period T.
    """
    return rational(*base, like) ** period
