"""Triangular equations, solved in halves, so that most of the work is in products of matrices.

    [L_11    0 ] [X_1]   [B_1]          X_1 = L_11^-1 B_1
    [L_21  L_22] [X_2] = [B_2]    =>    X_2 = L_22^-1 (B_2 - L_21 X_1)

PyTorch and JAX compute products faster than solutions of triangular equations, and the array API standard has no
function for the latter.
"""

from array_api_compat import array_namespace, is_jax_array, is_torch_array

from .._types import Array
from .multiplication import matmul

BLOCK = 128
"""The largest number of equations that are not split into halves. The best numbers were 128 to 256, by measurement."""


def forward_substitution(L: Array, B: Array) -> Array:
    """X (D, K) with L X = B, for a lower triangular L (D, D)."""
    if L.shape[0] <= BLOCK:
        return _solved(L, B, transposed=False)
    first, second = _halves(L)
    above = forward_substitution(L[first, first], B[first, :])
    below = forward_substitution(L[second, second], B[second, :] - matmul(L[second, first], above))
    return array_namespace(L).concat([above, below])


def back_substitution(L: Array, B: Array) -> Array:
    """X (D, K) with L^T X = B, for a lower triangular L (D, D)."""
    if L.shape[0] <= BLOCK:
        return _solved(L, B, transposed=True)
    first, second = _halves(L)
    below = back_substitution(L[second, second], B[second, :])
    above = back_substitution(L[first, first], B[first, :] - matmul(L[second, first].T, below))
    return array_namespace(L).concat([above, below])


def _halves(L: Array) -> tuple[slice, slice]:
    D = L.shape[0]
    return slice(0, D // 2), slice(D // 2, D)


def _solved(L: Array, B: Array, *, transposed: bool) -> Array:
    """X with L X = B, or L^T X = B if `transposed`, by the triangular solver of the library, if it has one."""
    if is_torch_array(L):
        import torch

        # MKL is fastest for the transposed equations, whose unknown is on the left
        A = L if transposed else L.mT
        return torch.linalg.solve_triangular(A, B.mT, upper=not transposed, left=False).mT
    if is_jax_array(L):
        from jax.lax.linalg import triangular_solve

        return triangular_solve(L, B, left_side=True, lower=True, transpose_a=transposed)
    return array_namespace(L).linalg.solve(L.T if transposed else L, B)
