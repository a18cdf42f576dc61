"""Sums and matrix products that add terms from the first to the last, and round every operation."""

import numpy as np

from .rounding import Floats, round_pattern, rounded

ELEMENTS = 2**20
"""The maximum number of elementwise products that a matrix product keeps in memory at a time.

For a result with more elements, the matrix product keeps one elementwise product per element of the result.
"""


def summed(x: Floats, axis: int, bits: int) -> Floats:
    """Sum x over one axis, from the first element to the last, with a rounding to `bits` bits after each addition."""
    terms = np.moveaxis(x, axis, 0)
    total = np.array(terms[0]) if len(terms) else np.zeros(terms.shape[1:])
    add_up(total, terms[1:], bits)
    return total


def add_up(total: Floats, terms: Floats, bits: int) -> None:
    """Add the terms one by one to a total, in place, with a rounding to `bits` bits after each addition."""
    pattern = total.view(np.int64)
    work = np.empty_like(pattern)
    for term in terms:
        np.add(total, term, total)
        round_pattern(pattern, work, bits)


def accumulated(x: Floats, axis: int, bits: int) -> Floats:
    """Compute the cumulative sums of x along one axis, with a rounding to `bits` bits after each addition."""
    terms = np.moveaxis(np.array(x), axis, 0)
    for i in range(1, len(terms)):
        terms[i] = rounded(terms[i - 1] + terms[i], bits)
    return np.moveaxis(terms, 0, axis)


def product(A: Floats, B: Floats, bits: int) -> Floats:
    """Compute A @ B, the product of matrices (M, K) and (K, N). Either matrix may be a vector, as with `@`."""
    if A.ndim > 2 or B.ndim > 2 or A.ndim * B.ndim == 0 or A.shape[-1] != B.shape[0]:
        raise ValueError(f"A, B: expected vectors or matrices of compatible shapes, got {A.shape} and {B.shape}")
    rows = A[None, :] if A.ndim == 1 else A
    columns = B[:, None] if B.ndim == 1 else B
    shape = (*A.shape[:-1], *B.shape[1:])
    return _product(rows, columns, bits).reshape(shape)


def _product(A: Floats, B: Floats, bits: int) -> Floats:
    (M, K), N = A.shape, B.shape[1]
    held = max(ELEMENTS // max(M * N, 1), 1)
    total = np.zeros((M, N))
    for start in range(0, K, held):
        part = slice(start, start + held)
        products = rounded(A.T[part, :, None] * B[part, None, :], bits)
        add_up(total, products, bits)
    return total
