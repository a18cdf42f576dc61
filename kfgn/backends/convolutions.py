"""The convolution of a library, its transpose, and the gradient of its kernel.

PyTorch is the only library whose convolution is called, and only for tensors in host memory. On a GPU, the convolutions
of the libraries round float32 to fewer bits by default, and may add in a different order in each call. On a GPU, kfgn
therefore computes a convolution as products of patches and kernels.
"""

from typing import Any, NamedTuple

from array_api_compat import is_torch_array

from .._types import Array
from .multiplication import onednn_is_exact
from .placement import in_host_memory


def has_convolution(x: Array) -> bool:
    """Return True if `LibraryConvolution` accepts an array.

    Parameters
    ----------
    x : array of any shape and dtype

    Returns
    -------
    bool
        True for a tensor of PyTorch for which `in_host_memory` returns True, unless the environment variable
        ONEDNN_DEFAULT_FPMATH_MODE allows oneDNN to round float32.

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn.backends import has_convolution
    >>> has_convolution(np.ones(3))
    False
    """
    return is_torch_array(x) and in_host_memory(x) and onednn_is_exact()


class LibraryConvolution(NamedTuple):
    """The convolution of PyTorch, over one or two axes of positions, for tensors with the channels in the last axis.

    Tap k of output position t reads position t stride + k dilation of the inputs, which contain the padding.

    Attributes
    ----------
    strides, dilations : tuple of int
        One number per axis of positions.
    groups : int
        The number of groups of channels.

    Examples
    --------
    >>> import torch
    >>> from kfgn.backends import LibraryConvolution
    >>> x, kernel = torch.tensor([1.0, 2.0, 4.0]).reshape(1, 3, 1), torch.tensor([1.0, 10.0]).reshape(1, 2, 1)
    >>> LibraryConvolution((1,), (1,), 1)(x, kernel, None).flatten().tolist()
    [21.0, 42.0]
    """

    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    groups: int

    def __call__(self, x: Array, kernel: Array, bias: Array | None) -> Array:
        """The outputs (N, *outputs, C') for x (N, *lengths, C), a kernel (C', *width, C / groups) and a bias (C',)."""
        import torch

        h = torch.convolution(_channels_first(x), _channels_first(kernel), bias, *self._options)
        return _channels_last(h)

    def transposed(self, rows: Array, kernel: Array, shape: tuple[int, ...]) -> Array:
        """The products of rows (N, *outputs, C') with the derivative of the outputs by x, in the `shape` of x."""
        return _channels_last(self._backward(rows, rows.new_empty(shape), kernel, wanted=0))

    def kernel_gradient(self, rows: Array, x: Array, shape: tuple[int, ...]) -> Array:
        """The sum over all rows (N, *outputs, C') of the row times its patch of x, in the `shape` of the kernel."""
        return _channels_last(self._backward(rows, x, rows.new_empty(shape), wanted=1))

    @property
    def _options(self) -> tuple[Any, ...]:
        """The last arguments of PyTorch's functions. Nothing is padded, and the convolution is not transposed."""
        none = (0,) * len(self.strides)
        return self.strides, none, self.dilations, False, none, self.groups

    def _backward(self, rows: Array, x: Array, kernel: Array, wanted: int) -> Array:
        """The derivative of sum(rows * h), for outputs h, by x if `wanted` is 0, or by the kernel if `wanted` is 1.

        The values of the array by which the derivative is taken are not read.
        """
        import torch

        arguments = map(_channels_first, (rows, x, kernel))
        results = [wanted == i for i in range(3)]
        return torch.ops.aten.convolution_backward(*arguments, None, *self._options, results)[wanted]


def _channels_first(x: Array) -> Array:
    return x.movedim(-1, 1)


def _channels_last(x: Array) -> Array:
    return x.movedim(1, -1)
