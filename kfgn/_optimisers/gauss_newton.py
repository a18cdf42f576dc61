"""The paper's optimiser, Algorithm 1 with every heuristic of Appendix C: a damped Gauss-Newton direction, its step size
by the full Gauss-Newton matrix, and dampings that follow the progress.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from array_api_compat import array_namespace
from numpy.typing import NDArray

from .._algebra.layerwise import all_finite, inner, plus, quotient
from .._linearisation.arguments import check_network, checked, checked_targets, gauss_newton_split, targets_allowed
from .._linearisation.linearisation import GaussNewtonLinearisation, linearised_for_gauss_newton
from .._network.network import Network
from .._quadratic_model.terms import change_in_loss, curvature_term, regularised_gradient, rounding_of
from .._types import Array, Arrays, Namespace, Weights
from .._validation.scalars import checked_count, checked_number, checked_pair, set_fields
from .._words import shown
from ..backends import compiled, with_own_settings
from .adaptation import Damping, trusted
from .averages import averaged
from .candidates import Candidate, best
from .draws import checked_moment
from .factored import KroneckerFactored
from .failure import more_damped
from .form import check_form, check_held, checked_kind
from .hessian_free import HessianFree
from .state import (
    Counts,
    Info,
    checked_start,
    detached_tree,
    no_counts,
    scalar_like,
    selected,
    with_own_average,
    zero_count,
    zeros_like,
)

KFRA = KroneckerFactored("kfra")


class State(NamedTuple):
    """Between steps: t are done.

    t:         on the host, a Python integer
    weights:   theta_t
    average:   of the weights, (44)
    curvature: `Factors` of `KroneckerFactored`; empty for `HessianFree`
    tau:       the damping of the full matrix, 0-d
    gamma:     the damping of the blocks, 0-d
    update:    the last one, for momentum; empty without
    counts:    how the steps ended
    """

    t: int
    weights: Arrays
    average: Arrays
    curvature: Any
    tau: Array
    gamma: Array
    update: Arrays
    counts: Counts


class Program(NamedTuple):
    """Which heuristics a step has: the host knows by counting, so each is a program of its own to who traces it.

    tau, gamma: whether they adapt
    refresh:    whether the curvature is computed again
    """

    tau: bool
    gamma: bool
    refresh: bool


@dataclass(frozen=True)
class GaussNewton:
    """Gauss-Newton optimisation of f = loss + eta / 2 |theta|^2, biases included: `init`, then `step` by `step`.

        delta~ = C~^-1 grad f           C~    = curvature + (gamma + eta) I     (33)-(38)
        delta  = alpha delta~           alpha = -delta~^T grad f / delta~^T C-bar delta~
                                        C-bar = G-bar + (tau + eta) I           (39)-(41)

    on one batch each; only the factors of C~ are averages over earlier ones. tau follows the reduction ratio (42), and
    gamma is one of gamma omega, gamma, gamma / omega by which the model under C-bar falls most (C.3). Both changes of
    (42) are those of the whole update: delta, and with momentum the part of the last update too. tau keeps its value if
    both are within eight roundings of f.

    network:           with its objective
    curvature:         `KroneckerFactored`, by KFRA, KFLR, KFAC or random projections, or `HessianFree`
    eta:               weight of L2
    tau, gamma:        the dampings; by default good initial values for this curvature
    thresholds:        of rho; tau is raised below the first and lowered above the second. The paper has one, 3/4
    max_step_size:      the most that |alpha| may be; None for no bound, as in the paper
    momentum:          the part of the last update that is added to the next; the paper found it of no use
    parameter_average: the most weight that earlier weights keep in their average, (45)

    Raises `ValueError` and `TypeError` for numbers out of range, and for an objective whose H_L is indefinite if the
    network says psd="raise".
    """

    network: Network
    curvature: KroneckerFactored | HessianFree = KFRA
    eta: float = 1e-5
    tau: Damping = None  # type: ignore[assignment]  # `__post_init__` asks the curvature for what is not given
    gamma: Damping = None  # type: ignore[assignment]
    thresholds: tuple[float, float] = (0.75, 0.75)
    max_step_size: float | None = None
    momentum: float = 0.0
    parameter_average: float = 0.95

    def __post_init__(self) -> None:
        check_network(self.network)
        gauss_newton_split(self.network)
        if not isinstance(self.curvature, KroneckerFactored | HessianFree):
            raise TypeError(f"curvature: expected KroneckerFactored or HessianFree, got {shown(self.curvature)}")
        for name in ("tau", "gamma"):
            if getattr(self, name) is None:
                set_fields(self, **{name: getattr(self.curvature, name.upper())})
            if not isinstance(getattr(self, name), Damping):
                raise TypeError(f"{name}: expected a Damping, got {shown(getattr(self, name))}")
        low, high = checked_pair("thresholds", self.thresholds)
        low = checked_number("thresholds", low)
        set_fields(
            self,
            eta=checked_number("eta", self.eta),
            thresholds=(low, checked_number("thresholds", high, lower=low)),
            momentum=checked_number("momentum", self.momentum, upper=1.0),
            parameter_average=checked_number("parameter_average", self.parameter_average, upper=1.0),
        )
        if self.max_step_size is not None:
            set_fields(self, max_step_size=checked_number("max_step_size", self.max_step_size, above=True))

    @with_own_settings
    def init(self, weights: Weights) -> State:
        """The state before the first step, at a copy of the weights W_l (D_l, D_{l-1} + 1).

        Raises as functions of the package do, and `ValueError` for a hyperparameter too large for their dtype.
        """
        weights = checked_start(self.network, weights)
        check_held(self, weights[0])
        self.curvature.check_memory(self.network, weights[0])
        return with_own_average(self.start(weights))

    def start(self, weights: Arrays) -> State:
        """The state before the first step, at weights that have been checked."""
        W = weights[0]
        zeros = zeros_like(W)
        return State(
            t=0,
            weights=weights,
            average=weights,
            curvature=self.curvature.start(zeros, self.network, zero_count(W)),
            tau=scalar_like(W, self.tau.initial),
            gamma=scalar_like(W, self.gamma.initial),
            update=tuple(zeros(W.shape) for W in weights) if self.momentum else (),
            counts=no_counts(W),
        )

    def draw(self, seed: int, t: int, N: int) -> NDArray[Any] | None:
        """The random numbers that step t = 1, 2, ... of a run needs for N datapoints: float32 on the host.

        seed: an integer from 0. The result is None for methods that sample nothing. `step` takes the numbers in the
        library and dtype of the weights.
        """
        return self.curvature.draw(self.network, *checked_moment(seed, t, N))

    @with_own_settings
    def step(self, state: State, X: Array, Y: Array, draws: Array | None = None) -> tuple[State, Info]:
        """One update on the batch X (N, D_0), Y; draws: what `draw` gives, as an array of the library.

        Pure, and never waits for the device. A step that cannot be computed, or whose targets or draws are out of
        their range, is rejected: `Info.ok` is False, and the state keeps all but t and the counts. If the batch and
        the draws were in order, the damping was too small, and one of the two is raised by `Damping.raised`:

            gamma   where a damped block is not positive definite or the direction is not finite; it is tau for the
                    whole matrix of `HessianFree`, which has no gamma
            tau     where the direction is finite and alpha times it is not, and where tau adapts in this step and f is
                    not finite after the update

        f after the update is computed only where tau adapts. So another step may be accepted although f, or a sum
        that the next step needs, overflows at the new weights. Then every later step is rejected, and no damping
        helps: go on from an earlier state, with more tau, with `max_step_size` or with a tau of period 1, which
        computes f after every update.

        Wrong shapes, dtypes, libraries and devices raise as functions of the package do.
        """
        t = checked_kind(state, State).t + 1
        network = self.network
        _, X = checked(network, state.weights, X, check=False)
        Y = checked_targets(network, X, Y, check=False)
        program = self.program(t)
        draws = self.curvature.checked_draws(network, X, draws)
        check_form(self, state)
        arrays, info = compiled(_step, self, program, like=X)(detached_tree(tuple(state)[1:]), X, Y, draws)
        return State(t, *arrays), info

    def program(self, t: int) -> Program:
        """That of step t = 1, 2, ..."""
        t = checked_count("t", t)
        adapts_gamma = self.curvature.has_gamma and self.gamma.due(t)
        return Program(self.tau.due(t), adapts_gamma, self.curvature.due(t))


def _step(
    optimiser: GaussNewton, program: Program, arrays: tuple[Any, ...], X: Array, Y: Array, draws: Array | None
) -> tuple[tuple[Any, ...], Info]:
    """A step from the fields of a state except t, and the fields after it."""
    state = State(0, *arrays)
    xp, eta = array_namespace(X), optimiser.eta
    at = linearised_for_gauss_newton(optimiser.network, state.weights, X, Y)
    loss = at.loss()
    curvature: Any
    gradient, curvature = optimiser.curvature.observed(at, state.curvature, draws, program.refresh)
    g = regularised_gradient(at.weights, gradient, eta)

    def direction(gamma: Array) -> tuple[Arrays, Any, Array]:
        anew = program.refresh or program.gamma
        return optimiser.curvature.direction(at, curvature, g, state.tau + eta, gamma + eta, anew)

    gammas = optimiser.gamma.candidates(xp, state.gamma) if program.gamma else (state.gamma,)
    step = best(at, direction, gammas, g, state.tau + eta)
    alpha = _step_size(xp, step, optimiser.max_step_size)
    update = tuple(alpha * d for d in step.delta)
    fall = alpha * step.slope + alpha * alpha * step.bend / 2
    if optimiser.momentum:
        update = plus(update, state.update, optimiser.momentum)
        fall = change_in_model(at, update, g, state, eta)
    weights = plus(at.weights, update)

    f, valid = loss + eta / 2 * inner(xp, at.weights, at.weights), targets_allowed(xp, at.network, Y)
    posed = valid & xp.isfinite(f) & all_finite(xp, g) & optimiser.curvature.ready(at, curvature, draws)
    landed, tau, rho = xp.isfinite(inner(xp, update, update)), state.tau, None
    if program.tau:
        change = change_in_loss(at, update, eta)
        landed = landed & xp.isfinite(change)
        rounding = rounding_of(at, f)
        rho = trusted(xp, quotient(xp, change, fall), change, fall, rounding)
        tau = optimiser.tau.followed(xp, tau, rho, optimiser.thresholds)

    ok = posed & step.ok & landed
    counts = state.counts.after(ok)
    average = averaged(xp, state.average, weights, state.counts.accepted + 1, optimiser.parameter_average)
    kept = update if optimiser.momentum else ()
    after = (weights, average, step.curvature, tau, step.gamma, kept)
    before = more_damped(optimiser, xp, state, posed & ~step.ok, posed & step.ok & ~landed)
    after = selected(xp, ok, after, tuple(before)[1:-1])
    info = Info(ok, loss, f, xp.where(ok, alpha, xp.zeros_like(alpha)), state.tau, step.gamma, rho, valid)
    return (*after, counts), info


def change_in_model(at: GaussNewtonLinearisation, update: Arrays, g: Arrays, state: State, eta: float) -> Array:
    """The denominator of (42) for the whole update, which includes the part of the last update, 0-d."""
    return inner(at.xp, update, g) + curvature_term(at, update, state.tau + eta) / 2


def _step_size(xp: Namespace, best: Candidate, max_step_size: float | None) -> Array:
    """alpha (40), within the longest step; 0 where the direction is, as it is at a stationary point."""
    flat = best.bend == 0
    alpha = xp.where(flat, xp.zeros_like(best.bend), -best.slope / xp.where(flat, xp.ones_like(best.bend), best.bend))
    return alpha if max_step_size is None else xp.clip(alpha, -max_step_size, max_step_size)
