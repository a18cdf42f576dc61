"""The curvature of a loss that is divided by a number, and functions that skip a division or product by 1."""

import math
from typing import Any, NamedTuple

from array_api_compat import array_namespace

from .._types import Array


def over(x: Array, divisor: int | Array) -> Array:
    """x / divisor."""
    return x if is_one(divisor) else x / divisor


def times(x: Array, factor: int | Array) -> Array:
    """factor x."""
    return x if is_one(factor) else factor * x


def is_one(number: int | Array) -> bool:
    """True for the Python integer 1. The value of an array is not read."""
    return isinstance(number, int) and number == 1


def square_root(number: int | Array) -> float | Array:
    """The square root of a number or of a 0-d array."""
    return math.sqrt(number) if isinstance(number, int) else array_namespace(number).sqrt(number)


class Divided(NamedTuple):
    """The matrix M / divisor per datapoint. If M has the root C, then M / divisor has the root C / sqrt(divisor).

    M: a matrix of any class of `output_hessian` or `indefinite_hessian`

    `Divided` has all public methods of these classes except `masked` and `transposed_root_product`. A matrix M is
    masked before it is divided. Only networks without positions need `transposed_root_product`, and their divisor is 1.
    """

    M: Any
    divisor: int | Array

    def matrix(self) -> Array:
        """M / divisor."""
        return self.M.matrix() / self.divisor

    def mean(self) -> Array:
        """E[M] / divisor."""
        return self.M.mean() / self.divisor

    def congruence(self, mean: Array, A: Array, /) -> Array:
        """A^T E[M] A / divisor, where `mean` is E[M] / divisor."""
        return self.M.congruence(mean * self.divisor, A) / self.divisor

    def product(self, v: Array) -> Array:
        """M v / divisor."""
        return self.M.product(v) / self.divisor

    def quadratic(self, v: Array) -> Array:
        """v^T M v / divisor."""
        return self.M.quadratic(v) / self.divisor

    def root_product(self, z: Array) -> Array:
        """C z / sqrt(divisor)."""
        return self.M.root_product(z) / square_root(self.divisor)


def divided(M: Any, divisor: int | Array) -> Any:
    """M itself if the divisor is 1, and otherwise M / divisor."""
    return M if is_one(divisor) else Divided(M, divisor)
