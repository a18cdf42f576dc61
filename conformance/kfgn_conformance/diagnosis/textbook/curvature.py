"""The loss, its gradient, and the curvature of Sections 2 and 3 and Appendix D."""

import numpy as np
from kfgn_reference import OBJECTIVES

from ...problems.problem import Array
from .passes import Passes, PerLayer


def outer(rows: Array) -> Array:
    """sum_k v_k v_k^T of rows (N, k, D): (N, D, D)."""
    return rows.swapaxes(1, 2) @ rows


def kron_each(Q: Array, G: Array) -> Array:
    """Q_n kron G_n of (N, P, P) and (N, D, D)."""
    return np.stack([np.kron(q, g) for q, g in zip(Q, G, strict=True)])


class Curvature(Passes):
    """Factors and blocks."""

    def loss(self) -> Array:
        """The mean of E."""
        E = OBJECTIVES[self.problem.objective].value
        return self.scale * self.mean(np.array([E(h, y) for h, y in zip(self.h[self.L], self.problem.Y, strict=True)]))

    def gradients(self) -> PerLayer:
        """dE/dh_l (N, D_l) at the labels of the data."""
        return {l: d[:, 0] for l, d in self.carried(self.output_gradient(self.problem.Y)[:, None, :]).items()}

    def gradient(self) -> PerLayer:
        """E[dE/dh_l a_{l-1}^T]."""
        return {l: self.mean(d[:, :, None] * self.a[l][:, None, :]) for l, d in self.gradients().items()}

    def moments(self, l: int) -> Array:
        """a_{l-1} a_{l-1}^T of each datapoint."""
        return self.a[l][:, :, None] * self.a[l][:, None, :]

    def q(self) -> PerLayer:
        """(21)."""
        return {l: self.mean(self.moments(l)) for l in self.W}

    def root_rows(self) -> Array:
        """The columns of C_L as rows, (N, K, D_L)."""
        return self.output_root().swapaxes(1, 2)

    def preactivation_gauss_newton(self) -> PerLayer:
        """(22), by (23) and (24): (N, D_l, D_l)."""
        return {l: outer(rows) for l, rows in self.carried(self.root_rows()).items()}

    def kflr(self) -> PerLayer:
        """(25)."""
        return {l: self.mean(G) for l, G in self.preactivation_gauss_newton().items()}

    def slopes_between(self, l: int) -> Array:
        """E[f'_l f'_l^T], the mean that is all that (26) keeps of the datapoints."""
        s = self.slope(l)
        return self.mean(s[:, :, None] * s[:, None, :])

    def pulled(self, l: int, G: Array) -> Array:
        """W_{l+1}^T G_{l+1} W_{l+1}."""
        return self.kernel(l + 1).T @ G @ self.kernel(l + 1)

    def kfra(self) -> PerLayer:
        """(26)."""
        G = {self.L: self.mean(self.output_gauss_newton())}
        for l in range(self.L - 1, 0, -1):
            G[l] = self.pulled(l, G[l + 1]) * self.slopes_between(l)
        return dict(sorted(G.items()))

    def sampled(self, rows: Array) -> PerLayer:
        """1/(N S) of the sum of v v^T, for rows (N, S, D_l) brought down from the outputs."""
        return {l: self.mean(self.mean_of_samples(v)) for l, v in self.carried(rows).items()}

    def mean_of_samples(self, rows: Array) -> Array:
        """1/S sum_s v_s v_s^T."""
        return outer(rows) / rows.shape[1]

    def kfac(self) -> PerLayer:
        """(59), at the labels of the problem."""
        return self.sampled(np.stack([self.output_gradient(y) for y in self.problem.labels.swapaxes(0, 1)], axis=1))

    def projected(self) -> Array:
        """C_L z, (N, S, D_L); on as many columns as both have, since a mistaken root may have another number."""
        Z, rows = self.problem.arguments.projections, self.root_rows()
        K = min(Z.shape[2], rows.shape[1])
        return Z[:, :, :K] @ rows[:, :K]

    def rp(self) -> PerLayer:
        """Random projections of C_L."""
        return self.sampled(self.projected())

    def labels(self) -> PerLayer:
        """Sampled from the draws."""
        sample = OBJECTIVES[self.problem.objective].sample
        pairs = zip(self.h[self.L], self.problem.draws, strict=True)
        return {1: np.array([[sample(h, draw) for draw in draws] for h, draws in pairs])}

    def output_hessian(self) -> Array:
        """The true H_L (N, D_L, D_L)."""
        hessian = OBJECTIVES[self.problem.objective].hessian
        return self.scale * np.stack([hessian(h, y) for h, y in zip(self.h[self.L], self.problem.Y, strict=True)])

    def curving(self, l: int) -> Array:
        """f''_l(h_l) * dE/da_l, the diagonal (10)."""
        return self.transfer(l).second(self.h[l]) * (self.gradients()[l + 1] @ self.kernel(l + 1))

    def preactivation_hessians(self) -> PerLayer:
        """(8)-(10)."""
        H = {self.L: self.output_hessian()}
        for l in range(self.L - 1, 0, -1):
            s, W = self.slope(l), self.kernel(l + 1)
            H[l] = s[:, :, None] * (W.T @ H[l + 1] @ W) * s[:, None, :]
            H[l] = H[l] + np.eye(s.shape[1]) * self.curving(l)[:, None, :]
        return dict(sorted(H.items()))

    def hessian_blocks(self) -> PerLayer:
        """(7), the mean of Q_l kron H_l."""
        return self.blocks(self.preactivation_hessians())

    def gauss_newton_blocks(self) -> PerLayer:
        """(16), the mean of Q_l kron G_l."""
        return self.blocks(self.preactivation_gauss_newton())

    def blocks(self, of: PerLayer) -> PerLayer:
        """The mean of Kronecker products with matrices (N, D_l, D_l)."""
        return {l: self.mean(kron_each(self.moments(l), G)) for l, G in of.items()}
