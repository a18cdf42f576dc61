"""Validation of arrays: library, device, dtype and values.

Libraries, dtypes and known devices are always checked, since these checks read no data. The device of an array that JAX
traces is not known. Values are checked if they can be read. Values cannot be read while a function is traced, or on a
device that holds no data, such as the device meta of PyTorch.
"""

from collections.abc import Mapping

from array_api_compat import array_namespace, is_array_api_obj, is_numpy_array, is_torch_array

from .._types import Array, Namespace
from .._words import type_of
from ..backends import carries_derivatives, detached, device, has_values, is_plain


def one_library_and_device(named: Mapping[str, Array]) -> Namespace:
    """Return the namespace of the arrays. All arrays must share the library and the device of the first array."""
    for name, array in named.items():
        if not (is_array_api_obj(array) and is_plain(array)):
            raise TypeError(f"{name}: expected an array, got {type_of(array)}")
        check_not_transformed(name, array)
    first, like = next(iter(named.items()))
    xp = array_namespace(like)
    for name, array in named.items():
        if type(array) is not type(like) and array_namespace(array) is not xp:
            raise TypeError(
                f"{name}: expected an array of the library of {first}, {type_of(like)}, got {type_of(array)}"
                f"{_conversion(like, array)}"
            )
    _check_one_device(named)
    return xp


def _conversion(like: Array, array: Array) -> str:
    """Return advice if an array of NumPy was given and a tensor of PyTorch was expected, and "" otherwise."""
    convertible = is_torch_array(like) and is_numpy_array(array)
    return "; torch.as_tensor converts the array" if convertible else ""


def _check_one_device(named: Mapping[str, Array]) -> None:
    devices = [(name, device(array)) for name, array in named.items()]
    known = [(name, place) for name, place in devices if place is not None]
    for name, place in known:
        first, expected = known[0]
        if place != expected:
            raise ValueError(f"{name}: expected an array on the device of {first}, {expected}, got one on {place}")


def check_not_transformed(name: str, array: Array) -> None:
    """Raise `TypeError` for a tensor that a transform of `torch.func` or forward-mode differentiation tracks.

    For such a tensor, kfgn would return results without derivatives.
    """
    if carries_derivatives(array):
        raise TypeError(
            f"{name}: expected a tensor outside transforms of torch.func and forward-mode differentiation, since "
            "results have no derivatives, got a tensor inside them: call kfgn.gradient, kfgn.jacobian_product or "
            "kfgn.hessian_product on plain tensors instead"
        )


def check_floating_dtype(xp: Namespace, named: Mapping[str, Array]) -> None:
    """Raise `TypeError` unless the first array is float32 or float64 and all others have its dtype."""
    first, like = next(iter(named.items()))
    if like.dtype not in (xp.float32, xp.float64):
        raise TypeError(f"{first}: expected dtype float32 or float64, got {like.dtype}")
    for name, array in named.items():
        if array.dtype != like.dtype:
            raise TypeError(f"{name}: expected the dtype of {first}, {like.dtype}, got {array.dtype}")


def check_finite(xp: Namespace, named: Mapping[str, Array]) -> None:
    """Raise `ValueError` for an array with NaN or infinity."""
    for name, array in named.items():
        # a sum is faster than a test of every element, and a finite sum has only finite terms
        if violated(xp.isfinite(xp.sum(array))) and violated(xp.all(xp.isfinite(array))):
            raise ValueError(f"{name}: expected finite values, got NaN or infinity")


def check_values(xp: Namespace, name: str, array: Array, allowed: Array, expected: str) -> None:
    """Raise `ValueError` if `allowed`, a boolean array of the shape of `array`, has an element that is False."""
    if violated(xp.all(allowed)):
        number = int if xp.isdtype(array.dtype, "integral") else float
        lower, upper = (number(detached(end(array))) for end in (xp.min, xp.max))
        raise ValueError(f"{name}: expected {expected}, got values from {lower} to {upper}")


def violated(condition: Array) -> bool:
    """Return True if the condition (0-d, bool) can be read and is False.

    `has_values` tests the condition, and not the arrays from which the condition was computed: in a trace, an operation
    on readable arrays can have a result that cannot be read.
    """
    return has_values(condition) and not bool(condition)
