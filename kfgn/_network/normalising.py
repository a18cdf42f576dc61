"""The function z(h) of a normalisation, its Jacobian B, and the matrix D of (8), made of second derivatives of z.

z is not elementwise. Each row h therefore has matrices B and D (C, C) that are not diagonal. Both matrices are
symmetric. For an elementwise transfer function, B and D are arrays of diagonal entries, and `B * v` is the product of B
and v. The classes of this module define `*` as the same product, so that the passes and the R-operator use the same
code for all transfer functions.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

from array_api_compat import array_namespace

from .._algebra.matrices import identity_like, second_moment
from .._types import Array, Namespace
from ..backends import matmul, symmetric_product
from .masks import Mask


@dataclass(frozen=True, eq=False)
class NormalisationJacobian:
    """B = dz/dh = (I - 1 1^T / C - z z^T / C) / s for each row.

    z: the normalised rows, (R, C)
    s: sqrt(variance + epsilon) of each row before the normalisation, (R, 1)
    """

    z: Array
    s: Array

    def __mul__(self, rows: Array) -> Array:
        """The products B v with rows v (..., R, C)."""
        return (rows - _means(rows) - self.z * _means(self.z * rows)) / self.s

    def masked(self, mask: Mask) -> "NormalisationJacobian":
        """The same Jacobians, with the zero matrix for each masked position."""
        xp = array_namespace(self.s)
        return NormalisationJacobian(mask.kept(self.z), xp.where(mask.rows, self.s, xp.full_like(self.s, math.inf)))

    def mean_congruence(self, G: Array) -> Array:
        """The mean of B G B over the rows, (C, C).

        Let E be the mean over the rows, u = z / s, and G' = P G P with the projection P = I - 1 1^T / C. The result is

            E[1/s^2] G' - (E[u u^T] G' + G' E[u u^T]) / C + E[(z^T G' z) u u^T] / C^2
        """
        xp, (R, C) = array_namespace(G), self.z.shape
        rows = G - xp.mean(G, axis=0, keepdims=True)
        centred = rows - xp.mean(rows, axis=1, keepdims=True)
        u = self.z / self.s
        product = matmul(second_moment(xp, u), centred)
        squares = xp.sum(matmul(self.z, centred) * self.z, axis=1, keepdims=True)
        last = symmetric_product(u, squares * u) / R
        return xp.mean(1 / (self.s * self.s)) * centred - (product + product.T) / C + last / C**2


@dataclass(frozen=True, eq=False)
class NormalisationSecondTerm:
    """D = sum_k dE/dz_k Hessian(z_k) = -(g z^T + z g^T + (z^T d) B) / (C s) for each row, with d = dE/dz and g = B d.

    B:        the Jacobian
    gradient: d, (R, C)
    """

    B: NormalisationJacobian
    gradient: Array

    def __mul__(self, rows: Array) -> Array:
        """The products D v with rows v (..., R, C)."""
        (z, s), d = (self.B.z, self.B.s), self.gradient
        g = self.B * d
        return -(g * _means(z * rows) + z * _means(g * rows) + _means(z * d) * (self.B * rows)) / s

    def matrices(self) -> Array:
        """D of each row, (R, C, C)."""
        xp = array_namespace(self.gradient)
        units = identity_like(xp, self.gradient.shape[1], self.gradient)[:, None, :]
        return xp.permute_dims(self * units, (1, 0, 2))


class Normalising(NamedTuple):
    """z = (h - m) / s for a row h, where m is the mean of h, and s^2 is the mean of (h - m)^2 plus epsilon.

    `Transfer` also has `value_and_derivative` and `second_term`, for elementwise transfer functions.
    """

    epsilon: float

    def value_and_derivative(self, xp: Namespace, h: Array) -> tuple[Array, NormalisationJacobian]:
        """z and its Jacobian B."""
        centred = h - _means(h)
        s = xp.sqrt(_means(centred * centred) + self.epsilon)
        z = centred / s
        return z, NormalisationJacobian(z, s)

    def second_term(self, xp: Namespace, h: Array, dE_dz: Array) -> NormalisationSecondTerm:
        """The matrix D of each row."""
        return NormalisationSecondTerm(self.value_and_derivative(xp, h)[1], dE_dz)


def mean_congruence(xp: Namespace, B: Array | NormalisationJacobian, G: Array, mask: Mask | None) -> Array:
    """The mean of B G B over the rows. For a diagonal B with entries f', the mean is G * E[f' f'^T], as in (26).

    mask: the mask of the rows, for the mean over the counted rows alone; None if all positions count
    """
    if mask is not None:
        B = B.masked(mask) if isinstance(B, NormalisationJacobian) else mask.kept(B)
        return mask.correction(G) * mean_congruence(xp, B, G, None)
    return B.mean_congruence(G) if isinstance(B, NormalisationJacobian) else G * second_moment(xp, B)


def _means(rows: Array) -> Array:
    """The mean of each row (..., R, C) over its channels: (..., R, 1)."""
    return array_namespace(rows).mean(rows, axis=-1, keepdims=True)
