"""What an array must be, and the errors that say what was expected and what came.

Libraries, dtypes, devices and shapes are always checked, since that reads no data. Values are checked
where there are any: not while a function is traced, and not on a device that holds none.
"""

from collections.abc import Mapping

from array_api_compat import array_namespace, is_array_api_obj

from .._types import Array, Namespace
from .._words import type_of
from ..backends import carries_derivatives, detached, device, has_values, is_plain


def one_library_and_device(named: Mapping[str, Array]) -> Namespace:
    """The common namespace; the first array says what is expected of the others."""
    for name, array in named.items():
        if not (is_array_api_obj(array) and is_plain(array)):
            raise TypeError(f"{name}: expected an array, got {type_of(array)}")
        check_not_transformed(name, array)
    first, like = next(iter(named.items()))
    xp = array_namespace(like)
    for name, array in named.items():
        if array_namespace(array) is not xp:
            raise TypeError(
                f"{name}: expected an array of the library of {first}, {type_of(like)}, got {type_of(array)}"
            )
    places = [(name, device(array)) for name, array in named.items()]
    known = [(name, place) for name, place in places if place is not None]
    for name, place in known:
        first, there = known[0]
        if place != there:
            raise ValueError(f"{name}: expected an array on the device of {first}, {there}, got one on {place}")
    return xp


def check_not_transformed(name: str, array: Array) -> None:
    """`TypeError` for a tensor through which PyTorch differentiates or maps: results have no derivatives."""
    if carries_derivatives(array):
        raise TypeError(
            f"{name}: expected a tensor outside transforms of torch.func and forward-mode differentiation, as results "
            "have no derivatives, got one inside: call kfgn.gradient, kfgn.jacobian_product, kfgn.hessian_product or "
            "their like on plain tensors instead"
        )


def check_floating_dtype(xp: Namespace, named: Mapping[str, Array]) -> None:
    """float32 or float64, that of the first array."""
    first, like = next(iter(named.items()))
    if like.dtype not in (xp.float32, xp.float64):
        raise TypeError(f"{first}: expected dtype float32 or float64, got {like.dtype}")
    for name, array in named.items():
        if array.dtype != like.dtype:
            raise TypeError(f"{name}: expected the dtype of {first}, {like.dtype}, got {array.dtype}")


def check_finite(xp: Namespace, named: Mapping[str, Array]) -> None:
    """No NaN and no infinity."""
    for name, array in named.items():
        if violated(xp.all(xp.isfinite(array))):
            raise ValueError(f"{name}: expected finite values, got NaN or infinity")


def check_values(xp: Namespace, name: str, array: Array, allowed: Array, expected: str) -> None:
    """What is allowed, everywhere."""
    if violated(xp.all(allowed)):
        number = int if xp.isdtype(array.dtype, "integral") else float
        least, most = (number(detached(end(array))) for end in (xp.min, xp.max))
        raise ValueError(f"{name}: expected {expected}, got values from {least} to {most}")


def violated(answer: Array) -> bool:
    """Whether the answer is there to be read, and no: an operation on known arrays may be traced all the same."""
    return has_values(answer) and not bool(answer)
