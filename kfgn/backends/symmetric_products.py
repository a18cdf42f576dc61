"""Products that are symmetric matrices, with about half of the multiplications of other products of the same shapes."""

import itertools
import math

import numpy as np
from array_api_compat import array_namespace, is_jax_array, is_numpy_array, is_torch_array

from .._types import Array
from .arrays import has_values
from .multiplication import matmul, suits_onednn
from .placement import in_host_memory

COLUMNS_OF_NUMPY = 96
"""The smallest number of columns of a tensor A for which NumPy computes A^T A faster than PyTorch, by measurement."""

LARGE = 2**23
"""The number of multiplications, for both triangles, above which NumPy is faster in spite of the time of its call."""

BLOCKS = 4
"""The number of blocks of rows of a product. Of each block, only the part up to the diagonal is multiplied.

Four blocks need 5/8 of the multiplications.
"""

COLUMNS_OF_BLOCKS = 300
"""The smallest number of columns for which blocks are faster than one product, by measurement."""

LARGE_FOR_BLOCKS = 2**26
"""The number of multiplications, for both triangles, from which blocks are faster, by measurement."""

COLUMNS_OF_JAX = 400
"""The smallest number of columns for which blocks are faster in JAX, by measurement."""

ROWS_OF_JAX = range(500, 4001)
"""The numbers of rows for which blocks are faster than one product in JAX, by measurement.

With more rows, blocks were slower.
"""


def gram(A: Array) -> Array:
    """Return A^T A.

    Parameters
    ----------
    A : array (..., N, D), float32 or float64

    Returns
    -------
    array (..., D, D)
        The symmetric matrix A^T A, or a stack of symmetric matrices.

    Notes
    -----
    NumPy recognises the product of a matrix and its own transpose, and computes one triangle of the result. If PyTorch
    has one thread, NumPy therefore also computes the product for a large tensor that is in host memory and has no
    derivative, without a copy of A. With several threads, the threads of NumPy that wait for the next product would
    slow down the threads of PyTorch. All other products are computed as by `symmetric_product`.

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn.backends import gram
    >>> gram(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[10., 14.],
           [14., 20.]])
    """
    if is_numpy_array(A):
        return np.matrix_transpose(A) @ A
    if is_torch_array(A) and in_host_memory(A) and has_values(A) and _suits_numpy(A):
        return _gram_by_numpy(A)
    return symmetric_product(A, A)


def symmetric_product(A: Array, B: Array) -> Array:
    """Return A^T B, for matrices whose product is known to be symmetric.

    Parameters
    ----------
    A, B : arrays (..., N, D), float32 or float64
        Two arrays of one dtype, such as B = M A with a symmetric M.

    Returns
    -------
    array (..., D, D)
        A^T B. For large matrices on a CPU, the elements above the diagonal may be copies of those below.

    Notes
    -----
    No library has a function for such a product. A large product on a CPU is therefore computed in four blocks of rows.
    Each block is multiplied only up to the diagonal, and the elements above the diagonal are copies. On JAX, blocks are
    faster only for the numbers of rows in `ROWS_OF_JAX`. Where PyTorch multiplies by oneDNN, one product is faster.
    In blocks, the derivative along a direction is right if the product stays symmetric along this direction.

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn.backends import symmetric_product
    >>> A = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> symmetric_product(A, 2 * A)
    array([[20., 28.],
           [28., 40.]])
    """
    if _has_large_blocks(A):
        return _in_blocks(A, B)
    return matmul(array_namespace(A).matrix_transpose(A), B)


def _suits_numpy(A: Array) -> bool:
    """True for a large tensor without a derivative, if PyTorch has one thread."""
    D = A.shape[-1]
    large = D >= COLUMNS_OF_NUMPY and math.prod(A.shape) * D > LARGE
    return bool(large and not A.requires_grad and _has_one_thread())


def _has_one_thread() -> bool:
    import torch

    return bool(torch.get_num_threads() == 1)


def _gram_by_numpy(A: Array) -> Array:
    import torch

    B = A.numpy(force=True)
    with np.errstate(all="ignore"):  # NumPy may be set to raise errors for an overflow, and PyTorch never does
        return torch.from_numpy(np.matrix_transpose(B) @ B)


def _has_large_blocks(A: Array) -> bool:
    """True if the product is computed in blocks. False for a symbolic number of rows of JAX."""
    if is_jax_array(A):
        rows = isinstance(A.shape[0], int) and A.shape[0] in ROWS_OF_JAX
        return rows and _is_wide(A, COLUMNS_OF_JAX) and _jax_uses_cpu()
    if is_torch_array(A):
        suits = in_host_memory(A) and has_values(A) and not suits_onednn(A)
        return suits and _is_wide(A, COLUMNS_OF_BLOCKS)
    return is_numpy_array(A) and _is_wide(A, COLUMNS_OF_BLOCKS)


def _is_wide(A: Array, columns: int) -> bool:
    return bool(A.ndim == 2 and A.shape[1] >= columns and math.prod(A.shape) * A.shape[1] >= LARGE_FOR_BLOCKS)


def _jax_uses_cpu() -> bool:
    import jax

    return bool(jax.default_backend() == "cpu")


def _in_blocks(A: Array, B: Array) -> Array:
    xp, D = array_namespace(A), A.shape[1]
    blocks = list(itertools.pairwise(D * i // BLOCKS for i in range(BLOCKS + 1)))
    lower = [A[:, start:end].T @ B[:, :end] for start, end in blocks]

    def rows(i: int) -> Array:
        """The rows of block i: up to the diagonal, and then the transposed parts of the blocks below."""
        start, end = blocks[i]
        return xp.concat([lower[i], *(below[:, start:end].T for below in lower[i + 1 :])], axis=1)

    return xp.concat([rows(i) for i in range(BLOCKS)], axis=0)
