"""One step of Algorithm 1 with every heuristic of Appendix C, from a checkpoint of an optimiser trajectory."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ...problems.problem import Array, Checkpoint, Trajectory
from .eigenbases import Eigenbases
from .passes import PerLayer
from .products import dot

CURVATURE_AVERAGE, PARAMETER_AVERAGE = 0.9, 0.95
T_TAU, T_GAMMA, DECAY = 5, 20, 0.95
UNIT = 2.0**-53


Averages = tuple[PerLayer, ...]
"""The averages of a curvature: Q and G of Kronecker factors, S of EKFAC, or none for a Hessian-free method."""


class StepResult(NamedTuple):
    """The state after a step, with the step size alpha, and with f before the step.

    f is the mean of E plus the L2 term.
    """

    weights: PerLayer
    average: PerLayer
    curvature: Averages
    tau: Any
    gamma: Any
    f: Any
    alpha: Any


class Steps(Eigenbases):
    """Formulas of a step from a checkpoint, for a problem with the weights and the batch of this checkpoint."""

    def at(self, here: Checkpoint) -> "Steps":
        """The formulas for the problem with the weights, batch, dampings and random numbers of a checkpoint."""
        problem, trajectory = self.problem, self.trajectory()
        arguments = problem.arguments._replace(tau=here.tau, gamma=here.gamma)
        if trajectory.method == "rp":
            assert here.draws is not None
            arguments = arguments._replace(projections=here.draws)
        draws = here.draws if trajectory.method == "kfac" and here.draws is not None else problem.draws
        alone = trajectory._replace(checkpoints=(here,))
        there = replace(problem, weights=here.weights, X=here.X, Y=here.Y, draws=draws, trajectory=alone)
        there = replace(there, arguments=arguments)
        if trajectory.method == "kfac":
            there = replace(there, labels=type(self)(there).labels()[1])
        return type(self)(there)

    def trajectory(self) -> Trajectory:
        """The optimiser trajectory of the problem: the optimiser's settings and its checkpoints."""
        trajectory = self.problem.trajectory
        assert trajectory is not None
        return trajectory

    def weight_of_old(self, t: int, limit: float) -> float:
        """beta_t (45), the weight of the old value in a moving average."""
        return min(limit, 1 - 1 / t)

    def averaged(self, old: PerLayer, new: PerLayer, t: int, limit: float) -> PerLayer:
        """The moving average (44)."""
        beta = self.weight_of_old(t, limit)
        return {l: beta * old[l] + (1 - beta) * new[l] for l in new}

    def old_averages(self, here: Checkpoint) -> Averages:
        """The averages of the curvature at a checkpoint."""
        method = self.trajectory().method
        if method in ("hessian_free", "hessian_free_blocks"):
            return ()
        of_method = (here.S,) if method == "ekfac" else (here.Q, here.G)
        return tuple(dict(enumerate(arrays, start=1)) for arrays in of_method)

    def averages(self, here: Checkpoint) -> Averages:
        """The averages of the curvature in a step: Q and G, which are updated every `refresh` steps, or S."""
        trajectory, old = self.trajectory(), self.old_averages(here)
        if trajectory.method == "ekfac":
            return (self.averaged_eigenvalues(here, old[0]),)
        done, due = divmod(here.t, trajectory.refresh)
        if due > 0 or not old:
            return old
        new = self.q(), getattr(self, trajectory.method)()
        return tuple(
            self.averaged(before, now, done + 1, CURVATURE_AVERAGE) for before, now in zip(old, new, strict=True)
        )

    def bases(self) -> tuple[PerLayer, PerLayer]:
        """The bases U_Q and U_G of the checkpoint. No step from a checkpoint computes bases."""
        (here,) = self.trajectory().checkpoints
        U_Q, U_G = (dict(enumerate(arrays, start=1)) for arrays in (here.U_Q, here.U_G))
        return U_Q, U_G

    def averaged_eigenvalues(self, here: Checkpoint, old: PerLayer) -> PerLayer:
        """The average of S, to which each batch adds its eigenvalues in the bases of the checkpoint."""
        return self.averaged(old, self.eigenvalues(*self.bases()), here.t + 1, CURVATURE_AVERAGE)

    def with_gamma(self, gamma: Any) -> "Steps":
        """The formulas for the problem with a different gamma."""
        arguments = self.problem.arguments._replace(gamma=np.asarray(gamma))
        return type(self)(replace(self.problem, arguments=arguments))

    def direction(self, averages: Averages) -> PerLayer:
        """The uphill direction C^-1 grad f, where C is the damped curvature matrix of the method."""
        g, method, inversion = self.regularised_gradient(), self.trajectory().method, self.trajectory().inversion
        if not averages:
            return self.whole_solve(g) if method == "hessian_free" else self.block_solve(g)
        if method == "ekfac":
            (S,), (U_Q, U_G) = averages, self.bases()
            return {l: self.eigen_solve(S[l], U_Q[l], U_G[l], g[l]) for l in g}
        Q, G = averages
        if inversion == "exact":
            return {l: self.exact_solve(Q[l], G[l], g[l]) for l in g}
        return {l: self.factored_solve(Q[l], G[l], g[l], inversion) for l in g}

    def visible(self, A: Array, damping: Any) -> Any:
        """Increase the damping of a matrix A of order D, if necessary, so that rounding does not remove the damping.

        A positive damping is increased to at least 8 sqrt(D) u tr(A), where u is the unit roundoff of float64. A
        damping of 0 is unchanged.
        """
        return max(damping, 8 * np.sqrt(len(A)) * UNIT * np.trace(A)) if damping > 0 else damping

    def damped_factors(self, Q: Array, G: Array, norm: str = "trace") -> tuple[Array, Array]:
        """The damped factors of (36), with dampings that rounding does not remove."""
        omega, root = self.omega(Q, G, norm), np.sqrt(self.block_damping())
        damping_Q, damping_G = self.visible(Q, omega * root), self.visible(G, root / omega)
        return Q + damping_Q * np.eye(len(Q)), G + damping_G * np.eye(len(G))

    def positive_definite(self, A: Array) -> bool:
        """True if A has a Cholesky factor."""
        try:
            np.linalg.cholesky(A)
        except np.linalg.LinAlgError:
            return False
        return True

    def invertible(self, averages: Averages) -> bool:
        """True if every damped matrix that the direction needs is positive definite.

        A method without averages has no such test, and the result is True.
        """
        if not averages:
            return True
        k, inversion = self.block_damping(), self.trajectory().inversion
        if self.trajectory().method == "ekfac":
            return all(bool(np.all(self.damped_eigenvalues(S) > 0)) for S in averages[0].values())
        if inversion == "exact":
            blocks = [self.kronecker(Q, G) for Q, G in zip(averages[0].values(), averages[1].values(), strict=True)]
            return all(self.positive_definite(block + k * np.eye(len(block))) for block in blocks)
        damped = [self.damped_factors(Q, averages[1][l], inversion) for l, Q in averages[0].items()]
        return all(self.positive_definite(A) for pair in damped for A in pair)

    def decrease(self, delta: PerLayer) -> Any:
        """Twice the decrease of the quadratic model by the step alpha delta, where alpha is the optimal step size."""
        return dot(delta, self.regularised_gradient()) ** 2 / self.curvature_along(delta)

    def bounded(self, value: Any, bounds: tuple[float, float] | None) -> Any:
        """The value, clipped to the bounds. Without bounds, the value is unchanged."""
        return value if bounds is None else min(max(value, bounds[0]), bounds[1])

    def omega_tau(self) -> float:
        """0.95^T_tau."""
        return DECAY**T_TAU

    def omega_gamma(self) -> float:
        """0.95^T_gamma."""
        return DECAY**T_GAMMA

    def adapted_gamma(self, averages: Averages) -> Any:
        """The adapted gamma (C.3.2): of three candidates, the value whose step decreases the quadratic model most.

        A candidate is left out if a damped matrix is not positive definite. If all candidates are left out, gamma does
        not change.
        """
        gamma, omega, bounds = self.problem.arguments.gamma, self.omega_gamma(), self.trajectory().gamma_bounds
        others = (self.bounded(gamma * omega, bounds), self.bounded(gamma / omega, bounds))
        usable = [g for g in (gamma, *others) if self.with_gamma(g).invertible(averages)]
        return max(
            usable,
            key=lambda g: float(self.decrease(self.with_gamma(g).direction(averages))),
            default=self.problem.arguments.gamma,
        )

    def adapted_tau(self, rho: Any) -> Any:
        """The adapted tau (C.3.1), which depends on the reduction ratio rho."""
        trajectory, tau = self.trajectory(), self.problem.arguments.tau
        low, high = (n / d for n, d in trajectory.thresholds)
        omega = self.omega_tau()
        return self.bounded(tau * omega if rho > high else tau / omega if rho < low else tau, trajectory.tau_bounds)

    def raised_gamma(self) -> Any:
        """gamma after a rejected step."""
        return self.bounded(
            max(self.problem.arguments.gamma / self.omega_gamma(), UNIT), self.trajectory().gamma_bounds
        )

    def rejected(self, here: Checkpoint) -> StepResult:
        """The result of a rejected step: gamma is increased, and the weights are unchanged."""
        average, curvature = dict(enumerate(here.average, start=1)), self.old_averages(here)
        return StepResult(self.W, average, curvature, here.tau, self.raised_gamma(), self.regularised_loss(), 0.0)

    def ratio(self, update: PerLayer, _own: PerLayer) -> Any:
        """rho of an update. Only mistakes use the second argument, which is the update without momentum."""
        return self.reduction_ratio(update)

    def is_rounding(self, update: PerLayer) -> bool:
        """True if both changes in (42) are at most eight rounding errors of f. In this case, tau is not adapted."""
        f, moved = self.regularised_loss(), {l: W + update[l] for l, W in self.W.items()}
        outputs = self.mean(np.sum(np.abs(self.h[self.L] * self.gradients()[self.L]), axis=1))
        limit = 8 * UNIT * (abs(f) + outputs)
        return bool(max(abs(self.regularised_loss(moved) - f), abs(self.change_in_model(update))) <= limit)

    def step(self, here: Checkpoint) -> StepResult:
        """A step from a checkpoint whose weights and batch are those of the problem."""
        trajectory, t = self.trajectory(), here.t + 1
        curvature = self.averages(here)
        gamma = here.gamma
        if t % T_GAMMA == 0 and trajectory.method != "hessian_free":
            gamma = self.adapted_gamma(curvature)
        if not self.with_gamma(gamma).invertible(curvature):
            return self.rejected(here)
        delta = self.with_gamma(gamma).direction(curvature)
        alpha = self.step_size(delta)
        if trajectory.max_step_size is not None:
            alpha = self.bounded(alpha, (-trajectory.max_step_size, trajectory.max_step_size))
        part = trajectory.momentum[0] / trajectory.momentum[1]
        last = dict(enumerate(here.update, start=1))
        own = {l: alpha * d for l, d in delta.items()}
        update = {l: d + part * last[l] for l, d in own.items()}
        weights = {l: W + update[l] for l, W in self.W.items()}
        adapts = t % T_TAU == 0 and not self.is_rounding(update)
        tau = self.adapted_tau(self.ratio(update, own)) if adapts else here.tau
        average = self.averaged(dict(enumerate(here.average, start=1)), weights, t, PARAMETER_AVERAGE)
        return StepResult(weights, average, curvature, tau, gamma, self.regularised_loss(), alpha)

    def optimiser_step(self) -> list[Array]:
        """The results of one step from each checkpoint of the trajectory, as a list of arrays."""
        arrays: list[Array] = []
        for here in self.trajectory().checkpoints:
            step = self.at(here).step(here)
            for per_layer in (step.weights, step.average, *step.curvature):
                arrays += per_layer.values()
            arrays += [np.asarray(value) for value in (step.tau, step.gamma, step.f, step.alpha)]
        return arrays
