"""Damped Kronecker products of symmetric Q (P, P) and G (D, D), and their inverses, equations (35)-(38).

    Q kron G + k I  ~  (Q + omega sqrt(k) I) kron (G + sqrt(k) / omega I)

The functions of this module never read the value of an array, and so raise no error because of a value. If a matrix
cannot be inverted, its inverse contains NaN, and the result `ok`, a 0-d boolean, is False. The values of omega of all L
blocks are one array (L,). One operation on this array replaces L small operations, whose time is mainly that of their
dispatch.
"""

import math
from collections.abc import Iterator
from functools import reduce
from operator import and_
from typing import NamedTuple, TypeAlias

from array_api_compat import array_namespace

from .._types import Array, Arrays, Namespace
from ..backends import cholesky, cholesky_solve, damped, device, eigh, matmul, unit_roundoff
from .matrices import diagonal_of, symmetrised

NORMS = ("trace", "frobenius", "spectral")
"""The norms in which omega can be computed, equation (38)."""

INVERSIONS = (*NORMS, "exact")
"""The values of `inversion`: a norm selects the factored damping (36), and "exact" selects the inverse of (35)."""

FLOOR = 8
"""The number c in c sqrt(D) u tr(A), the lower bound on the damping of a factor A (D, D), with the unit roundoff u."""


def balance(xp: Namespace, Q: Arrays, G: Arrays, norm: str) -> Array:
    """omega (38) of each of L blocks, (L,): sqrt(|Q kron I| / |I kron G|), or 1 if one of the norms is zero.

    The norm of a Kronecker product is the product of the norms of its factors. omega^2 is therefore the quotient of
    |Q| / |I_Q| and |G| / |I_G|, where I_Q and I_G are the identities of the shapes of Q and G. `_size` computes each of
    the two numbers. The norm of I (D, D) is D in the trace norm, sqrt(D) in the Frobenius norm and 1 in the spectral
    norm.
    """
    q, g = (xp.stack([_size(xp, A, norm) for A in factors]) for factors in (Q, G))
    both = (q > 0) & (g > 0)
    one = xp.ones_like(q)
    return xp.sqrt(xp.where(both, q, one)) / xp.sqrt(xp.where(both, g, one))


def _size(xp: Namespace, A: Array, norm: str) -> Array:
    if norm == "trace":
        return xp.mean(diagonal_of(xp, A))
    A = symmetrised(A)
    if norm == "spectral":
        return eigh(A)[0][-1]
    largest = xp.max(xp.abs(A))
    unit = xp.where(largest > 0, largest, xp.ones_like(largest))  # squares of unscaled small numbers would underflow
    return unit * xp.sqrt(xp.sum((A / unit) * (A / unit)) / A.shape[0])


def visible(xp: Namespace, factors: Arrays, dampings: Array) -> Array:
    """For each factor A (D, D), the larger of its damping and the lower bound `FLOOR` sqrt(D) u tr(A).

    The lower bound is not in the paper. u is the unit roundoff of the dtype. A positive damping below the bound can be
    smaller than the rounding errors of a Cholesky factorisation of A. If A is singular, the last pivots of the damped
    factor can then be rounding errors of either sign. A damping of 0 stays 0.
    """
    u = unit_roundoff(dampings)
    lower = xp.stack([FLOOR * math.sqrt(A.shape[0]) * u * xp.sum(diagonal_of(xp, A)) for A in factors])
    return xp.where((dampings > 0) & (dampings < lower), lower, dampings)


class CholeskyInverse(NamedTuple):
    """The inverse of (36), stored as the Cholesky factors L_Q (P, P) and L_G (D, D) of the two damped factors."""

    L_Q: Array
    L_G: Array

    def times(self, V: Array) -> Array:
        """(G + sqrt(k)/omega I)^-1 V (Q + omega sqrt(k) I)^-1 for V (D, P).

        Misprint: Algorithm 1 multiplies by the inverse of the damped Q from the left, and by the inverse of the damped
        G from the right.
        """
        return cholesky_solve(self.L_Q, cholesky_solve(self.L_G, V).T).T

    def resolved(self) -> Array:
        """A 0-d boolean, true if each pivot of both damped factors is larger than its rounding error."""
        xp = array_namespace(self.L_Q)
        return _resolved(xp, self.L_Q) & _resolved(xp, self.L_G)

    def logdet(self) -> Array:
        """log det of (36), 0-d: dim(G) log det Q + dim(Q) log det G, with both factors damped."""
        xp = array_namespace(self.L_Q)
        log_Q, log_G = (2 * xp.sum(xp.log(diagonal_of(xp, L))) for L in (self.L_Q, self.L_G))
        return self.L_G.shape[0] * log_Q + self.L_Q.shape[0] * log_G


class EigenInverse(NamedTuple):
    """The inverse of a damped block, stored as eigenvectors U (P, P) and T (D, D), and damped eigenvalues (D, P).

    The block is that of (35) or of EKFAC.
    """

    U: Array
    T: Array
    spectrum: Array

    def times(self, V: Array) -> Array:
        """The matrix X (D, P) with vec(X) = M^-1 vec(V), for V (D, P) and the damped block M."""
        rotated = matmul(matmul(self.T.T, V), self.U) / self.spectrum
        return matmul(matmul(self.T, rotated), self.U.T)

    def resolved(self) -> Array:
        """A 0-d boolean, true if all damped eigenvalues are positive."""
        xp = array_namespace(self.spectrum)
        return xp.all(self.spectrum > 0)

    def logdet(self) -> Array:
        """log det of the damped block, 0-d."""
        xp = array_namespace(self.spectrum)
        return xp.sum(xp.log(self.spectrum))


DampedInverse: TypeAlias = CholeskyInverse | EigenInverse
"""The inverse of (36), of (35) or of a damped block of EKFAC, as a named tuple of arrays."""


def blank_inverse(Q: Array, G: Array, inversion: str) -> DampedInverse:
    """A placeholder for a `DampedInverse`: arrays of the same shapes, whose values are never used."""
    if inversion == "exact":
        return EigenInverse(Q, G, G[:, :1] * Q[:1, :])
    return CholeskyInverse(Q, G)


def damped_inverses(
    xp: Namespace, Q: Arrays, G: Arrays, damping: Array | float, inversion: str, *, floored: bool = False
) -> tuple[tuple[DampedInverse, ...], Array]:
    """The inverse of each damped Q_l kron G_l, and `ok`, a 0-d boolean, false if one of the inverses does not exist.

    inversion: one of `INVERSIONS`, which selects the equation and the norm

    floored: True to apply the lower bound of `visible` to the dampings of both factors in (36), as the optimiser does
    """
    if inversion == "exact":
        inverses, ok = zip(*(_eigen_inverse(xp, *factors, damping) for factors in zip(Q, G, strict=True)), strict=True)
        return inverses, reduce(and_, ok)
    L, ok = zip(*map(cholesky, _damped_factors(xp, Q, G, damping, inversion, floored)), strict=True)
    return tuple(map(CholeskyInverse, L[: len(Q)], L[len(Q) :])), reduce(and_, ok)


def _damped_factors(
    xp: Namespace, Q: Arrays, G: Arrays, damping: Array | float, norm: str, floored: bool
) -> Iterator[Array]:
    """The damped factors in (36): those of Q_1, ..., Q_L, and then those of G_1, ..., G_L."""
    omega, root = balance(xp, Q, G, norm), xp.sqrt(_zero_d(xp, damping, Q[0]))
    factors, dampings = (*Q, *G), xp.concat([omega * root, root / omega])
    if floored:
        dampings = visible(xp, factors, dampings)
    return (damped(A, dampings[i]) for i, A in enumerate(factors))


def _resolved(xp: Namespace, L: Array) -> Array:
    pivots = diagonal_of(xp, L)
    rounding = L.shape[0] * xp.finfo(L.dtype).eps
    return xp.all(pivots * pivots > rounding * xp.sum(L * L, axis=-1))


def _zero_d(xp: Namespace, value: Array | float, like: Array) -> Array:
    """Convert a Python float to a 0-d array, since `sqrt` of the array API standard accepts only arrays."""
    return xp.full((), value, dtype=like.dtype, device=device(like)) if isinstance(value, float) else value


def _eigen_inverse(xp: Namespace, Q: Array, G: Array, damping: Array | float) -> tuple[EigenInverse, Array]:
    """The inverse of (35), and a 0-d boolean, true if the inverse exists."""
    (q, U), (g, T) = _spectrum(xp, Q), _spectrum(xp, G)
    return damped_spectrum(xp, U, T, g[:, None] * q[None, :], damping)


def _spectrum(xp: Namespace, A: Array) -> tuple[Array, Array]:
    """Eigenvalues and eigenvectors of a PSD matrix. An eigenvalue within rounding error of zero is set to zero."""
    eigenvalues, vectors = eigh(symmetrised(A))
    rounding = math.sqrt(A.shape[0]) * xp.finfo(A.dtype).eps * xp.abs(eigenvalues[-1])
    return xp.where(xp.abs(eigenvalues) <= rounding, xp.zeros_like(eigenvalues), eigenvalues), vectors


def damped_spectrum(
    xp: Namespace, U: Array, T: Array, eigenvalues: Array, damping: Array | float
) -> tuple[EigenInverse, Array]:
    """The inverse of a damped matrix from its eigendecomposition, and a 0-d boolean, true if the inverse exists.

    A damped eigenvalue that is not positive and finite is replaced by NaN.

    U, T:        the eigenvectors are U kron T, with U (P, P) and T (D, D)
    eigenvalues: the eigenvalues before the damping is added, (D, P)
    """
    spectrum = eigenvalues + damping
    positive = (spectrum > 0) & xp.isfinite(spectrum)
    return EigenInverse(U, T, xp.where(positive, spectrum, xp.full_like(spectrum, float("nan")))), xp.all(positive)
