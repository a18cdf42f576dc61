"""Damped solves, and one step of the optimiser from each state of a walk."""

import numpy as np

from .curvature import Batch, Curvature


class Optimiser(Curvature):
    """Appendix C, and the steps of docs/vectors.md, for the methods that have factors.

    floored: whether a damping is raised to what rounding does not hide, as in a step and in no other solve
    """

    floored = False

    def norm(self, M, norm):
        """Norms of a symmetric positive semi-definite matrix, each for its share of the Kronecker product with I."""
        if norm == "trace":
            return np.trace(M) / len(M)
        if norm == "frobenius":
            return np.sqrt((M * M).sum() / len(M))
        return np.linalg.eigvalsh(M)[-1]

    def omega(self, Q, G, norm):
        of_Q, of_G = self.norm(Q, norm), self.norm(G, norm)
        return np.sqrt(of_Q / of_G) if of_Q > 0 and of_G > 0 else np.ones_like(of_Q)

    def solve(self, Q, G, V, k, inversion):
        """The inverse of a damped block, times V."""
        if inversion == "exact":
            (of_Q, U), (of_G, S) = np.linalg.eigh(Q), np.linalg.eigh(G)
            damped = of_G[:, None] * of_Q + k
            if not np.all(damped > 0):
                raise np.linalg.LinAlgError("the damped block is not positive definite")
            return S @ ((S.T @ V @ U) / damped) @ U.T
        root, omega = np.sqrt(k), self.omega(Q, G, inversion)
        left, right = self.damped(G, root / omega), self.damped(Q, root * omega)
        return np.linalg.solve(right, np.linalg.solve(left, V).T).T

    def damped(self, A, damping):
        """A + damping I, where the damping is at least the one of docs/vectors.md that rounding does not hide."""
        least = 8 * np.sqrt(len(A)) * self.unit * np.trace(A) if self.floored else 0
        damped = A + self.dtype_of(max(damping, least)) * np.eye(len(A), dtype=self.dtype)
        np.linalg.cholesky(damped)  # raises for what is not positive definite
        return damped

    @property
    def unit(self):
        """The unit roundoff."""
        return np.finfo(self.dtype).eps / 2

    def steps(self, problem):
        """From each waypoint: weights, their averages, Q, G, then tau, gamma, f and alpha."""
        return [array for here in problem.trajectory.checkpoints for array in self.step(problem, here)]

    def step(self, problem, here):
        trajectory, eta, t = problem.trajectory, self.real(problem.arguments.eta), here.t + 1
        b = Batch(problem, tuple(map(self.real, here.weights)), self.real(here.X), self.real(here.Y))
        tau, gamma = self.real(here.tau)[()], self.real(here.gamma)[()]
        self.kept.pop("passes", None)  # a walk is one problem with the weights and batches of many
        g = [g + eta * W for g, W in zip(self.gradient(b), b.weights, strict=True)]
        f = self.f(b, b.weights, eta)
        averages = self.eigenvalues(b, here) if trajectory.method == "ekfac" else self.factors(b, here, trajectory)

        def direction(gamma):
            if trajectory.method == "ekfac":
                return self.in_bases(here, averages[0], g, gamma + eta)
            parts = zip(*averages, g, strict=True)
            self.floored = True
            deltas = [self.solve(Q, G, g, gamma + eta, trajectory.inversion) for Q, G, g in parts]
            self.floored = False
            return deltas

        try:
            if t % 20 == 0:
                gamma = self.adapted_gamma(b, g, tau, gamma, eta, trajectory.gamma_bounds, direction)
            delta = direction(gamma)
        except np.linalg.LinAlgError:
            return self.rejected(here, f, self.raised(self.real(here.gamma)[()], trajectory.gamma_bounds))
        alpha = -self.dot(delta, g) / self.along(b, delta, delta, tau + eta)
        if trajectory.max_step_size is not None:
            alpha = np.clip(alpha, -trajectory.max_step_size, trajectory.max_step_size)
        part = trajectory.momentum[0] / trajectory.momentum[1] if here.t else 0.0
        step = [alpha * d for d in delta]
        carried = [part * self.real(u) for u in here.update]
        update = [s + c for s, c in zip(step, carried, strict=True)]
        if t % 5 == 0 and not self.within_rounding(b, g, tau, eta, f, update):
            rho = self.rho(b, g, tau, eta, f, step, update)
            tau = self.adapted_tau(tau, rho, trajectory)
        weights = [W + u for W, u in zip(b.weights, update, strict=True)]
        average = [self.average(self.real(old), new, t, 0.95) for old, new in zip(here.average, weights, strict=True)]
        self.kept.pop("passes", None)
        return [*weights, *average, *(A for of_layers in averages for A in of_layers), tau, gamma, f, alpha]

    def rejected(self, here, f, gamma):
        """The answer for a step that moves nothing."""
        kept = [list(map(self.real, arrays)) for arrays in (here.weights, here.average, here.Q, here.G)]
        self.kept.pop("passes", None)
        return [*kept[0], *kept[1], *kept[2], *kept[3], self.real(here.tau)[()], gamma, f, self.dtype_of(0)]

    def raised(self, gamma, bounds):
        """The gamma after a step that was rejected."""
        gamma = max(gamma / self.dtype_of(0.95**20), self.dtype_of(self.unit))
        return gamma if bounds is None else np.clip(gamma, *map(self.dtype_of, bounds))

    def factors(self, b, here, trajectory):
        """Averages of Q and G, with the batch where it is its turn."""
        Q, G = [list(map(self.real, old)) for old in (here.Q, here.G)]
        if here.t % trajectory.refresh:
            return Q, G
        count = here.t // trajectory.refresh + 1
        new = {"kflr": self.kflr, "kfra": self.kfra}.get(trajectory.method)
        if trajectory.method == "kfac":
            of_batch = self.kfac(b, self.sampled(b.problem, self.passes(b).h, self.real(here.draws)))
        else:
            of_batch = new(b) if new else self.rp(b, self.real(here.draws))
        return tuple(
            [self.average(old, new, count, 0.9) for old, new in zip(olds, news, strict=True)]
            for olds, news in ((Q, self.q(b)), (G, of_batch))
        )

    def eigenvalues(self, b, here):
        """The averages S of EKFAC, with the batch: the exact blocks in the bases have these diagonals."""
        passes, averages = self.passes(b), []
        C = self.backward(b, passes.slopes, self.output_root(b.problem, passes.h, b.Y).swapaxes(1, 2))
        for B, a, U_Q, U_G, old in zip(C, passes.inputs, here.U_Q, here.U_G, here.S, strict=True):
            rotated = np.einsum("nko,op,ni,ij->nkpj", B, self.real(U_G), a, self.real(U_Q), optimize=True)
            averages.append(self.average(self.real(old), self.mean((rotated**2).sum(axis=1)), here.t + 1, 0.9))
        return (averages,)

    def in_bases(self, here, S, g, k):
        """The direction of EKFAC: the gradient in the bases, divided by the damped eigenvalues, and rotated back."""
        if not all(np.all(S_l + k > 0) for S_l in S):
            raise np.linalg.LinAlgError("a damped eigenvalue is not positive")
        bases = zip(map(self.real, here.U_Q), map(self.real, here.U_G), strict=True)
        parts = zip(bases, S, g, strict=True)
        return [U_G @ (U_G.T @ V @ U_Q / (S_l + k)) @ U_Q.T for (U_Q, U_G), S_l, V in parts]

    def average(self, old, new, count, most):
        if count == 1:
            return new
        kept = min(1 - 1 / count, most)
        return kept * old + (1 - kept) * new

    def f(self, b, weights, eta):
        h = self.forward(b.problem, weights, b.X).h
        return self.mean(self.losses(b.problem, h, b.Y)) + eta / 2 * self.dot(weights, weights)

    def dot(self, U, V):
        return sum((u * v).sum() for u, v in zip(U, V, strict=True))

    def along(self, b, U, V, damping):
        """U^T (G + damping I) V, G the Gauss-Newton matrix of the batch."""
        (_, u), (_, v) = self.outputs_along(b, U), self.outputs_along(b, V)
        H = self.output_curvature(b.problem, self.passes(b).h, b.Y)
        return self.mean((u * (H @ v[..., None])[..., 0]).sum(axis=-1)) + damping * self.dot(U, V)

    def adapted_gamma(self, b, g, tau, gamma, eta, bounds, direction):
        """The gamma among three whose direction decreases the model most; a tie keeps the present one."""
        decay, best = 0.95**20, (None, -np.inf)
        for candidate in (gamma, gamma * self.dtype_of(decay), gamma / self.dtype_of(decay)):
            bounded = candidate if bounds is None else np.clip(candidate, *map(self.dtype_of, bounds))
            try:
                delta = direction(bounded)
            except np.linalg.LinAlgError:
                continue
            fall = self.dot(delta, g) ** 2 / self.along(b, delta, delta, tau + eta)
            best = (bounded, fall) if fall > best[1] else best
        return gamma if best[0] is None else best[0]

    def dtype_of(self, number):
        return np.dtype(self.dtype).type(number)

    def adapted_tau(self, tau, rho, trajectory):
        (low, below), (high, above) = trajectory.thresholds
        decay = self.dtype_of(0.95**5)
        if rho > high / above:
            tau = tau * decay
        elif rho < low / below:
            tau = tau / decay
        return tau if trajectory.tau_bounds is None else np.clip(tau, *map(self.dtype_of, trajectory.tau_bounds))

    def rho(self, b, g, tau, eta, f, step, update):  # noqa: ARG002  (step is what a mistake may take)
        """Equation (42) at the whole update. step: the part of it that is alpha times the direction."""
        return self.change(b, eta, f, update) / self.model_change(b, g, tau, eta, update)

    def within_rounding(self, b, g, tau, eta, f, update):
        """True if both changes of f are rounding."""
        h = self.passes(b).h
        terms = (np.abs(h) * np.abs(self.output_gradient(b.problem, h, b.Y))).sum(axis=-1)
        most = 8 * self.unit * (abs(f) + self.mean(terms))
        return abs(self.change(b, eta, f, update)) <= most and abs(self.model_change(b, g, tau, eta, update)) <= most

    def change(self, b, eta, f, update):
        return self.f(b, [W + u for W, u in zip(b.weights, update, strict=True)], eta) - f

    def model_change(self, b, g, tau, eta, update):
        return self.dot(update, g) + self.along(b, update, update, tau + eta) / 2
