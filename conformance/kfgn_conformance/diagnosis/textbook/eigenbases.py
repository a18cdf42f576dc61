"""EKFAC for networks without shared weights: eigenvalues in given bases, and solves with the damped blocks."""

from typing import Any

import numpy as np

from ...problems.problem import Array
from .passes import PerLayer
from .solves import Solves


class Eigenbases(Solves):
    """Formulas of the eigenvalues S_l in the basis U_Q kron U_G of each layer, and of the damped solves."""

    def rotated_inputs(self, l: int, U_Q: Array) -> Array:
        """U_Q^T a_{l-1} per datapoint, (N, P), with the appended 1 in a_{l-1} if the layer has a bias."""
        return self.a[l] @ U_Q

    def rotated_roots(self, l: int, U_G: Array) -> Array:
        """U_G^T C_l per datapoint, as the rows (N, K, D), where C_l is the root (24)."""
        return self.propagated(self.root_rows())[l] @ U_G

    def squares(self, a: Array, C: Array) -> Array:
        """The squares of the elements of all U_G^T P_nk U_Q, summed over the columns k, (N, D, P).

        a, C: the rotated inputs (N, P) and the rotated roots (N, K, D), whose outer products are the U_G^T P_nk U_Q
        """
        return np.sum(C**2, axis=1)[:, :, None] * a[:, None, :] ** 2

    def eigenvalues(self, U_Q: PerLayer, U_G: PerLayer) -> PerLayer:
        """S_l of the batch, shaped like W_l: the means of the squares over the datapoints."""
        return {
            l: self.mean(self.squares(self.rotated_inputs(l, U_Q[l]), self.rotated_roots(l, U_G[l]))) for l in self.W
        }

    def damped_eigenvalues(self, S: Array) -> Array:
        """S + k, where k is the damping of the blocks."""
        return S + self.block_damping()

    def eigen_solve(self, S: Array, U_Q: Array, U_G: Array, V: Array) -> Any:
        """The product of U diag(vec(S) + k)^-1 U^T and vec(V), as a matrix of the shape of V, with U = U_Q kron U_G."""
        U = np.kron(U_Q, U_G)
        return self.unvec(U @ ((U.T @ self.vec(V)) / self.vec(self.damped_eigenvalues(S))), V.shape)
