"""The curvature of a loss that is divided by a number, and functions that skip a division or product by 1."""

import math
from typing import Any, NamedTuple

from .._types import Array


def over(x: Array, divisor: int) -> Array:
    """x / divisor."""
    return x if divisor == 1 else x / divisor


def times(x: Array, factor: int) -> Array:
    """factor x."""
    return x if factor == 1 else factor * x


class Divided(NamedTuple):
    """The matrix M / divisor per datapoint. If M has the root C, then M / divisor has the root C / sqrt(divisor).

    M: a matrix of any class of `output_hessian` or `indefinite_hessian`

    `Divided` has all public methods of these classes except `transposed_root_product`. Only networks without positions
    need this method, and their divisor is 1.
    """

    M: Any
    divisor: int

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
        return self.M.root_product(z) / math.sqrt(self.divisor)


def divided(M: Any, divisor: int) -> Any:
    """M itself if the divisor is 1, and otherwise M / divisor."""
    return M if divisor == 1 else Divided(M, divisor)
