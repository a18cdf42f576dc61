"""Appendix C.3: how tau and gamma follow the progress of the optimisation."""

from collections.abc import Callable
from typing import Any

from .arithmetic import rational


def adapted_tau(tau: Any, rho: Any, omega_tau: Any) -> Any:
    """C.3.1, Levenberg-Marquardt: tau omega_tau where rho > 3/4, tau / omega_tau where rho < 3/4, omega_tau < 1."""
    threshold = rational(3, 4, tau)
    if rho > threshold:
        return tau * omega_tau
    return tau / omega_tau if rho < threshold else tau


def adapted_gamma(gamma: Any, omega_gamma: Any, decrease: Callable[[Any], Any]) -> Any:
    """C.3.2: of gamma, omega_gamma gamma and gamma / omega_gamma the one whose step decreases the model most.

    decrease(gamma): (delta^T grad f)^2 / (delta^T C-bar delta) of the direction made with gamma. A tie keeps gamma.

    Misprint: the text minimises the model under C-tilde, which contains gamma and always favours the smallest.
    """
    best, most = gamma, decrease(gamma)
    for candidate in (omega_gamma * gamma, gamma / omega_gamma):
        if (value := decrease(candidate)) > most:
            best, most = candidate, value
    return best


def decay(base: tuple[int, int], period: int, like: Any) -> Any:
    """omega = (numerator / denominator)^period: the paper's 0.95^T, in the arithmetic of `like`."""
    return rational(*base, like) ** period
