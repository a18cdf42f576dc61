"""Algorithm 1 with every heuristic of Appendix C, from one state of a walk to the next."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ...problems.problem import Array, Checkpoint, Trajectory
from .passes import PerLayer
from .products import dot
from .solves import Solves

CURVATURE_AVERAGE, PARAMETER_AVERAGE = 0.9, 0.95
T_TAU, T_GAMMA, DECAY = 5, 20, 0.95
UNIT = 2.0**-53


class Stepped(NamedTuple):
    """What a step answers."""

    weights: PerLayer
    average: PerLayer
    Q: PerLayer
    G: PerLayer
    tau: Any
    gamma: Any
    f: Any
    alpha: Any


class Steps(Solves):
    """One step from a waypoint, whose batch and weights are those of the problem."""

    def at(self, here: Checkpoint) -> "Steps":
        """The same formulas on the batch of a waypoint."""
        problem, trajectory = self.problem, self.trajectory()
        arguments = problem.arguments._replace(tau=here.tau, gamma=here.gamma)
        if trajectory.method == "rp":
            assert here.draws is not None
            arguments = arguments._replace(projections=here.draws)
        draws = here.draws if trajectory.method == "kfac" and here.draws is not None else problem.draws
        there = replace(problem, weights=here.weights, X=here.X, Y=here.Y, draws=draws, arguments=arguments)
        if trajectory.method == "kfac":
            there = replace(there, labels=type(self)(there).labels()[1])
        return type(self)(there)

    def trajectory(self) -> Trajectory:
        """That of the problem."""
        trajectory = self.problem.trajectory
        assert trajectory is not None
        return trajectory

    def weight_of_old(self, t: int, most: float) -> float:
        """beta_t (45)."""
        return min(most, 1 - 1 / t)

    def averaged(self, old: PerLayer, new: PerLayer, t: int, most: float) -> PerLayer:
        """(44)."""
        beta = self.weight_of_old(t, most)
        return {l: beta * old[l] + (1 - beta) * new[l] for l in new}

    def averaged_factors(self, here: Checkpoint) -> tuple[PerLayer, PerLayer]:
        """Those of before with the batch's, where it is the batch's turn."""
        trajectory = self.trajectory()
        old = tuple(dict(enumerate(arrays, start=1)) for arrays in (here.Q, here.G))
        done, due = divmod(here.t, trajectory.refresh)
        if due > 0:
            return old[0], old[1]
        new = self.q(), getattr(self, trajectory.method)()
        Q, G = (self.averaged(before, now, done + 1, CURVATURE_AVERAGE) for before, now in zip(old, new, strict=True))
        return Q, G

    def with_gamma(self, gamma: Any) -> "Steps":
        """The same with another damping of the blocks."""
        arguments = self.problem.arguments._replace(gamma=np.asarray(gamma))
        return type(self)(replace(self.problem, arguments=arguments))

    def direction(self, factors: tuple[PerLayer, PerLayer] | None) -> PerLayer:
        """C^-1 grad f, uphill."""
        g, inversion = self.regularised_gradient(), self.trajectory().inversion
        if factors is None:
            return self.whole_solve(g) if self.trajectory().method == "hessian_free" else self.block_solve(g)
        Q, G = factors
        if inversion == "exact":
            return {l: self.exact_solve(Q[l], G[l], g[l]) for l in g}
        return {l: self.factored_solve(Q[l], G[l], g[l], inversion) for l in g}

    def visible(self, A: Array, damping: Any) -> Any:
        """The damping, but at least 8 sqrt(D) u tr(A), unless it is 0."""
        return max(damping, 8 * np.sqrt(len(A)) * UNIT * np.trace(A)) if damping > 0 else damping

    def damped_factors(self, Q: Array, G: Array, norm: str = "trace") -> tuple[Array, Array]:
        """The damped factors of (36) with visible dampings."""
        omega, root = self.omega(Q, G, norm), np.sqrt(self.block_damping())
        of_Q, of_G = self.visible(Q, omega * root), self.visible(G, root / omega)
        return Q + of_Q * np.eye(len(Q)), G + of_G * np.eye(len(G))

    def positive_definite(self, A: Array) -> bool:
        """True if A has a Cholesky factor."""
        try:
            np.linalg.cholesky(A)
        except np.linalg.LinAlgError:
            return False
        return True

    def invertible(self, factors: tuple[PerLayer, PerLayer] | None) -> bool:
        """True if every damped matrix that the direction needs is positive definite."""
        if factors is None:
            return True
        k, inversion = self.block_damping(), self.trajectory().inversion
        if inversion == "exact":
            blocks = [self.kronecker(Q, G) for Q, G in zip(factors[0].values(), factors[1].values(), strict=True)]
            return all(self.positive_definite(block + k * np.eye(len(block))) for block in blocks)
        damped = [self.damped_factors(Q, factors[1][l], inversion) for l, Q in factors[0].items()]
        return all(self.positive_definite(A) for pair in damped for A in pair)

    def decrease(self, delta: PerLayer) -> Any:
        """How far the model falls along a direction, with the best step size; twice that."""
        return dot(delta, self.regularised_gradient()) ** 2 / self.curvature_along(delta)

    def bounded(self, value: Any, bounds: tuple[float, float] | None) -> Any:
        """Within its bounds."""
        return value if bounds is None else min(max(value, bounds[0]), bounds[1])

    def omega_tau(self) -> float:
        """0.95^T_tau."""
        return DECAY**T_TAU

    def omega_gamma(self) -> float:
        """0.95^T_gamma."""
        return DECAY**T_GAMMA

    def chosen_gamma(self, factors: tuple[PerLayer, PerLayer] | None) -> Any:
        """C.3.2: of three the one whose step decreases the model most."""
        gamma, omega, bounds = self.problem.arguments.gamma, self.omega_gamma(), self.trajectory().gamma_bounds
        others = (self.bounded(gamma * omega, bounds), self.bounded(gamma / omega, bounds))
        usable = [g for g in (gamma, *others) if self.with_gamma(g).invertible(factors)]
        return max(
            usable,
            key=lambda g: float(self.decrease(self.with_gamma(g).direction(factors))),
            default=self.problem.arguments.gamma,
        )

    def followed_tau(self, rho: Any) -> Any:
        """C.3.1."""
        trajectory, tau = self.trajectory(), self.problem.arguments.tau
        low, high = (n / d for n, d in trajectory.thresholds)
        omega = self.omega_tau()
        return self.bounded(tau * omega if rho > high else tau / omega if rho < low else tau, trajectory.tau_bounds)

    def raised_gamma(self) -> Any:
        """The state after a rejected step."""
        return self.bounded(
            max(self.problem.arguments.gamma / self.omega_gamma(), UNIT), self.trajectory().gamma_bounds
        )

    def rejected(self, here: Checkpoint) -> Stepped:
        """A step whose matrix is not positive definite: gamma is raised, and the weights stay."""
        average, Q, G = (dict(enumerate(arrays, start=1)) for arrays in (here.average, here.Q, here.G))
        return Stepped(self.W, average, Q, G, here.tau, self.raised_gamma(), self.regularised_loss(), 0.0)

    def ratio(self, update: PerLayer, _own: PerLayer) -> Any:
        """rho of an update; `own` is its part without momentum."""
        return self.reduction_ratio(update)

    def is_rounding(self, update: PerLayer) -> bool:
        """True if both changes of (42) are within eight roundings of f, so that tau stays."""
        f, moved = self.regularised_loss(), {l: W + update[l] for l, W in self.W.items()}
        outputs = self.mean(np.sum(np.abs(self.h[self.L] * self.gradients()[self.L]), axis=1))
        limit = 8 * UNIT * (abs(f) + outputs)
        return bool(max(abs(self.regularised_loss(moved) - f), abs(self.change_in_model(update))) <= limit)

    def stepped(self, here: Checkpoint) -> Stepped:
        """From a waypoint whose batch is the problem's."""
        trajectory, t = self.trajectory(), here.t + 1
        factors = (
            self.averaged_factors(here) if trajectory.method not in ("hessian_free", "hessian_free_blocks") else None
        )
        gamma = here.gamma
        if t % T_GAMMA == 0 and trajectory.method != "hessian_free":
            gamma = self.chosen_gamma(factors)
        if not self.with_gamma(gamma).invertible(factors):
            return self.rejected(here)
        delta = self.with_gamma(gamma).direction(factors)
        alpha = self.step_size(delta)
        if trajectory.max_step_size is not None:
            alpha = self.bounded(alpha, (-trajectory.max_step_size, trajectory.max_step_size))
        part = trajectory.momentum[0] / trajectory.momentum[1]
        last = dict(enumerate(here.update, start=1))
        own = {l: alpha * d for l, d in delta.items()}
        update = {l: d + part * last[l] for l, d in own.items()}
        weights = {l: W + update[l] for l, W in self.W.items()}
        adapts = t % T_TAU == 0 and not self.is_rounding(update)
        tau = self.followed_tau(self.ratio(update, own)) if adapts else here.tau
        average = self.averaged(dict(enumerate(here.average, start=1)), weights, t, PARAMETER_AVERAGE)
        Q, G = factors or ({}, {})
        return Stepped(weights, average, Q, G, tau, gamma, self.regularised_loss(), alpha)

    def optimiser_step(self) -> list[Array]:
        """Every field of a step from each waypoint."""
        arrays: list[Array] = []
        for here in self.trajectory().checkpoints:
            step = self.at(here).stepped(here)
            for per_layer in step[:4]:
                arrays += per_layer.values()
            arrays += [np.asarray(value) for value in step[4:]]
        return arrays
