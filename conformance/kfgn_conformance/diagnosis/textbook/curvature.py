"""The loss, the gradient, and the curvature matrices of Sections 2 and 3 and of Appendix D."""

import numpy as np
from kfgn_reference import OBJECTIVES

from ...problems.problem import Array
from .passes import Passes, PerLayer


def outer(rows: Array) -> Array:
    """sum_k v_k v_k^T per datapoint, (N, D, D), where v_1, ..., v_K are the rows (N, K, D)."""
    return rows.swapaxes(1, 2) @ rows


def kron_each(Q: Array, G: Array) -> Array:
    """Q_n kron G_n per datapoint, (N, P D, P D), where Q is (N, P, P) and G is (N, D, D)."""
    return np.stack([np.kron(q, g) for q, g in zip(Q, G, strict=True)])


class Curvature(Passes):
    """Formulas of the loss, the gradient, the exact curvature blocks, the Kronecker factors and the labels."""

    def loss(self) -> Array:
        """The mean of E over the datapoints."""
        E = OBJECTIVES[self.problem.objective].value
        return self.scale * self.mean(np.array([E(h, y) for h, y in zip(self.h[self.L], self.problem.Y, strict=True)]))

    def gradients(self) -> PerLayer:
        """dE/dh_l (N, D_l) at the labels of the data, per layer."""
        return {l: d[:, 0] for l, d in self.propagated(self.output_gradient(self.problem.Y)[:, None, :]).items()}

    def gradient(self) -> PerLayer:
        """The gradient E[dE/dh_l a_{l-1}^T], per layer."""
        return {l: self.mean(d[:, :, None] * self.a[l][:, None, :]) for l, d in self.gradients().items()}

    def moments(self, l: int) -> Array:
        """a_{l-1} a_{l-1}^T per datapoint, where a_{l-1} has an appended 1 if layer l has a bias."""
        return self.a[l][:, :, None] * self.a[l][:, None, :]

    def q(self) -> PerLayer:
        """Q_l (21)."""
        return {l: self.mean(self.moments(l)) for l in self.W}

    def root_rows(self) -> Array:
        """The transpose of the root C_L of H_L, per datapoint, (N, K, D_L)."""
        return self.output_root().swapaxes(1, 2)

    def preactivation_gauss_newton(self) -> PerLayer:
        """The Gauss-Newton matrices (22) of h_l, (N, D_l, D_l), by (23) and (24)."""
        return {l: outer(rows) for l, rows in self.propagated(self.root_rows()).items()}

    def kflr(self) -> PerLayer:
        """G_l of KFLR (25)."""
        return {l: self.mean(G) for l, G in self.preactivation_gauss_newton().items()}

    def derivative_moments(self, l: int) -> Array:
        """E[f'_l f'_l^T] (D_l, D_l), the only mean over datapoints in a step of the recursion (26)."""
        s = self.derivative(l)
        return self.mean(s[:, :, None] * s[:, None, :])

    def pulled(self, l: int, G: Array) -> Array:
        """W_{l+1}^T G_{l+1} W_{l+1} (D_l, D_l), a factor of the element-wise product in the recursion (26)."""
        return self.kernel(l + 1).T @ G @ self.kernel(l + 1)

    def kfra(self) -> PerLayer:
        """G_l of KFRA (26)."""
        G = {self.L: self.mean(self.output_gauss_newton())}
        for l in range(self.L - 1, 0, -1):
            G[l] = self.pulled(l, G[l + 1]) * self.derivative_moments(l)
        return dict(sorted(G.items()))

    def sampled(self, rows: Array) -> PerLayer:
        """The mean of v v^T over datapoints and samples, where v are the rows (N, S, D_L) propagated to each layer."""
        return {l: self.mean(self.mean_of_samples(v)) for l, v in self.propagated(rows).items()}

    def mean_of_samples(self, rows: Array) -> Array:
        """The mean of v_s v_s^T over samples, (N, D, D), where v_1, ..., v_S are the rows (N, S, D)."""
        return outer(rows) / rows.shape[1]

    def kfac(self) -> PerLayer:
        """G_l of KFAC (59), at the sampled labels of the problem."""
        return self.sampled(np.stack([self.output_gradient(y) for y in self.problem.labels.swapaxes(0, 1)], axis=1))

    def projected(self) -> Array:
        """C_L z per datapoint and projection z, (N, S, D_L).

        A mistake may change the number of columns of C_L. If this number differs from the length of z, the product uses
        only the first K columns of C_L and the first K elements of z, where K is the smaller of the two numbers.
        """
        Z, rows = self.problem.arguments.projections, self.root_rows()
        K = min(Z.shape[2], rows.shape[1])
        return Z[:, :, :K] @ rows[:, :K]

    def rp(self) -> PerLayer:
        """G_l from random projections of C_L."""
        return self.sampled(self.projected())

    def labels(self) -> PerLayer:
        """Labels that are sampled with the random numbers `draws` of the problem."""
        sample = OBJECTIVES[self.problem.objective].sample
        pairs = zip(self.h[self.L], self.problem.draws, strict=True)
        return {1: np.array([[sample(h, draw) for draw in draws] for h, draws in pairs])}

    def output_hessian(self) -> Array:
        """H_L itself and not its positive semi-definite replacement, (N, D_L, D_L)."""
        hessian = OBJECTIVES[self.problem.objective].hessian
        return self.scale * np.stack([hessian(h, y) for h, y in zip(self.h[self.L], self.problem.Y, strict=True)])

    def second_derivative_term(self, l: int) -> Array:
        """The diagonal f''_l(h_l) * dE/da_l (10)."""
        return self.transfer(l).second(self.h[l]) * (self.gradients()[l + 1] @ self.kernel(l + 1))

    def preactivation_hessians(self) -> PerLayer:
        """The Hessians of E with respect to h_l, (N, D_l, D_l), by (8)-(10)."""
        H = {self.L: self.output_hessian()}
        for l in range(self.L - 1, 0, -1):
            s, W = self.derivative(l), self.kernel(l + 1)
            H[l] = s[:, :, None] * (W.T @ H[l + 1] @ W) * s[:, None, :]
            H[l] = H[l] + np.eye(s.shape[1]) * self.second_derivative_term(l)[:, None, :]
        return dict(sorted(H.items()))

    def hessian_blocks(self) -> PerLayer:
        """The blocks of the Hessian (7): the means of a_{l-1} a_{l-1}^T kron the Hessian of E with respect to h_l."""
        return self.blocks(self.preactivation_hessians())

    def gauss_newton_blocks(self) -> PerLayer:
        """The blocks of the Gauss-Newton matrix (16): the means of a_{l-1} a_{l-1}^T kron the matrix (22) of h_l."""
        return self.blocks(self.preactivation_gauss_newton())

    def blocks(self, of: PerLayer) -> PerLayer:
        """The mean of a_{l-1} a_{l-1}^T kron M per layer, where M are the given matrices (N, D_l, D_l)."""
        return {l: self.mean(kron_each(self.moments(l), G)) for l, G in of.items()}
