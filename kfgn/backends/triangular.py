"""Equations X L L^T = B with a lower triangular L, solved in halves, so that almost all of the work is in products.

The equation is solved in two steps, with L^T and with L. In halves, the first step X L^T = B is

    [X_1  X_2] [L_11^T  L_21^T] = [B_1  B_2]    =>    X_1 = B_1 L_11^-T
               [     0  L_22^T]                       X_2 = (B_2 - X_1 L_21^T) L_22^-T

The halves are split again, down to matrices of at most `BLOCK` rows, whose inverses are computed. On an AMD processor
of family 26 or later, products by oneDNN in PyTorch and products in JAX are much faster than the triangular solvers of
these libraries. The array API standard has no function for triangular equations.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
from array_api_compat import array_namespace, is_jax_array, is_torch_array

from .._types import Array
from .arrays import device
from .multiplication import matmul

BLOCK = 128
"""The largest number of rows of a matrix that is not split. In measurements, values from 128 to 256 were fastest."""


class Halves(NamedTuple):
    """The blocks of a lower triangular matrix: L_11 (`first`), L_21 (`below`) and L_22 (`second`)."""

    first: "Triangle"
    below: Array
    second: "Triangle"


Triangle: TypeAlias = Array | Halves
"""A lower triangular matrix, as its halves if it has more than `BLOCK` rows, and as its inverse otherwise."""


def solve_in_halves(L: Array, B: Array) -> Array:
    """X (K, D) with X L L^T = B (K, D), for a lower triangular L (D, D)."""
    halves = _split(L)
    return _times_inverse(_times_transposed_inverse(B, halves), halves)


def _split(L: Array) -> Triangle:
    D = L.shape[0]
    if D <= BLOCK:
        return _inverse(L)
    first, second = slice(0, D // 2), slice(D // 2, D)
    return Halves(_split(L[first, first]), L[second, first], _split(L[second, second]))


def _times_transposed_inverse(B: Array, L: Triangle) -> Array:
    """B L^-T, by forward substitution."""
    if not isinstance(L, Halves):
        return matmul(B, L.T)
    D = L.below.shape[1]
    X_1 = _times_transposed_inverse(B[:, :D], L.first)
    X_2 = _times_transposed_inverse(B[:, D:] - matmul(X_1, L.below.T), L.second)
    return array_namespace(B).concat([X_1, X_2], axis=1)


def _times_inverse(B: Array, L: Triangle) -> Array:
    """B L^-1, by back substitution."""
    if not isinstance(L, Halves):
        return matmul(B, L)
    D = L.below.shape[1]
    X_2 = _times_inverse(B[:, D:], L.second)
    X_1 = _times_inverse(B[:, :D] - matmul(X_2, L.below), L.first)
    return array_namespace(B).concat([X_1, X_2], axis=1)


def _inverse(L: Array) -> Array:
    """L^-1, by the triangular solver of PyTorch or JAX, and by the general solver of any other library.

    It has elements that are not finite if L has a 0 on its diagonal. The general solver has nothing to eliminate in the
    upper triangular L^T, so it only substitutes. In L it would exchange rows and round.
    """
    xp = array_namespace(L)
    identity = xp.eye(L.shape[0], dtype=L.dtype, device=device(L))
    if is_torch_array(L):
        import torch

        return torch.linalg.solve_triangular(L, identity, upper=False)
    if is_jax_array(L):
        from jax.lax.linalg import triangular_solve

        return triangular_solve(L, identity, left_side=True, lower=True)
    try:
        return xp.linalg.solve(L.T, identity).T
    except np.linalg.LinAlgError:  # raised by the libraries that are made of NumPy
        return xp.full_like(L, float("nan"))
