"""Equations X L L^T = B with a lower triangular L, solved in halves, so that products do most of the work of a large L.

The equation is solved in two steps, with L^T and with L. In halves, the first step X L^T = B is

    [X_1  X_2] [L_11^T  L_21^T] = [B_1  B_2]    =>    X_1 = B_1 L_11^-T
               [     0  L_22^T]                       X_2 = (B_2 - X_1 L_21^T) L_22^-T

The halves are split again, down to matrices of at most `BLOCK` rows. The library solves equations with these matrices
by substitution. Products with the inverses of these matrices would be faster, but their results would not satisfy
ill-conditioned equations to rounding. On an AMD processor of family 26 or later, products by oneDNN in PyTorch and
products in JAX are much faster than the triangular solvers of these libraries. The array API standard has no function
for triangular equations.
"""

import numpy as np
from array_api_compat import array_namespace, is_jax_array, is_torch_array

from .._types import Array
from .multiplication import matmul

BLOCK = 128
"""The largest number of rows of a matrix that is not split. In measurements, 128 was faster than 64."""


def solve_in_halves(L: Array, B: Array) -> Array:
    """X (K, D) with X L L^T = B (K, D), for a lower triangular L (D, D).

    X is not finite if L has a 0 on its diagonal.
    """
    return _times_inverse(_times_transposed_inverse(B, L), L)


def _times_transposed_inverse(B: Array, L: Array) -> Array:
    """B L^-T, by forward substitution."""
    D = L.shape[0]
    if D <= BLOCK:
        return _solution(B, L, transposed=True)
    half = D // 2
    X_1 = _times_transposed_inverse(B[:, :half], L[:half, :half])
    X_2 = _times_transposed_inverse(B[:, half:] - matmul(X_1, L[half:, :half].T), L[half:, half:])
    return array_namespace(B).concat([X_1, X_2], axis=1)


def _times_inverse(B: Array, L: Array) -> Array:
    """B L^-1, by back substitution."""
    D = L.shape[0]
    if D <= BLOCK:
        return _solution(B, L, transposed=False)
    half = D // 2
    X_2 = _times_inverse(B[:, half:], L[half:, half:])
    X_1 = _times_inverse(B[:, :half] - matmul(X_2, L[half:, :half]), L[:half, :half])
    return array_namespace(B).concat([X_1, X_2], axis=1)


def _solution(B: Array, L: Array, transposed: bool) -> Array:
    """B L^-T if `transposed`, otherwise B L^-1, by the triangular solver of PyTorch or JAX, or by a general solver.

    The general solver of another library eliminates and then substitutes. An upper triangular matrix needs no
    elimination. L^T is upper triangular, and so is L with its rows and columns in reversed order.
    """
    if is_torch_array(L):
        import torch

        return torch.linalg.solve_triangular(L.T if transposed else L, B, upper=transposed, left=False)
    if is_jax_array(L):
        from jax.lax.linalg import triangular_solve

        return triangular_solve(L, B, left_side=False, lower=True, transpose_a=transposed)
    xp = array_namespace(L)
    try:
        if transposed:
            upper, reversed_B = xp.flip(L), xp.flip(B, axis=1)
            return xp.flip(xp.linalg.solve(upper, reversed_B.T).T, axis=1)
        return xp.linalg.solve(L.T, B.T).T
    except np.linalg.LinAlgError:  # NumPy and array-api-strict raise it for a 0 on the diagonal
        return xp.full_like(B, float("nan"))
