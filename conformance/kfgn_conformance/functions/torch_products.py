"""Calls of PyTorch that multiply by a matrix, such as `functional.linear`, as products W a_t + b.

A call becomes one product h_t = W a_t + b, or several: one for each group of channels of a convolution, or one for each
operand of a matrix product. The columns of W have the order of the reference: the patches of a convolution are read tap
by tap.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch.nn import functional


class Product(NamedTuple):
    """One product, for a call on a batch of one datapoint.

    W:         the matrix as a function of the parameters, (O, I)
    b:         the bias, (O,), or None
    a:         the inputs, (T, I)
    positions: a function that takes a tensor, shaped like the result of the call, and returns the elements of this
               product, (T, O)
    """

    W: Any
    b: Any
    a: Any
    positions: Callable[[Any], Any]


def of_linear(_h: Any, input: Any, weight: Any, bias: Any = None) -> Iterator[Product]:  # noqa: A002  (of PyTorch)
    """functional.linear, which nn.Linear and nn.MultiheadAttention call too."""
    if weight.ndim == 2:
        yield Product(weight, bias, rows(input), rows)


def of_matmul(h: Any, *args: Any, **kwargs: Any) -> Iterator[Product]:
    """A product of two tensors. Each of the two may be a matrix of parameters, with the other one as its inputs."""
    first, second = [*args, *kwargs.values()]
    yield from of_addmm(h, None, first, second)


def of_addmm(_h: Any, input: Any, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> Iterator[Product]:  # noqa: A002  (of PyTorch)
    """alpha mat1 mat2 + beta input, with products only if alpha is 1. A vector `input` is a bias if beta is 1."""
    bias = input if input is not None and input.ndim == 1 and beta == 1 else None
    if alpha != 1 or not (torch.is_tensor(mat1) and torch.is_tensor(mat2)):
        return
    if mat2.ndim == 2:
        yield Product(mat2.T, bias, rows(mat1), rows)
    if mat2.ndim == 1:
        yield Product(mat2[None], None, rows(mat1), single)
    if mat1.ndim == 2:
        yield Product(mat1, None, columns(mat2), columns)
    if mat1.ndim == 1:
        yield Product(mat1[None], None, columns(mat2), single)


def of_convolution(
    h: Any,
    input: Any,  # noqa: A002  (of PyTorch)
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Iterator[Product]:
    """functional.conv1d and functional.conv2d: for each group, a product whose inputs are patches."""
    if h.ndim != weight.ndim:
        return  # the result has no axis of datapoints
    O = weight.shape[0] // groups
    for j, part in enumerate(input.chunk(groups, dim=1)):
        group = slice(j * O, (j + 1) * O)
        W = weight[group].movedim(1, -1).reshape(O, -1)
        b = None if bias is None else bias[group]
        yield Product(W, b, patches(part, weight.shape[2:], stride, padding, dilation), channels_last(group))


def of_embedding(_h: Any, input: Any, weight: Any, padding_idx: Any = None, *_: Any, **__: Any) -> Iterator[Product]:  # noqa: A002  (of PyTorch)
    """functional.embedding: the transposed table times one-hot vectors.

    The one-hot vector of the padding index is replaced by 0.
    """
    one_hot = functional.one_hot(input.reshape(-1), len(weight)).to(weight.dtype)
    if padding_idx is not None:
        one_hot[:, padding_idx] = 0
    yield Product(weight.T, None, one_hot, rows)


def rows(tensor: Any) -> Any:
    """(..., I) as (T, I)."""
    return tensor.reshape(-1, tensor.shape[-1])


def single(tensor: Any) -> Any:
    """(...,) as (T, 1)."""
    return tensor.reshape(-1, 1)


def columns(tensor: Any) -> Any:
    """(..., I, T) as (T, I), or (I,) as (1, I)."""
    return rows(tensor if tensor.ndim == 1 else tensor.transpose(-1, -2))


def channels_last(group: slice) -> Callable[[Any], Any]:
    """The function from a result (B, O, ...) of a convolution to the channels of a group at all positions, (T, O)."""
    return lambda tensor: rows(tensor[:, group].movedim(1, -1))


def patches(a: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    """The inputs (T, I) of a convolution of `a` (B, C, ...), tap by tap, with the channels of a tap next to each other.

    A model may fold positions of a datapoint into the first axis, so B may be above 1. T counts the output positions of
    all B rows.
    """
    axes = len(kernel)
    stride, dilation = each(stride, axes), each(dilation, axes)
    a = functional.pad(a, around(padding, kernel, dilation))
    for axis in range(axes):
        a = windows(a, 2 + axis, kernel[axis], stride[axis], dilation[axis])
    # a is (B, C, positions, taps), and the permutation puts the channels last
    order = (0, *range(2, 2 + 2 * axes), 1)
    T = len(a) * a.shape[2 : 2 + axes].numel()
    return a.permute(order).reshape(T, -1)


def windows(a: Any, axis: int, width: int, stride: int, dilation: int) -> Any:
    """The windows along an axis. In the result, the axis has the output positions, and a new last axis has the taps."""
    return a.unfold(axis, dilation * (width - 1) + 1, stride)[..., ::dilation]


def around(padding: Any, kernel: Any, dilation: Any) -> list[int]:
    """The numbers of zeros before and after each axis, the last axis first, as functional.pad expects them."""
    if padding == "same":
        totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        pairs = [(total // 2, total - total // 2) for total in totals]
    else:
        pairs = [(p, p) for p in each(0 if padding == "valid" else padding, len(kernel))]
    return [number for pair in reversed(pairs) for number in pair]


def each(value: Any, axes: int) -> tuple[int, ...]:
    """The number for each axis, where `value` is one number for all axes, or a sequence of numbers."""
    return (value,) * axes if isinstance(value, int) else tuple(value) * (axes if len(value) == 1 else 1)


PRODUCTS: dict[Any, Callable[..., Iterator[Product]]] = {
    functional.linear: of_linear,
    functional.conv1d: of_convolution,
    functional.conv2d: of_convolution,
    functional.embedding: of_embedding,
    torch.addmm: of_addmm,
    torch.Tensor.addmm: of_addmm,
    **dict.fromkeys(
        (torch.matmul, torch.mm, torch.mv, torch.Tensor.matmul, torch.Tensor.mm, torch.Tensor.mv), of_matmul
    ),
    torch.Tensor.__matmul__: of_matmul,
}
"""The functions that are seen, each with the function that reads the result and the arguments of a call."""
