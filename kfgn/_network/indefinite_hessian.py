"""An indefinite H_L, and the two PSD matrices that can replace it in Gauss-Newton matrices.

The classes have the interfaces of `kfgn._network.output_hessian`. `FullHessian` and `Projected` hold a matrix (D_L,
D_L) per datapoint, and so suit networks with few outputs.
"""

from typing import NamedTuple

from array_api_compat import array_namespace

from .._algebra.matrices import congruence, root, second_moment, zero
from .._types import Array, Namespace
from ..backends import eigh
from .masks import Mask


class FullHessian(NamedTuple):
    """Any symmetric M (N, D_L, D_L)."""

    M: Array

    def masked(self, mask: Mask) -> "FullHessian":
        """The same matrices, with the zero matrix for each masked position."""
        xp = array_namespace(self.M)
        return FullHessian(xp.where(mask.rows[:, :, None], self.M, zero(xp, self.M)))

    def matrix(self) -> Array:
        """M."""
        return self.M

    def product(self, v: Array) -> Array:
        """M v."""
        return _rows_times(v, self.M)


class Projected(NamedTuple):
    """M = V diag(kept) V^T with eigenvectors V (N, D_L, D_L) and eigenvalues `kept` (N, D_L) >= 0, from `projected`.

    C = V diag(sqrt kept) V^T is the PSD root, which does not depend on the signs of the eigenvectors.
    """

    kept: Array
    V: Array

    def masked(self, mask: Mask) -> "Projected":
        """The same matrices, with the zero matrix for each masked position."""
        return Projected(mask.kept(self.kept), self.V)

    def matrix(self) -> Array:
        """V diag(kept) V^T."""
        xp = array_namespace(self.V)
        return (self.V * self.kept[:, None, :]) @ xp.matrix_transpose(self.V)

    def mean(self) -> Array:
        """E[M], the mean of the projections, which is not the projection of the mean."""
        xp = array_namespace(self.V)
        return xp.mean(self.matrix(), axis=0)

    def congruence(self, mean: Array, A: Array, /) -> Array:
        """A^T E[M] A."""
        return congruence(mean, A)

    def product(self, v: Array) -> Array:
        """V (kept * V^T v)."""
        xp = array_namespace(self.V)
        return _rows_times(self.kept * _rows_times(v, self.V), xp.matrix_transpose(self.V))

    def quadratic(self, v: Array) -> Array:
        """sum_i kept_i (V^T v)_i^2."""
        xp = array_namespace(self.V)
        along = _rows_times(v, self.V)
        return xp.sum(self.kept * along * along, axis=-1)

    def transposed_root_product(self, A: Array) -> Array:
        """C A."""
        xp, (N, K, D) = array_namespace(self.V), self.V.shape
        return xp.reshape(xp.reshape(self._root(), (N * K, D)) @ A, (N, K, A.shape[-1]))

    def root_product(self, z: Array) -> Array:
        """C z."""
        return _rows_times(z, self._root())

    def _root(self) -> Array:
        xp = array_namespace(self.V)
        return (self.V * root(xp, self.kept)[:, None, :]) @ xp.matrix_transpose(self.V)


def projected(xp: Namespace, M: Array) -> Projected:
    """The nearest PSD matrix to each symmetric M (N, D_L, D_L). Negative eigenvalues are set to zero."""
    eigenvalues, V = eigh(M)
    return Projected(xp.where(eigenvalues < 0, xp.zeros_like(eigenvalues), eigenvalues), V)


class RankOne(NamedTuple):
    """The matrix M = g g^T of rank 1 for g (N, D_L). The root C = g has one column."""

    g: Array

    def masked(self, mask: Mask) -> "RankOne":
        """The same matrices, with the zero matrix for each masked position."""
        return RankOne(mask.kept(self.g))

    def matrix(self) -> Array:
        """g g^T."""
        return self.g[:, :, None] * self.g[:, None, :]

    def mean(self) -> Array:
        """E[g g^T]."""
        return second_moment(array_namespace(self.g), self.g)

    def congruence(self, mean: Array, A: Array, /) -> Array:
        """A^T E[M] A."""
        return congruence(mean, A)

    def product(self, v: Array) -> Array:
        """g g^T v."""
        xp = array_namespace(self.g)
        return self.g * xp.sum(self.g * v, axis=-1, keepdims=True)

    def quadratic(self, v: Array) -> Array:
        """(g^T v)^2."""
        xp = array_namespace(self.g)
        along = xp.sum(self.g * v, axis=-1)
        return along * along

    def transposed_root_product(self, A: Array) -> Array:
        """g^T A, one row."""
        return (self.g @ A)[:, None, :]

    def root_product(self, z: Array) -> Array:
        """g z."""
        return self.g * z


def _rows_times(v: Array, M: Array) -> Array:
    """The products v_n^T M_n (..., N, D) of v (..., N, K) with M (N, K, D)."""
    return (v[..., None, :] @ M)[..., 0, :]
