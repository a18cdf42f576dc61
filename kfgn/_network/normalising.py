"""The function z(h) of a normalisation, with its Jacobian B and the matrix D of its second derivatives.

z is not elementwise, so B and D of a row are symmetric matrices (C, C) that are not diagonal. The product of such a
matrix with each row of an array is written as `*`, like the product with a diagonal, which is stored as an array of its
entries. The passes and the R-operator are therefore the same for all functions.
"""

from dataclasses import dataclass
from typing import NamedTuple

from array_api_compat import array_namespace

from .._algebra.matrices import identity_like, second_moment
from .._types import Array, Namespace
from ..backends import matmul


@dataclass(frozen=True, eq=False)
class NormalisationJacobian:
    """B = dz/dh = (I - 1 1^T / C - z z^T / C) / s for each row.

    z: the normalised rows, (R, C)
    s: the square root of variance plus epsilon, (R, 1)
    """

    z: Array
    s: Array

    def __mul__(self, rows: Array) -> Array:
        """The products B v with rows v (..., R, C)."""
        return (rows - _means(rows) - self.z * _means(self.z * rows)) / self.s

    def mean_congruence(self, G: Array) -> Array:
        """The mean of B G B over the rows, (C, C).

        With u = z / s, and with G' = P G P for the projection P = I - 1 1^T / C, the mean is

            E[1/s^2] G' - (E[u u^T] G' + G' E[u u^T]) / C + E[(z^T G' z) u u^T] / C^2
        """
        xp, (R, C) = array_namespace(G), self.z.shape
        rows = G - xp.mean(G, axis=0, keepdims=True)
        centred = rows - xp.mean(rows, axis=1, keepdims=True)
        u = self.z / self.s
        product = matmul(second_moment(xp, u), centred)
        squares = xp.sum(matmul(self.z, centred) * self.z, axis=1, keepdims=True)
        last = matmul(u.T, squares * u) / R
        return xp.mean(1 / (self.s * self.s)) * centred - (product + product.T) / C + last / C**2


@dataclass(frozen=True, eq=False)
class NormalisationSecondTerm:
    """D = sum_k d_k d^2 z_k / dh^2 = -(g z^T + z g^T + (z^T d) B) / (C s) with d = dE/dz and g = B d, for each row.

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
    """z = (h - m) / s with the mean m of the channels of a row, and s^2 = the mean of (h - m)^2 plus epsilon.

    The class has the methods of `Transfer`, which passes and recursions call.
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


def mean_congruence(xp: Namespace, B: Array | NormalisationJacobian, G: Array) -> Array:
    """The mean of B G B over the rows. For a diagonal B, this is G times the mean of f' f'^T, as in (26)."""
    return B.mean_congruence(G) if isinstance(B, NormalisationJacobian) else G * second_moment(xp, B)


def _means(rows: Array) -> Array:
    """The mean of each row (..., R, C) over its channels: (..., R, 1)."""
    return array_namespace(rows).mean(rows, axis=-1, keepdims=True)
