"""Matrix-free products, the step size, and the quadratic model of Appendix C.2."""

from dataclasses import replace
from typing import Any

import numpy as np

from ...problems.problem import Array
from .curvature import Curvature
from .passes import PerLayer


def dot(u: PerLayer, v: PerLayer) -> Any:
    """u^T v over all layers."""
    return sum(np.sum(u[l] * v[l]) for l in u)


class Products(Curvature):
    """Formulas of matrix-vector products, of the quadratic model, of the step size, and of the reduction ratio.

    J is the Jacobian of h_L with respect to the weights. The function f is the mean of E plus the L2 term. C-bar is the
    Gauss-Newton matrix plus (tau + eta) I.
    """

    def full_damping(self) -> Any:
        """tau + eta, the damping of the full Gauss-Newton matrix."""
        return self.problem.arguments.tau + self.eta()

    def eta(self) -> Any:
        """The weight eta of the L2 term."""
        return self.problem.arguments.eta

    def pushed(self, V: PerLayer) -> tuple[PerLayer, PerLayer]:
        """Return R{a_{l-1}} and R{h_l}, the directional derivatives along V, for every layer l.

        If layer l has a bias, R{a_{l-1}} ends with 0, the derivative of the appended 1.
        """
        Ra, Rh = {1: np.zeros_like(self.a[1])}, {}
        for l in range(1, self.L + 1):
            Rh[l] = Ra[l] @ self.W[l].T + self.a[l] @ V[l].T
            if l < self.L:
                Ra[l + 1] = self.with_zero(l + 1, Rh[l] * self.derivative(l))
        return Ra, Rh

    def with_zero(self, l: int, Ra: Array) -> Array:
        """Append 0, the derivative of the appended 1, to R{a_{l-1}} if layer l has a bias."""
        return np.hstack([Ra, np.zeros((self.N, 1))]) if self.has_bias(l) else Ra

    def jacobian_product(self, V: PerLayer) -> Array:
        """J V per datapoint, (N, D_L)."""
        return self.pushed(V)[1][self.L]

    def pulled_back(self, U: Array) -> PerLayer:
        """The mean over n of J_n^T u_n, where J_n is the Jacobian at datapoint n and u_n is row n of U (N, D_L)."""
        rows = self.propagated(U[:, None, :])
        return {l: self.mean(v[:, 0, :, None] * self.a[l][:, None, :]) for l, v in rows.items()}

    def output_product(self, v: Array) -> Array:
        """The product of C_L C_L^T and v per datapoint, (N, D_L), for vectors v (N, D_L)."""
        return (self.output_gauss_newton() @ v[:, :, None])[:, :, 0]

    def gauss_newton_product(self, V: PerLayer) -> PerLayer:
        """The product E[J^T C_L C_L^T J] V."""
        return self.pulled_back(self.output_product(self.jacobian_product(V)))

    def hessian_product(self, V: PerLayer) -> PerLayer:
        """The product of the Hessian with V: the R-operator applied to the gradient."""
        Ra, Rh = self.pushed(V)
        d = self.gradients()
        Rd = {self.L: (self.output_hessian() @ Rh[self.L][:, :, None])[:, :, 0]}
        for l in range(self.L - 1, 0, -1):
            through = Rd[l + 1] @ self.kernel(l + 1) + d[l + 1] @ self.without_bias(l + 1, V[l + 1])
            Rd[l] = through * self.derivative(l) + self.second_derivative_term(l) * Rh[l]
        return {
            l: self.mean(Rd[l][:, :, None] * self.a[l][:, None, :] + d[l][:, :, None] * Ra[l][:, None, :])
            for l in self.W
        }

    def only_layer(self, l: int) -> PerLayer:
        """The direction V with zeros in all layers except l."""
        return {m: V if m == l else 0 * V for m, V in self.V.items()}

    def regularised_loss(self, W: PerLayer | None = None) -> Any:
        """f at the weights W, which are by default the weights of the problem."""
        if W is None:
            return self.loss() + self.l2_term()
        return type(self)(replace(self.problem, weights=tuple(W[l] for l in sorted(W)))).regularised_loss()

    def l2_term(self) -> Any:
        """The L2 term of f, eta |theta|^2 / 2, where theta are the weights of the problem."""
        return self.eta() / 2 * dot(self.W, self.W)

    def regularised_gradient(self) -> PerLayer:
        """The gradient of f."""
        return {l: g + self.eta() * self.W[l] for l, g in self.gradient().items()}

    def curvature_along(self, V: PerLayer) -> Any:
        """V^T C-bar V (41)."""
        v = self.jacobian_product(V)
        return self.mean(np.sum(v * self.output_product(v), axis=1)) + self.full_damping() * dot(V, V)

    def quadratic_model(self, V: PerLayer) -> Any:
        """The quadratic model (32) with C-bar."""
        return self.regularised_loss() + self.change_in_model(V)

    def change_in_model(self, V: PerLayer) -> Any:
        """V^T grad f + V^T C-bar V / 2."""
        return dot(V, self.regularised_gradient()) + self.curvature_along(V) / 2

    def step_size(self, V: PerLayer) -> Any:
        """The step size alpha (40)."""
        return -dot(V, self.regularised_gradient()) / self.curvature_along(V)

    def reduction_ratio(self, V: PerLayer) -> Any:
        """The reduction ratio rho (42)."""
        moved = {l: W + V[l] for l, W in self.W.items()}
        return (self.regularised_loss(moved) - self.regularised_loss()) / self.change_in_model(V)
