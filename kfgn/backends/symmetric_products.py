"""Products A^T A, which a BLAS computes with half of the multiplications of other products of the same shapes."""

import math

import numpy as np
from array_api_compat import array_namespace, is_jax_array, is_torch_array

from .._types import Array
from .arrays import has_values
from .placement import in_host_memory

COLUMNS_OF_NUMPY = 96
"""The smallest number of columns of a tensor A for which NumPy computes A^T A faster than PyTorch, by measurement."""

LARGE = 2**23
"""The number of multiplications, for both triangles, above which NumPy is faster in spite of the time of its call."""

ROWS = range(500, 5001)
"""The numbers of rows for which `_gram_in_halves` is faster than one product in JAX, by measurement.

With more rows, `_gram_in_halves` was slower.
"""

COLUMNS = 400
"""The smallest number of columns for which `_gram_in_halves` is faster than one product in JAX, by measurement."""


def gram(A: Array) -> Array:
    """Return A^T A.

    Parameters
    ----------
    A : array (..., N, D), float32 or float64

    Returns
    -------
    array (..., D, D)
        The symmetric matrix A^T A, or a stack of symmetric matrices.

    Notes ----- NumPy recognises the product of a matrix and its own transpose, and computes one triangle of the result.
    PyTorch computes both triangles. If PyTorch has one thread, NumPy therefore computes the product for a large tensor
    in host memory, without a copy of A. With several threads PyTorch computes it, since threads of NumPy that wait for
    the next product would slow down the threads of PyTorch. JAX computes both triangles too. On a CPU, a matrix A of
    JAX with a number of rows in `ROWS` and at least `COLUMNS` columns is therefore split into the halves A_1 and A_2 of
    its columns. The products of the halves need three quarters of the multiplications.

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn.backends import gram
    >>> gram(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[10., 14.],
           [14., 20.]])
    """
    if is_torch_array(A) and in_host_memory(A) and has_values(A) and _is_large(A) and _has_one_thread():
        return _gram_by_numpy(A)
    if is_jax_array(A) and _has_large_halves(A):
        return _gram_in_halves(A)
    return array_namespace(A).matrix_transpose(A) @ A


def _is_large(A: Array) -> bool:
    D = A.shape[-1]
    return bool(D >= COLUMNS_OF_NUMPY and math.prod(A.shape) * D > LARGE)


def _has_one_thread() -> bool:
    import torch

    return bool(torch.get_num_threads() == 1)


def _gram_by_numpy(A: Array) -> Array:
    import torch

    B = A.numpy(force=True)
    with np.errstate(all="ignore"):  # NumPy may be set to raise errors for an overflow, and PyTorch never does
        return torch.from_numpy(np.matrix_transpose(B) @ B)


def _has_large_halves(A: Array) -> bool:
    import jax

    large = A.ndim == 2 and A.shape[0] in ROWS and A.shape[1] >= COLUMNS
    return bool(large and jax.default_backend() == "cpu")


def _gram_in_halves(A: Array) -> Array:
    """[A_1  A_2]^T [A_1  A_2], whose block A_1^T A_2 is the transpose of A_2^T A_1."""
    xp, D = array_namespace(A), A.shape[1] // 2
    A_1, A_2 = A[:, :D], A[:, D:]
    below = A_2.T @ A_1
    rows = [A_1.T @ A_1, below.T], [below, A_2.T @ A_2]
    return xp.concat([xp.concat(row, axis=1) for row in rows], axis=0)
