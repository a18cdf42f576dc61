"""The operations of JAX that multiply by a matrix of parameters, as products h_t = W a_t.

theta is the vector of all parameters. An array that consists of entries of theta, in any order, has an origin: the
place in theta of each entry. The entries of W are those of an operand whose origin repeats no place: either operand of
`dot_general`, the kernel of a convolution, or the table of a `gather`, which is W^T. With groups of channels or batch
axes, one operand has several matrices W.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from .uses import Array


class Product(NamedTuple):
    """A product in the result h of an operation.

    entries: the place in theta of each entry of W, (O, I)
    inputs:  a function without arguments that returns the inputs a_t, (T, I)
    at:      the place in h of each pre-activation, (T, O)
    """

    entries: Array
    inputs: Callable[[], Any]
    at: Array


def of_dot_general(
    params: dict[str, Any], values: Sequence[Any], origins: Sequence[Array | None], shape: Sequence[int]
) -> Iterator[Product]:
    """`dot_general`, to which JAX converts matrix products and `einsum`.

    Either operand may be W. There is one product for each index of the batch axes.
    """
    contracting, batch = params["dimension_numbers"]
    lhs_rows, rhs_rows = (sizes(value, c, b) for value, c, b in zip(values, contracting, batch, strict=True))
    places = np.arange(np.prod(shape, dtype=int)).reshape(-1, lhs_rows, rhs_rows)
    for side in (0, 1):
        entries = origins[side]
        if entries is None or not different(entries):
            continue
        W = stacked(entries, contracting[side], batch[side])
        at = places if side == 1 else places.swapaxes(1, 2)
        for j, rows in enumerate(W):
            yield Product(rows, inputs_of(values[1 - side], contracting[1 - side], batch[1 - side], j), at[j])


def inputs_of(value: Any, contracting: Sequence[int], batch: Sequence[int], j: int) -> Callable[[], Any]:
    """The function that returns the inputs (T, I) of an operand, at index j of its batch axes."""
    return lambda: stacked(value, contracting, batch)[j]


def stacked(array: Any, contracting: Sequence[int], batch: Sequence[int]) -> Any:
    """An operand with the axes of the batch first and those of the sum last, as (batch, rows, sum)."""
    free = [axis for axis in range(array.ndim) if axis not in (*contracting, *batch)]
    count = np.prod([array.shape[axis] for axis in batch], dtype=int)
    length = np.prod([array.shape[axis] for axis in contracting], dtype=int)
    return array.transpose(*batch, *free, *contracting).reshape(count, -1, length)


def sizes(array: Any, contracting: Sequence[int], batch: Sequence[int]) -> int:
    """The number of rows of an operand: the product of the sizes of its axes that are not in the sum or the batch."""
    return int(np.prod([n for axis, n in enumerate(array.shape) if axis not in (*contracting, *batch)], dtype=int))


def of_convolution(
    params: dict[str, Any], values: Sequence[Any], origins: Sequence[Array | None], shape: Sequence[int]
) -> Iterator[Product]:
    """`conv_general_dilated` with a kernel of parameters: for each group, a product whose inputs are patches."""
    kernel, groups = origins[1], params["feature_group_count"]
    if kernel is None or not different(kernel) or params["batch_group_count"] != 1:
        return
    lhs_spec, rhs_spec, out_spec = params["dimension_numbers"]
    ordered = kernel.transpose(rhs_spec)  # (O, I, *width)
    O, I, *width = ordered.shape
    W = np.moveaxis(ordered, 1, -1).reshape(groups, O // groups, -1)
    channels_first = np.arange(np.prod(shape, dtype=int)).reshape(shape).transpose(out_spec)
    at = np.moveaxis(channels_first, 1, -1).reshape(-1, groups, O // groups)
    options = {name: params[name] for name in ("window_strides", "padding", "lhs_dilation", "rhs_dilation")}

    def inputs(j: int) -> Callable[[], Any]:
        def patches() -> Any:
            part = values[0].transpose(lhs_spec)[:, j * I : (j + 1) * I]
            found = jax.lax.conv_general_dilated_patches(part, tuple(width), **options)
            by_tap = found.reshape(len(part), I, int(np.prod(width)), -1)
            return by_tap.transpose(0, 3, 2, 1).reshape(-1, W.shape[-1])

        return patches

    for j in range(groups):
        yield Product(W[j], inputs(j), at[:, j])


def of_gather(rows: Array, table: Array) -> Iterator[Product]:
    """`gather`, which reads rows of a table: the transposed table times one-hot vectors.

    rows:  the place in theta of each entry of the result, negative where an index is outside of the table
    table: the place in theta of each entry of the table, (I, O)
    """
    if table.ndim != 2 or not different(table) or rows.ndim == 0 or rows.shape[-1] != table.shape[1]:
        return
    flat = rows.reshape(-1, table.shape[1])
    one_hot = (flat[:, None, :] == table[None]).all(axis=-1)
    if np.array_equal(one_hot.any(axis=1), (flat >= 0).all(axis=1)):
        yield Product(table.T, lambda: one_hot.astype(np.float64), np.arange(flat.size).reshape(flat.shape))


def different(places: Array) -> bool:
    """True if no place of theta occurs twice."""
    return places.size == len(np.unique(places))


PRODUCTS = {"dot_general": of_dot_general, "conv_general_dilated": of_convolution}
"""The operations that have products, by their names in JAX.

`gather` is not in the table, because `of_gather` has different arguments.
"""
