"""Elementwise computations for which functions of PyTorch need fewer passes or fewer new arrays than its operators."""

import numpy as np
from array_api_compat import array_namespace, is_numpy_array, is_torch_array

from .._types import Array
from .arrays import device


def weighted_mean(x: Array, y: Array, weight: Array) -> Array:
    """Return weight x + (1 - weight) y.

    Parameters
    ----------
    x, y : arrays of one shape and dtype
    weight : array (), from 0 to 1, of the dtype of x

    Returns
    -------
    array of the shape and dtype of x
        The weighted mean. PyTorch computes the mean in one pass over the elements.

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn.backends import weighted_mean
    >>> weighted_mean(np.asarray([1.0, 2.0]), np.asarray([3.0, 4.0]), np.asarray(0.5))
    array([2., 3.])
    """
    if is_torch_array(x):
        import torch

        return torch.lerp(y, x, weight)
    return weight * x + (1 - weight) * y


def plus_multiple(x: Array, scale: Array | float, y: Array) -> Array:
    """Return x + scale y.

    Parameters
    ----------
    x, y : arrays of one shape and dtype
    scale : float or array ()
        A number, or a 0-d array of the dtype of x.

    Returns
    -------
    array of the shape and dtype of x
        The sum. PyTorch computes the sum in one pass over the elements.

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn.backends import plus_multiple
    >>> plus_multiple(np.asarray([1.0, 2.0]), 0.5, np.asarray([4.0, 6.0]))
    array([3., 5.])
    """
    if not is_torch_array(x):
        return x + scale * y
    import torch

    return torch.add(x, y, alpha=scale) if isinstance(scale, float) else torch.addcmul(x, y, scale)


def tanh_derivative(h: Array) -> Array:
    """Return the derivative of tanh, 1 / cosh(h)^2.

    Parameters
    ----------
    h : array of any shape, float32 or float64

    Returns
    -------
    array of the shape and dtype of h
        The derivative, accurate even where 1 - tanh(h)^2 would lose digits.

    Notes
    -----
    PyTorch computes the derivative in one new array. Other libraries may have no fast cosh, so for their arrays the
    derivative is computed as 4 e / (1 + e)^2 with e = exp(-2 |h|).

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn.backends import tanh_derivative
    >>> tanh_derivative(np.asarray([0.0, 1.0])).round(3).tolist()
    [1.0, 0.42]
    """
    if is_torch_array(h):
        import torch

        return torch.cosh(h).reciprocal_().square_()
    xp = array_namespace(h)
    e = xp.exp(-2 * xp.abs(h))
    denominator = 1 + e
    return 4 * e / (denominator * denominator)


def damped(A: Array, k: Array) -> Array:
    """Return the symmetric part of a matrix plus a multiple of the identity.

    Parameters
    ----------
    A : array (D, D), float32 or float64
    k : array () of the dtype of A

    Returns
    -------
    array (D, D)
        (A + A^T) / 2 + k I. Rounding errors can make A slightly asymmetric, and a Cholesky factorisation reads only one
        triangle of A. With the symmetric part, the result does not depend on the triangle. PyTorch computes the
        symmetric part in one pass. NumPy and PyTorch add k to the diagonal alone.

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn.backends import damped
    >>> damped(np.asarray([[1.0, 2.0], [2.0, 5.0]]), np.asarray(0.5))
    array([[1.5, 2. ],
           [2. , 5.5]])
    """
    if is_torch_array(A):
        import torch

        symmetric = torch.lerp(A, A.T, 0.5)
        symmetric.diagonal().add_(k)
        return symmetric
    if is_numpy_array(A):
        symmetric = A + A.T
        symmetric /= 2
        i = np.arange(A.shape[0])
        symmetric[i, i] += k
        return symmetric
    return (A + A.T) / 2 + k * array_namespace(A).eye(A.shape[0], dtype=A.dtype, device=device(A))
