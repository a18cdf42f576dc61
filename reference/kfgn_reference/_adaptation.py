"""Appendix C.3: how tau and gamma follow the progress of the optimisation."""

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
    """C.3.1, Levenberg-Marquardt: tau omega_tau where rho > 3/4, tau / omega_tau where rho < 3/4, omega_tau < 1.

    Of two thresholds, each a pair (n, d) for n / d, the first is where tau begins to grow: Martens and Grosse have 1/4.
    """
    low, high = (rational(*pair, tau) for pair in thresholds)
    if rho > high:
        return tau * omega_tau
    return tau / omega_tau if rho < low else tau


def bounded(value: Any, bounds: tuple[Any, Any] | None) -> Any:
    """The value, or the bound that it is beyond. The paper has none, so that tau falls for ever."""
    if bounds is None:
        return value
    least, most = bounds
    if value < least:
        return least
    return most if value > most else value


def adapted_gamma(
    gamma: Any, omega_gamma: Any, decrease: Callable[[Any], Any], bounds: tuple[Any, Any] | None = None
) -> Any:
    """C.3.2: of gamma, omega_gamma gamma and gamma / omega_gamma the one whose step decreases the model most.

    decrease(gamma): (delta^T grad f)^2 / (delta^T C-bar delta) of the direction made with gamma. A tie keeps gamma.

    Misprint: the text minimises the model under C-tilde, which contains gamma and always favours the smallest.
    """
    best, most = gamma, decrease(gamma)
    for candidate in (bounded(omega_gamma * gamma, bounds), bounded(gamma / omega_gamma, bounds)):
        if (value := decrease(candidate)) > most:
            best, most = candidate, value
    return best


def decay(base: tuple[int, int], period: int, like: Any) -> Any:
    """omega = (numerator / denominator)^period: the paper's 0.95^T, in the arithmetic of `like`."""
    return rational(*base, like) ** period
