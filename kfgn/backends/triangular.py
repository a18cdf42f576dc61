"""Triangular equations with the unknown on the left, solved in halves, so that most of the work is in products.

    [X_1  X_2] [L_11^T  L_21^T] = [B_1  B_2]    =>    X_1 = B_1 L_11^-T
               [     0  L_22^T]                       X_2 = (B_2 - X_1 L_21^T) L_22^-T

PyTorch and JAX compute products faster than solutions of triangular equations, and the array API standard has no
function for the latter.
"""

from array_api_compat import array_namespace, is_jax_array, is_torch_array

from .._types import Array
from .multiplication import matmul

BLOCK = 128
"""The largest number of equations that are not split into halves. The best numbers were 128 to 256, by measurement."""


def forward_substitution(L: Array, B: Array) -> Array:
    """X (K, D) with X L^T = B, for a lower triangular L (D, D)."""
    if L.shape[0] <= BLOCK:
        return _solved(L, B, transposed=True)
    first, second = _halves(L)
    X_1 = forward_substitution(L[first, first], B[:, first])
    X_2 = forward_substitution(L[second, second], B[:, second] - matmul(X_1, L[second, first].T))
    return array_namespace(L).concat([X_1, X_2], axis=1)


def back_substitution(L: Array, B: Array) -> Array:
    """X (K, D) with X L = B, for a lower triangular L (D, D)."""
    if L.shape[0] <= BLOCK:
        return _solved(L, B, transposed=False)
    first, second = _halves(L)
    X_2 = back_substitution(L[second, second], B[:, second])
    X_1 = back_substitution(L[first, first], B[:, first] - matmul(X_2, L[second, first]))
    return array_namespace(L).concat([X_1, X_2], axis=1)


def _halves(L: Array) -> tuple[slice, slice]:
    D = L.shape[0]
    return slice(0, D // 2), slice(D // 2, D)


def _solved(L: Array, B: Array, *, transposed: bool) -> Array:
    """X with X L = B, or X L^T = B if `transposed`, by the triangular solver of the library, if it has one."""
    if is_torch_array(L):
        import torch

        return torch.linalg.solve_triangular(L.mT if transposed else L, B, upper=transposed, left=False)
    if is_jax_array(L):
        from jax.lax.linalg import triangular_solve

        return triangular_solve(L, B, left_side=False, lower=True, transpose_a=transposed)
    return array_namespace(L).linalg.solve(L if transposed else L.T, B.T).T
