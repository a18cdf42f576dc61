"""Validation of the inputs X: real numbers in the dtype of the weights, or tokens of any integer dtype."""

from typing import Any

from .._network.network import Network
from .._network.padded import Padded, values_of
from .._network.tokens import is_token
from .._types import Array, Namespace
from .._validation.arrays import check_finite, check_floating_dtype, check_values, one_library_and_device
from ..backends import index_dtype
from .counted import check_mask


def check_types(network: Network, X: Any, layers: dict[str, Array]) -> Namespace:
    """Check the libraries, devices and dtypes of X and of the weights. Return their namespace.

    X:      an array or a `Padded`
    layers: a dictionary from the names of the weights in messages to the weights

    If all weights have one type or one dtype and X has a different one, the error is about X.
    """
    if isinstance(X, Padded):
        if not network.has_positions:
            raise TypeError("X: expected an array, since the network has no positions, got a kfgn.Padded")
        one_library_and_device({"X": X.values, "X.mask": X.mask})
        X = X.values
    agree = len(set(map(type, layers.values()))) == 1
    xp = one_library_and_device(layers | {"X": X} if agree else {"X": X} | layers)
    if network.has_tokens:
        check_floating_dtype(xp, layers)
        if not xp.isdtype(X.dtype, "integral"):
            raise TypeError(f"X: expected integer {_expected(network)}, got dtype {X.dtype}")
        return xp
    check_floating_dtype(xp, {"X": X})
    first, *others = (W.dtype for W in layers.values())
    agree = all(dtype == first for dtype in others)
    check_floating_dtype(xp, layers | {"X": X} if agree else {"X": X} | layers)
    return xp


def checked_inputs(xp: Namespace, network: Network, X: Any, like: Array, *, check: bool) -> Any:
    """X after a check of its shape, and of its values if `check` is true.

    If X is a `Padded`, the values of the result are zero at masked positions.

    Tokens are converted to the dtype of `like`, which is W_1. A checked X therefore has the dtype of the weights.
    """
    if isinstance(X, Padded):
        return _checked_padded(xp, network, X, like, check=check)
    _check_shape(network, X)
    return _checked_values(xp, network, X, like, check=check)


def _checked_padded(xp: Namespace, network: Network, X: Padded, like: Array, *, check: bool) -> Padded:
    _check_shape(network, X.values)
    shape = X.values.shape[0], *network.shapes[0][1:]
    if X.mask.dtype != xp.bool:
        raise TypeError(f"X.mask: expected dtype bool, True where a position counts, got {X.mask.dtype}")
    if tuple(X.mask.shape) != shape:
        raise ValueError(f"X.mask: expected shape {shape} for X {tuple(X.values.shape)}, got {tuple(X.mask.shape)}")
    check_mask(network, X.mask, check=check)
    counts = X.mask if network.has_tokens else X.mask[:, None, ...]
    values = xp.where(counts, X.values, xp.zeros_like(X.values))
    return Padded(_checked_values(xp, network, values, like, check=check), X.mask)


def _check_shape(network: Network, X: Array) -> None:
    inputs = network.inputs if network.has_positions else (network.inputs,)
    per_datapoint = inputs[1:] if network.has_tokens else inputs
    if X.ndim != 1 + len(per_datapoint) or tuple(X.shape[1:]) != per_datapoint:
        raise ValueError(f"X: expected shape (N, {', '.join(map(str, per_datapoint))}), got {tuple(X.shape)}")
    if X.shape[0] == 0:
        raise ValueError(f"X: expected at least one datapoint, got shape {tuple(X.shape)}")


def _checked_values(xp: Namespace, network: Network, X: Array, like: Array, *, check: bool) -> Array:
    if network.has_tokens:
        X = xp.astype(X, index_dtype(X))  # the dtype of X may not hold the number of tokens, such as int8 for 300
        if check:
            check_values(xp, "X", X, is_token(X, network.widths[0]), _expected(network))
        return xp.astype(X, like.dtype)
    if check:
        check_finite(xp, {"X": X})
    return X


def dtype_name(network: Network) -> str:
    """The name of the argument that has the dtype of a checked X: W_1 for tokens, and otherwise X itself."""
    return "W_1" if network.has_tokens else "X"


def with_dtype(network: Network, X: Any) -> dict[str, Array]:
    """A dictionary from `dtype_name` to a checked X, for checks that other arguments have the same dtype."""
    return {dtype_name(network): values_of(X)}


def _expected(network: Network) -> str:
    return f"tokens from 0 to {network.widths[0] - 1} for kfgn.Embedding"
