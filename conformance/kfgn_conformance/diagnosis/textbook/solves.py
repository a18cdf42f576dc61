"""Damped Kronecker blocks of KFRA's factors (Appendix C.1), and solves with exact matrices."""

from typing import Any

import numpy as np

from ...problems.problem import Array
from .passes import PerLayer
from .products import Products


class Solves(Products):
    """Formulas of omega, damped factors, Kronecker products, log determinants, and solves with damped matrices."""

    def solved(self, A: Array, B: Array) -> Array:
        """The solution A^-1 B."""
        return np.linalg.solve(A, B)

    def vec(self, V: Array) -> Array:
        """The vector of the stacked columns of V."""
        return V.T.reshape(-1)

    def unvec(self, v: Array, shape: tuple[int, ...]) -> Array:
        """The matrix with the given shape whose stacked columns are v."""
        return v.reshape(shape[::-1]).T

    def block_damping(self) -> Any:
        """k = gamma + eta, the damping of the blocks."""
        return self.problem.arguments.gamma + self.eta()

    def factors(self) -> dict[int, tuple[Array, Array]]:
        """Q_l and G_l of KFRA."""
        Q, G = self.q(), self.kfra()
        return {l: (Q[l], G[l]) for l in self.W}

    def relative_norm(self, A: Array, norm: str) -> Any:
        """|A| / |I| in the given norm, where I is the identity of the order of A.

        For the trace, |A| / |I| is the mean eigenvalue of A.
        """
        if norm == "trace":
            return np.trace(A) / len(A)
        return np.linalg.norm(A) / np.sqrt(len(A)) if norm == "frobenius" else np.linalg.eigvalsh(A)[-1]

    def omega(self, Q: Array, G: Array, norm: str = "trace") -> Any:
        """omega (38) in the given norm, or 1 if the norm of Q or of G is not positive."""
        q, g = self.relative_norm(Q, norm), self.relative_norm(G, norm)
        return np.sqrt(q / g) if q > 0 and g > 0 else 1.0

    def damped_factors(self, Q: Array, G: Array, norm: str = "trace") -> tuple[Array, Array]:
        """The damped factors of (36)."""
        omega, root = self.omega(Q, G, norm), np.sqrt(self.block_damping())
        return Q + omega * root * np.eye(len(Q)), G + root / omega * np.eye(len(G))

    def kronecker(self, Q: Array, G: Array) -> Array:
        """Q kron G (20)."""
        return np.kron(Q, G)

    def kronecker_matvec(self, Q: Array, G: Array, V: Array) -> Array:
        """(Q kron G) vec(V) as the matrix G V Q."""
        return G @ V @ Q

    def kronecker_trace(self, Q: Array, G: Array) -> Any:
        """tr(Q kron G) = tr(Q) tr(G)."""
        return np.trace(Q) * np.trace(G)

    def factored_solve(self, Q: Array, G: Array, V: Array, norm: str = "trace") -> Array:
        """The product of the inverse of the damped block (36) and vec(V), as a matrix of the shape of V."""
        Q, G = self.damped_factors(Q, G, norm)
        return self.solved(Q, self.solved(G, V).T).T

    def exact_solve(self, Q: Array, G: Array, V: Array) -> Array:
        """The product of the inverse of the damped block (35) and vec(V), as a matrix of the shape of V."""
        block = self.kronecker(Q, G) + self.block_damping() * np.eye(V.size)
        return self.unvec(self.solved(block, self.vec(V)), V.shape)

    def logdet_factored(self, Q: Array, G: Array) -> Any:
        """The log determinant of the damped block (36)."""
        Q, G = self.damped_factors(Q, G)
        return len(G) * np.linalg.slogdet(Q)[1] + len(Q) * np.linalg.slogdet(G)[1]

    def logdet_exact(self, Q: Array, G: Array) -> Any:
        """The log determinant of the damped block (35)."""
        return np.linalg.slogdet(self.kronecker(Q, G) + self.block_damping() * np.eye(len(Q) * len(G)))[1]

    def gauss_newton_matrix(self) -> Array:
        """The Gauss-Newton matrix with respect to the stacked columns of all weights."""
        C = self.propagated(self.root_rows())
        J = np.concatenate(
            [np.einsum("np,nkd->nkpd", self.a[l], C[l]).reshape(self.N, C[l].shape[1], -1) for l in self.W], axis=2
        )
        return self.mean(J.swapaxes(1, 2) @ J)

    def whole_solve(self, V: PerLayer) -> PerLayer:
        """The product of C-bar^-1 and V, one matrix per layer. C-bar is the Gauss-Newton matrix plus (tau + eta) I."""
        G = self.gauss_newton_matrix()
        x = self.solved(G + self.full_damping() * np.eye(len(G)), np.concatenate([self.vec(V[l]) for l in V]))
        ends = np.cumsum([V[l].size for l in V])[:-1]
        return {l: self.unvec(part, V[l].shape) for l, part in zip(V, np.split(x, ends), strict=True)}

    def block_solve(self, V: PerLayer) -> PerLayer:
        """The product of (B_l + k I)^-1 and V_l per layer, where B_l are the exact Gauss-Newton blocks (16)."""
        k = self.block_damping()
        return {
            l: self.unvec(self.solved(G + k * np.eye(len(G)), self.vec(V[l])), V[l].shape)
            for l, G in self.gauss_newton_blocks().items()
        }
