"""Products A^T A, which a BLAS computes with half of the multiplications of other products of the same shapes."""

import numpy as np
from array_api_compat import array_namespace, is_torch_array

from .._types import Array
from .arrays import has_values
from .placement import in_host_memory


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
    NumPy recognises the product of a matrix and its own transpose, and computes one triangle of the result. PyTorch
    computes both triangles. For a tensor in host memory, NumPy therefore computes the product, without a copy of A and
    with the threads of NumPy.

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn.backends import gram
    >>> gram(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[10., 14.],
           [14., 20.]])
    """
    if is_torch_array(A) and has_values(A) and in_host_memory(A):
        return _gram_by_numpy(A)
    return array_namespace(A).matrix_transpose(A) @ A


def _gram_by_numpy(A: Array) -> Array:
    import torch

    B = A.numpy(force=True)
    with np.errstate(all="ignore"):  # NumPy may be set to raise errors for an overflow, and PyTorch never does
        return torch.from_numpy(np.matrix_transpose(B) @ B)
