"""Section 5 and Appendix C together: Algorithm 1 with every heuristic, as a pure function of its state and data.

One `step` goes through the paper's order: gradient and factors of the batch, the factors' moving average,
the direction, gamma every T_gamma steps before the update, the step size, the update, tau every T_tau steps
after it, and the average of the parameters. Misprint: the algorithm excludes heuristics "for eta and gamma";
those are tau and gamma, and eta never changes.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from ._types import Array, PerLayer
from .adaptation import adapted_gamma, adapted_tau, decay
from .arithmetic import rational
from .averaging import average_weight, moving_average
from .damping import factored_direction
from .factored import expected_q
from .kfac import draw_labels, kfac
from .kflr import kflr
from .kfra import kfra
from .network import Network
from .rp import rp
from .step_size import curvature_along, reduction_ratio, regularised_gradient, regularised_loss
from .vectors import dot, moved, scaled, weights

SecondFactor = Callable[[Network, Array, Array, Any], PerLayer]

METHODS: dict[str, SecondFactor] = {
    "kflr": lambda net, X, Y, draws: kflr(net, X, Y),
    "kfra": lambda net, X, Y, draws: kfra(net, X, Y),
    "kfac": lambda net, X, Y, draws: kfac(net, X, draw_labels(net, X, draws)),
    "rp": lambda net, X, Y, draws: rp(net, X, Y, draws),
}
"""How the second factor of a batch is made; `draws` are those of `kfac.draw_labels`, or the projections of `rp`."""


class Settings(NamedTuple):
    """The constants of the paper. A pair (n, d) is the number n / d, exact in every arithmetic.

    method:           a name of `METHODS`
    eta:              weight of L2. The paper gives no value
    norm:             of (38)
    decay_tau, T_tau: every T_tau steps tau changes by decay_tau^T_tau, C.3.1
    decay_gamma, T_gamma: every T_gamma steps gamma may change by decay_gamma^T_gamma, C.3.2
    curvature_average:   the most weight that old factors keep, Section 5; (0, 1) keeps none
    parameter_average:   the most weight that old parameters keep in their average, (45)
    """

    method: str
    eta: Any
    norm: str = "trace"
    decay_tau: tuple[int, int] = (19, 20)
    T_tau: int = 5
    decay_gamma: tuple[int, int] = (19, 20)
    T_gamma: int = 20
    curvature_average: tuple[int, int] = (9, 10)
    parameter_average: tuple[int, int] = (19, 20)


class State(NamedTuple):
    """Between steps: t are done. The network with its weights, their average, the factors' averages, and tau, gamma."""

    t: int
    net: Network
    average: PerLayer
    Q: PerLayer
    G: PerLayer
    tau: Any
    gamma: Any


class Info(NamedTuple):
    """What happened in a step: f before it, alpha, the gamma that made it, and rho where tau was adapted, else None."""

    f: Any
    alpha: Any
    gamma: Any
    rho: Any


def initial_state(net: Network, tau: Any, gamma: Any) -> State:
    """Before the first step. The averages start empty: their first weight is 0. The paper gives no tau and gamma."""
    return State(0, net, {}, {}, {}, tau, gamma)


def averaged(old: PerLayer, new: PerLayer, t: int, most: Any) -> PerLayer:
    """(44) at step t, where nothing is old at the first."""
    return moving_average(old, new, average_weight(t, most)) if t > 1 else new


def step(settings: Settings, state: State, X: Array, Y: Array, draws: Any = None) -> tuple[State, Info]:
    """One update on the batch X (N, D_0), Y. Raises `ValueError` where the damped factors are not positive definite."""
    net, tau, gamma, eta = state.net, state.tau, state.gamma, settings.eta
    t = state.t + 1

    def constant(pair: tuple[int, int]) -> Any:
        return rational(*pair, tau)

    f, g = regularised_loss(net, X, Y, eta), regularised_gradient(net, X, Y, eta)
    most = constant(settings.curvature_average)
    Q = averaged(state.Q, expected_q(net, X), t, most)
    G = averaged(state.G, METHODS[settings.method](net, X, Y, draws), t, most)

    def direction(gamma: Any) -> PerLayer:
        return factored_direction(Q, G, g, gamma + eta, settings.norm)

    def decrease(gamma: Any) -> Any:
        delta = direction(gamma)
        return dot(delta, g) ** 2 / curvature_along(net, X, Y, delta, tau, eta)

    if t % settings.T_gamma == 0:
        gamma = adapted_gamma(gamma, decay(settings.decay_gamma, settings.T_gamma, gamma), decrease)
    delta = direction(gamma)
    alpha = -dot(delta, g) / curvature_along(net, X, Y, delta, tau, eta)
    update = scaled(alpha, delta)
    after = moved(net, update)

    rho = None
    if t % settings.T_tau == 0:
        rho = reduction_ratio(net, X, Y, update, tau, eta)
        tau = adapted_tau(tau, rho, decay(settings.decay_tau, settings.T_tau, tau))
    average = averaged(state.average, weights(after), t, constant(settings.parameter_average))
    return State(t, after, average, Q, G, tau, gamma), Info(f, alpha, gamma, rho)


def trajectory(
    settings: Settings, state: State, batches: Iterable[tuple[Array, Array, Any]]
) -> list[tuple[State, Info]]:
    """The states after each step, over batches (X, Y, draws)."""
    states = []
    for X, Y, draws in batches:
        state, info = step(settings, state, X, Y, draws)
        states.append((state, info))
    return states
