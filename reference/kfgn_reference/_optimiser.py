"""Section 5 and Appendix C together: Algorithm 1 with every heuristic, as a pure function of the state and the batch.

The function `step` first computes the gradient of the batch. If the method has Kronecker factors, every `refresh`-th
step, from the first step on, also computes the factors of the batch and updates their moving average. In every
T_gamma-th step, gamma is then chosen again, except in the method `hessian_free`, which has no gamma. The step then
computes the direction, the step size and the update. In every T_tau-th step, tau is adapted after the update. The step
finally averages the parameters. Gap: the paper does not state when tau and gamma are adapted within a step. Misprint:
the caption of Algorithm 1 excludes heuristics "for eta and gamma". Tau and gamma are meant, since eta never changes.

Options that the experiments of the paper do not use are off by default, such as bounds of tau and gamma, a second
threshold, a maximal step size, momentum, less frequent updates of the factors, and the inverse of (35) by eigenvalues.
The rules of `_safeguards` are not in the paper, but cannot be turned off. These rules change a result only where
rounding errors matter, and after rejected steps.

>>> from kfgn_reference import Settings, initial_state, optimiser_step
>>> from kfgn_reference._example import X, Y, net
>>> state, info = optimiser_step(Settings("kfra", eta=0.0), initial_state(net, tau=0.5, gamma=0.5), X, Y)
>>> state.t, float(info.f), info.ok
(1, 1.25, True)
"""

import math
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
"""The functions that compute the second factor of a batch, by the names of the methods.

The last argument of each function contains the random numbers of the step. For KFAC, these are the `draws` of
`draw_labels`. For RP, these are the `projections` of `rp`. KFLR and KFRA ignore this argument.
"""


HESSIAN_FREE = ("hessian_free", "hessian_free_blocks")
"""The methods without Kronecker factors.

`hessian_free` uses the full Gauss-Newton matrix of the batch. `hessian_free_blocks` uses the diagonal blocks of this
matrix.
"""


class Settings(NamedTuple):
    """The constants of the optimiser, with the defaults of the paper. A pair (n, d) is the exact number n / d.

    method:                   a name of `METHODS` or `HESSIAN_FREE`
    eta:                      the weight of the L2 term eta / 2 |theta|^2, for which the paper gives no value
    inversion:                a name of `NORMS` for the inverse of (36) with this norm in (38), or "exact" for the
                              inverse of (35)
    decay_tau, T_tau:         every T_tau steps tau may be multiplied or divided by decay_tau^T_tau, C.3.1
    decay_gamma, T_gamma:     every T_gamma steps gamma may be multiplied or divided by decay_gamma^T_gamma, C.3.2
    curvature_average:        the largest weight of the old factors in their average, Section 5. The pair (0, 1), which
                              is the weight 0, gives no averaging
    parameter_average:        the largest weight of the old parameters in their average, (45)
    thresholds:               tau grows if rho is below the first threshold, and shrinks if rho is above the second
                              threshold
    tau_bounds, gamma_bounds: pairs (lower, upper) of bounds in the arithmetic of tau, or None
    max_step_size:            an upper bound of |alpha|, or None for no bound
    momentum:                 the fraction of the last update that is added to the next update
    refresh:                  the number of steps from one update of the factors to the next
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
    update:        the update of the weights in the last step that was not rejected, empty before such a step
    rejected:      the number of rejected steps among the t steps
    missed:        the number of rejected steps in which the factors were due for an update
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

    f:     the regularised loss before the step
    alpha: the step size. If the step was rejected, alpha is f * 0: 0 for a finite f, and NaN for any other f
    gamma: the damping gamma of this step
    rho:   the reduction ratio (42) of the update including momentum. None if the step was rejected, if T_tau does not
           divide the number t of the step, or if `within_rounding` is True
    ok:    False if the step was rejected
    """

    f: Any
    alpha: Any
    gamma: Any
    rho: Any
    ok: bool = True


def initial_state(net: Network, tau: Any, gamma: Any) -> State:
    """The state before the first step, with empty averages. The paper gives no initial tau and gamma."""
    return State(0, net, {}, {}, {}, tau, gamma, {})


def averaged(old: PerLayer, new: PerLayer, t: int, upper: Any) -> PerLayer:
    """The moving average (44), (45) of t values, the last of which is `new`. For t = 1 the average is `new`."""
    return moving_average(old, new, average_weight(t, upper)) if t > 1 else new


def factors(settings: Settings, state: State, X: Array, Y: Array, draws: Any) -> tuple[PerLayer, PerLayer]:
    """The averages of Q and G, updated with the batch in every `refresh`-th step, from the first step on.

    In all other steps, and for the methods of `HESSIAN_FREE`, the result is Q and G of `state`.
    """
    done, due = divmod(state.t, settings.refresh)
    if due > 0 or settings.method in HESSIAN_FREE:
        return state.Q, state.G
    upper, n = rational(*settings.curvature_average, state.tau), done - state.missed + 1
    Q = averaged(state.Q, expected_q(state.net, X), n, upper)
    return Q, averaged(state.G, METHODS[settings.method](state.net, X, Y, draws), n, upper)


def damped_direction(
    settings: Settings, net: Network, X: Array, Y: Array, Q: PerLayer, G: PerLayer, g: PerLayer, tau: Any, gamma: Any
) -> PerLayer:
    """Equations (33), (34): the direction computed from the factors, or from the Gauss-Newton matrix of the batch.

    Kronecker products and diagonal blocks are damped with gamma + eta, and the full matrix with tau + eta.
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
    """The result of a rejected step, which keeps the weights.

    A step is rejected if f is not finite, if no factors have been computed yet, or if the damped matrix is not positive
    definite.

    damped: True in the last case, in which more damping may help. The function `raised` then gives the damping of the
            next step
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
    """One update on the batch X (N, D_0), Y, or the result of `rejected`.

    draws: the random numbers of the step, the last argument of the functions in `METHODS`
    """
    net, eta = state.net, settings.eta
    f, g = regularised_loss(net, X, Y, eta), regularised_gradient(net, X, Y, eta)
    if not math.isfinite(float(f)):
        return rejected(settings, state, f, damped=False)
    Q, G = factors(settings, state, X, Y, draws)
    if not Q and settings.method in METHODS:
        return rejected(settings, state, f, damped=False)

    def direction(gamma: Any) -> PerLayer:
        return damped_direction(settings, net, X, Y, Q, G, g, state.tau, gamma)

    after, info = updated(settings, state, X, Y, f, g, direction)
    return (after._replace(Q=Q, G=G) if info.ok else after), info


def updated(
    settings: Settings, state: State, X: Array, Y: Array, f: Any, g: PerLayer, direction: Callable[[Any], PerLayer]
) -> tuple[State, Info]:
    """The part of a step that is the same for every curvature. The averages of Q and G stay those of `state`.

    The update is alpha delta plus the momentum, a fraction of the last update. rho is the ratio (42) of the whole
    update, and tau is adapted by this rho. If no direction exists for the gamma of the step, the result is that of
    `rejected`.

    f, g:             the regularised loss of the batch, which is finite, and its gradient
    direction(gamma): the direction (34) for a gamma. Raises `NotPositiveDefiniteError` if gamma is too small
    """
    net, tau, gamma, eta = state.net, state.tau, state.gamma, settings.eta
    t = state.t + 1

    def decrease(gamma: Any) -> Any:
        try:
            delta = direction(gamma)
        except NotPositiveDefiniteError:
            return f * 0 - 1  # below every true decrease, so a gamma with a direction is chosen if there is one
        curvature = curvature_along(net, X, Y, delta, tau, eta)
        return curvature if curvature == 0 else dot(delta, g) ** 2 / curvature

    if t % settings.T_gamma == 0 and settings.method != "hessian_free":
        omega = decay(settings.decay_gamma, settings.T_gamma, gamma)
        gamma = adapted_gamma(gamma, omega, decrease, settings.gamma_bounds)
    try:
        delta = direction(gamma)
    except NotPositiveDefiniteError:
        return rejected(settings, state, f, damped=True)
    curvature = curvature_along(net, X, Y, delta, tau, eta)
    alpha = curvature if curvature == 0 else -dot(delta, g) / curvature  # 0 at a stationary point, where delta = 0
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
    upper = rational(*settings.parameter_average, state.tau)
    average = averaged(state.average, weights(after), t - state.rejected, upper)
    new = state._replace(t=t, net=after, average=average, tau=tau, gamma=gamma, update=update)
    return new, Info(f, alpha, gamma, rho)


def trajectory(
    settings: Settings, state: State, batches: Iterable[tuple[Array, Array, Any]]
) -> list[tuple[State, Info]]:
    """The `State` and the `Info` after each step, for a sequence of batches (X, Y, draws)."""
    states = []
    for X, Y, draws in batches:
        state, info = step(settings, state, X, Y, draws)
        states.append((state, info))
    return states
