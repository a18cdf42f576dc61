"""The curvature of the outputs: H_L, or a PSD matrix M = C C^T that replaces it in Gauss-Newton matrices.

In the classes of this module, only the method `matrix` stores N matrices (D_L, D_L), and no method stores the roots C.
The arguments v (..., N, D_L) and z (..., N, K) hold one vector in each row, where K is the number of columns of C.
`indefinite_hessian` contains the classes for an H_L that is not PSD.
"""

from typing import NamedTuple, Protocol

from array_api_compat import array_namespace

from .._algebra.matrices import (
    at_largest,
    congruence,
    diagonal,
    identity_like,
    is_largest,
    one_minus,
    root,
    second_moment,
    with_diagonal,
    zero,
)
from .._types import Array
from ..backends import gram
from .masks import Mask


class OutputHessian(Protocol):
    """A symmetric matrix M per datapoint, such as the true H_L."""

    def matrix(self) -> Array:
        """M, (N, D_L, D_L)."""

    def product(self, v: Array) -> Array:
        """M v, (..., N, D_L)."""

    def masked(self, mask: Mask) -> "OutputHessian":
        """The same matrices, with the zero matrix for each masked position."""


class OutputCurvature(OutputHessian, Protocol):
    """A PSD matrix M = C C^T per datapoint, the middle factor of a Gauss-Newton matrix J^T M J."""

    def mean(self) -> Array:
        """E[M], the mean over the N datapoints, (D_L, D_L)."""

    def congruence(self, mean: Array, A: Array, /) -> Array:
        """A^T E[M] A (D, D) for a matrix A (D_L, D), where `mean` is E[M]."""

    def quadratic(self, v: Array) -> Array:
        """v^T M v, (..., N), as a sum of squares, which is never negative."""

    def transposed_root_product(self, A: Array) -> Array:
        """C^T A for a matrix A (D_L, D): (N, K, D)."""

    def root_product(self, z: Array) -> Array:
        """C z, (..., N, D_L)."""


class Identity(NamedTuple):
    """The identity M = I (D_L, D_L) for outputs h (N, D_L), with C = I."""

    h: Array

    def masked(self, mask: Mask) -> "Diagonal":
        """The same matrices, with the zero matrix for each masked position."""
        return Diagonal(mask.kept(array_namespace(self.h).ones_like(self.h)))

    def matrix(self) -> Array:
        """I, repeated for each of the N datapoints."""
        xp = array_namespace(self.h)
        return diagonal(xp, xp.ones_like(self.h))

    def mean(self) -> Array:
        """I."""
        return identity_like(array_namespace(self.h), self.h.shape[-1], self.h)

    def congruence(self, _mean: Array, A: Array, /) -> Array:
        """A^T A."""
        return gram(A)

    def product(self, v: Array) -> Array:
        """v."""
        return v

    def quadratic(self, v: Array) -> Array:
        """|v|^2."""
        xp = array_namespace(v)
        return xp.vecdot(v, v)

    def transposed_root_product(self, A: Array) -> Array:
        """A, repeated for each of the N datapoints."""
        xp = array_namespace(A)
        return xp.broadcast_to(A[None, :, :], (self.h.shape[0], *A.shape))

    def root_product(self, z: Array) -> Array:
        """z."""
        return z


class Diagonal(NamedTuple):
    """M = diag(d) with d (N, D_L) >= 0, and C = diag(sqrt d)."""

    d: Array

    def masked(self, mask: Mask) -> "Diagonal":
        """The same matrices, with the zero matrix for each masked position."""
        return Diagonal(mask.kept(self.d))

    def matrix(self) -> Array:
        """diag(d)."""
        return diagonal(array_namespace(self.d), self.d)

    def mean(self) -> Array:
        """diag(E[d])."""
        xp = array_namespace(self.d)
        return diagonal(xp, xp.mean(self.d, axis=0))

    def congruence(self, _mean: Array, A: Array, /) -> Array:
        """B^T B with B = diag(sqrt E[d]) A."""
        xp = array_namespace(self.d)
        return gram(root(xp, xp.mean(self.d, axis=0))[:, None] * A)

    def product(self, v: Array) -> Array:
        """d * v."""
        return self.d * v

    def quadratic(self, v: Array) -> Array:
        """sum_i d_i v_i^2."""
        xp = array_namespace(self.d)
        return xp.vecdot(self.d * v, v)

    def transposed_root_product(self, A: Array) -> Array:
        """C^T A, whose row i is sqrt(d_i) A_i for the row A_i of A."""
        xp = array_namespace(self.d)
        return root(xp, self.d)[:, :, None] * A[None, :, :]

    def root_product(self, z: Array) -> Array:
        """sqrt(d) * z."""
        xp = array_namespace(self.d)
        return root(xp, self.d) * z


class Multinomial(NamedTuple):
    """M = diag(p) - p p^T for probabilities p (N, D_L), with C = diag(sqrt p) - p sqrt(p)^T of rank D_L - 1.

    If the largest element p_k is near 1, then 1 - p_k and v_k - p^T v lose digits by cancellation. The methods
    `matrix`, `mean`, `product`, `quadratic` and `root_product` therefore treat the largest element p_k separately.
    """

    p: Array

    def masked(self, mask: Mask) -> "Multinomial":
        """The same matrices, with the zero matrix for each masked position, at which the p of the result are 0."""
        return Multinomial(mask.kept(self.p))

    def matrix(self) -> Array:
        """The matrix with p_i (1 - p_i) on the diagonal, and -p_i p_j off the diagonal."""
        xp, p = array_namespace(self.p), self.p
        return with_diagonal(xp, p * one_minus(xp, p), -p[:, :, None] * p[:, None, :])

    def mean(self) -> Array:
        """diag(E[p]) - E[p p^T], which differs from diag(q) - q q^T for q = E[p]."""
        xp, p = array_namespace(self.p), self.p
        return with_diagonal(xp, xp.mean(p * one_minus(xp, p), axis=0), -second_moment(xp, p))

    def congruence(self, mean: Array, A: Array, /) -> Array:
        """A^T E[M] A."""
        return congruence(mean, A)

    def product(self, v: Array) -> Array:
        """p_i (v_i - p^T v)."""
        return self.p * self._centred(v)

    def quadratic(self, v: Array) -> Array:
        """sum_i p_i (v_i - p^T v)^2, the variance of v under p."""
        xp, c = array_namespace(self.p), self._centred(v)
        return xp.vecdot(self.p * c, c)

    def transposed_root_product(self, A: Array) -> Array:
        """C^T A, whose row i is sqrt(p_i) (A_i - p^T A) for the row A_i of A."""
        xp, p = array_namespace(self.p), self.p
        return root(xp, p)[:, :, None] * (A[None, :, :] - (p @ A)[:, None, :])

    def root_product(self, z: Array) -> Array:
        """sqrt(p_i) z_i - p_i sqrt(p)^T z.

        For the largest p_k, element k is computed as sqrt(p_k) ((1 - p_k) z_k - sqrt(p_k) sum_{j != k} sqrt(p_j) z_j).
        """
        xp, p = array_namespace(self.p), self.p
        c, largest = root(xp, p), is_largest(xp, p)
        terms = c * z
        rest = xp.sum(xp.where(largest, zero(xp, z), terms), axis=-1, keepdims=True)
        at_k = c * (one_minus(xp, p) * z - c * rest)
        return xp.where(largest, at_k, terms - p * xp.sum(terms, axis=-1, keepdims=True))

    def _centred(self, v: Array) -> Array:
        """v - p^T v, computed as d - p^T d with d = v - v_k, where p_k is the largest element of p."""
        xp, p = array_namespace(self.p), self.p
        d = v - at_largest(xp, v, p)
        return d - xp.vecdot(p, d)[..., None]
