"""Products A^T A, which a BLAS computes with half of the multiplications of other products of the same shapes."""

from array_api_compat import is_torch_array

from .._types import Array
from .arrays import has_values


def gram(A: Array) -> Array:
    """Return A^T A.

    Parameters
    ----------
    A : array (N, D), float32 or float64

    Returns
    -------
    array (D, D)
        The symmetric matrix A^T A.

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
    return _gram_in_host_memory(A) if _in_host_memory(A) else A.T @ A


def _in_host_memory(A: Array) -> bool:
    """Return True for a tensor that NumPy can read now, outside all programs that record the operations of PyTorch."""
    if not (is_torch_array(A) and has_values(A)):
        return False
    import torch
    from torch.utils._python_dispatch import is_in_torch_dispatch_mode

    recorded = torch.jit.is_tracing() or is_in_torch_dispatch_mode()
    return type(A) is torch.Tensor and A.device.type == "cpu" and not recorded


def _gram_in_host_memory(A: Array) -> Array:
    import torch

    B = A.numpy(force=True)
    return torch.from_numpy(B.T @ B)
