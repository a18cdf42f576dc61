"""Section 5 and Appendix C together: Algorithm 1 with every heuristic, as a pure function of its state and data.

One `step` goes through the paper's order: gradient and factors of the batch, the factors' moving average,
the direction, gamma every T_gamma steps before the update, the step size, the update, tau every T_tau steps
after it, and the average of the parameters. Misprint: the algorithm excludes heuristics "for eta and gamma";
those are tau and gamma, and eta never changes.

Options that the paper does not have are off by default: bounds, a second threshold, a longest step, momentum, rarer
factors, and the inverse of (35) by eigenvalues. The rules of `safeguards` are not in the paper either, and are always
on: they act where arithmetic rounds, and where a damped matrix is not positive definite.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from ._adaptation import THREE_QUARTERS, adapted_gamma, adapted_tau, bounded, decay
from ._arithmetic import rational
from ._averaging import average_weight, moving_average
from ._factored import expected_q
from ._gauss_newton import gauss_newton, gauss_newton_blocks
from ._kfac import draw_labels, kfac
from ._kflr import kflr
from ._kfra import kfra
from ._linear_algebra import NotPositiveDefiniteError
from ._network import Network
from ._quadratic import damped, direction as whole_direction, layer_directions
from ._rp import rp
from ._safeguards import raised, rounding, visible_direction, within_rounding
from ._spectral import exact_direction
from ._step_size import changes, curvature_along, regularised_gradient, regularised_loss
from ._types import Array, PerLayer
from ._vectors import added, dot, moved, per_layer, scaled, theta, weights

SecondFactor = Callable[[Network, Array, Array, Any], PerLayer]

METHODS: dict[str, SecondFactor] = {
    "kflr": lambda net, X, Y, draws: kflr(net, X, Y),
    "kfra": lambda net, X, Y, draws: kfra(net, X, Y),
    "kfac": lambda net, X, Y, draws: kfac(net, X, draw_labels(net, X, draws)),
    "rp": lambda net, X, Y, draws: rp(net, X, Y, draws),
}
"""How the second factor of a batch is made; `draws` are those of `kfac.draw_labels`, or the projections of `rp`."""


HESSIAN_FREE = ("hessian_free", "hessian_free_blocks")
"""The methods without factors: the Gauss-Newton matrix of the batch itself, or its diagonal blocks, and no average."""


class Settings(NamedTuple):
    """The constants of the paper. A pair (n, d) is the number n / d, exact in every arithmetic.

    method:           a name of `METHODS` or `HESSIAN_FREE`
    eta:              weight of L2. The paper gives no value
    inversion:        a norm of (38), or "exact" for the inverse of (35)
    decay_tau, T_tau: every T_tau steps tau changes by decay_tau^T_tau, C.3.1
    decay_gamma, T_gamma: every T_gamma steps gamma may change by decay_gamma^T_gamma, C.3.2
    curvature_average:   the most weight that old factors keep, Section 5; (0, 1) keeps none
    parameter_average:   the most weight that old parameters keep in their average, (45)
    thresholds:       of rho, below the first of which tau grows and above the second of which it shrinks
    tau_bounds, gamma_bounds: pairs of numbers, in the arithmetic of tau
    max_step_size:     the most that |alpha| may be
    momentum:         what part of the last update is added to the next, a pair
    refresh:          every how many steps the factors take in a batch
    """

    method: str
    eta: Any
    inversion: str = "trace"
    decay_tau: tuple[int, int] = (19, 20)
    T_tau: int = 5
    decay_gamma: tuple[int, int] = (19, 20)
    T_gamma: int = 20
    curvature_average: tuple[int, int] = (9, 10)
    parameter_average: tuple[int, int] = (19, 20)
    thresholds: tuple[tuple[int, int], tuple[int, int]] = (THREE_QUARTERS, THREE_QUARTERS)
    tau_bounds: tuple[Any, Any] | None = None
    gamma_bounds: tuple[Any, Any] | None = None
    max_step_size: Any = None
    momentum: tuple[int, int] = (0, 1)
    refresh: int = 1


class State(NamedTuple):
    """The state after t steps: the network with its weights, averages, tau, gamma and the last update.

    average, Q, G: the averages of the weights and of the factors
    update:        empty before the first step
    rejected:      the number of rejected steps among the t
    missed:        the number of rejected steps in which it was the factors' turn
    """

    t: int
    net: Network
    average: PerLayer
    Q: PerLayer
    G: PerLayer
    tau: Any
    gamma: Any
    update: PerLayer
    rejected: int = 0
    missed: int = 0


class Info(NamedTuple):
    """The outcome of a step.

    f:     the value before the step
    alpha: 0 if the step was rejected
    gamma: the damping that made the step
    rho:   of the whole update, with momentum, if tau was adapted by it; else None
    ok:    False if the step was rejected
    """

    f: Any
    alpha: Any
    gamma: Any
    rho: Any
    ok: bool = True


def initial_state(net: Network, tau: Any, gamma: Any) -> State:
    """Before the first step. The averages start empty: their first weight is 0. The paper gives no tau and gamma."""
    return State(0, net, {}, {}, {}, tau, gamma, {})


def averaged(old: PerLayer, new: PerLayer, t: int, most: Any) -> PerLayer:
    """(44) at step t, where nothing is old at the first."""
    return moving_average(old, new, average_weight(t, most)) if t > 1 else new


def factors(settings: Settings, state: State, X: Array, Y: Array, draws: Any) -> tuple[PerLayer, PerLayer]:
    """The averages of Q and G once they have taken in the batch; the averages of before where it is not their turn."""
    done, due = divmod(state.t, settings.refresh)
    if due > 0 or settings.method in HESSIAN_FREE:
        return state.Q, state.G
    most, n = rational(*settings.curvature_average, state.tau), done - state.missed + 1
    Q = averaged(state.Q, expected_q(state.net, X), n, most)
    return Q, averaged(state.G, METHODS[settings.method](state.net, X, Y, draws), n, most)


def damped_direction(
    settings: Settings, net: Network, X: Array, Y: Array, Q: PerLayer, G: PerLayer, g: PerLayer, tau: Any, gamma: Any
) -> PerLayer:
    """(33), (34): the direction by the factors, or by the Gauss-Newton matrix of the batch.

    They are damped with gamma + eta, but the matrix with tau + eta where it is whole.
    Raises `NotPositiveDefiniteError` if the damping is too small.
    """
    k = gamma + settings.eta
    if settings.method == "hessian_free":
        return per_layer(net, whole_direction(damped(gauss_newton(net, X, Y), tau + settings.eta), theta(g)))
    if settings.method == "hessian_free_blocks":
        blocks = gauss_newton_blocks(net, X, Y)
        return layer_directions({l: damped(blocks[l], k) for l in blocks}, g)
    if settings.inversion == "exact":
        return {l: exact_direction(Q[l], G[l], k, g[l]) for l in g}
    return visible_direction(Q, G, g, k, settings.inversion)


def rejected(settings: Settings, state: State, f: Any, *, damped: bool) -> tuple[State, Info]:
    """A step that moves nothing, since its damped matrix is not positive definite.

    damped: whether more damping may help; the damping of the matrix is then `raised`. It cannot help if f is not
    finite, or if there are no factors yet.
    """
    tau, gamma = state.tau, state.gamma
    if damped and settings.method == "hessian_free":
        tau = raised(tau, decay(settings.decay_tau, settings.T_tau, tau), settings.tau_bounds)
    elif damped:
        gamma = raised(gamma, decay(settings.decay_gamma, settings.T_gamma, gamma), settings.gamma_bounds)
    missed = state.missed + (state.t % settings.refresh == 0)
    after = state._replace(t=state.t + 1, tau=tau, gamma=gamma, rejected=state.rejected + 1, missed=missed)
    return after, Info(f, f * 0, state.gamma, None, ok=False)


def step(settings: Settings, state: State, X: Array, Y: Array, draws: Any = None) -> tuple[State, Info]:
    """One update on the batch X (N, D_0), Y, or none if the damped matrix is not positive definite: see `rejected`.

    rho, and so tau, depends on the whole update: alpha delta, and with momentum the part of the last update too.
    """
    net, tau, gamma, eta = state.net, state.tau, state.gamma, settings.eta
    t = state.t + 1

    f, g = regularised_loss(net, X, Y, eta), regularised_gradient(net, X, Y, eta)
    Q, G = factors(settings, state, X, Y, draws)
    if not Q and settings.method in METHODS:
        return rejected(settings, state, f, damped=False)

    def direction(gamma: Any) -> PerLayer:
        return damped_direction(settings, net, X, Y, Q, G, g, tau, gamma)

    def decrease(gamma: Any) -> Any:
        try:
            delta = direction(gamma)
        except NotPositiveDefiniteError:
            return f * 0 - 1  # less than the decrease by any usable direction
        bend = curvature_along(net, X, Y, delta, tau, eta)
        return bend if bend == 0 else dot(delta, g) ** 2 / bend

    if t % settings.T_gamma == 0 and settings.method != "hessian_free":
        omega = decay(settings.decay_gamma, settings.T_gamma, gamma)
        gamma = adapted_gamma(gamma, omega, decrease, settings.gamma_bounds)
    try:
        delta = direction(gamma)
    except NotPositiveDefiniteError:
        undefined = f - f != 0  # as NaN is, which NaN and infinity give, in every arithmetic
        return rejected(settings, state, f, damped=not undefined)
    bend = curvature_along(net, X, Y, delta, tau, eta)
    alpha = bend if bend == 0 else -dot(delta, g) / bend  # 0 where the direction is, as at a stationary point
    if settings.max_step_size is not None:
        alpha = bounded(alpha, (-settings.max_step_size, settings.max_step_size))
    update = scaled(alpha, delta)
    if state.update:
        update = added(update, scaled(rational(*settings.momentum, tau), state.update))
    after = moved(net, update)

    rho = None
    if t % settings.T_tau == 0:
        change, change_in_model = changes(net, X, Y, update, tau, eta)
        if not within_rounding(change, change_in_model, rounding(net, X, Y, f)):
            rho = change / change_in_model
            omega = decay(settings.decay_tau, settings.T_tau, tau)
            tau = bounded(adapted_tau(tau, rho, omega, settings.thresholds), settings.tau_bounds)
    most = rational(*settings.parameter_average, state.tau)
    average = averaged(state.average, weights(after), t - state.rejected, most)
    return State(t, after, average, Q, G, tau, gamma, update, *state[-2:]), Info(f, alpha, gamma, rho)


def trajectory(
    settings: Settings, state: State, batches: Iterable[tuple[Array, Array, Any]]
) -> list[tuple[State, Info]]:
    """The states after each step, over batches (X, Y, draws)."""
    states = []
    for X, Y, draws in batches:
        state, info = step(settings, state, X, Y, draws)
        states.append((state, info))
    return states
