"""Arrays that compute in an arithmetic of 24 or 40 bits, so that the reference needs no change.

Every NumPy function that the reference calls on such arrays is in one of the tables of this module or in the table
`EXACT` of `elementary`, with three exceptions: `@`, powers and sums, which the class `Rounded` itself computes. Some of
the functions in the tables compute and round, and the other functions compare or move rounded numbers. A call of any
function outside of the tables and the exceptions raises `TypeError`, so no result contains a rounding that depends on
the processor.
"""

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from . import eigenvalues
from .elementary import EXACT, elementary
from .rounding import Floats, rounded, rounded_in_place
from .summation import accumulated, product, summed


class Rounded(np.ndarray[Any, np.dtype[np.float64]]):
    """A float64 array whose elements, and all results computed from the array, have `bits` bits of significand."""

    bits: ClassVar[int]

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
        plain = [np.asarray(x) for x in inputs]
        if ufunc in COMPARED:
            result = getattr(ufunc, method)(*plain, **options)
        elif method == "__call__":
            result = self._called(ufunc, *plain, **options)
        elif ufunc is np.add and method in ("reduce", "accumulate"):
            result = self._added(method, plain[0], **options)
        else:
            raise TypeError(f"{ufunc.__name__}.{method}: expected a function in the tables of arithmetic/rounded.py")
        if out is None:
            return np.asarray(result).view(type(self)) if result.dtype == np.float64 else result
        (target,) = out
        target[...] = result
        return target

    def _called(self, ufunc: np.ufunc, *inputs: Any, **options: Any) -> Any:
        """The result of an elementwise function, or of `@`."""
        if options:
            raise TypeError(f"{ufunc.__name__}: expected no options, got {', '.join(options)}")
        if ufunc in ROUNDED_CORRECTLY:
            return rounded_in_place(np.asarray(ufunc(*inputs)), self.bits)
        if ufunc in EXACT:
            return elementary(ufunc, inputs[0], self.bits)
        if ufunc is np.matmul:
            A, B = (x.astype(np.float64) for x in inputs)
            return product(A, B, self.bits)
        if ufunc is np.power:
            return self._power(*inputs)
        raise TypeError(f"{ufunc.__name__}: expected a function in the tables of arithmetic/rounded.py")

    def _power(self, base: Floats, exponent: NDArray[Any]) -> Floats:
        """A positive integer power, by repeated multiplication."""
        if exponent.ndim or exponent != int(exponent) or exponent < 1:
            raise TypeError(f"power: expected an integer exponent of at least 1, got {exponent}")
        result = base
        for _ in range(int(exponent) - 1):
            result = rounded(np.asarray(result * base), self.bits)
        return result

    def _added(self, method: str, x: NDArray[Any], axis: Any = 0, keepdims: bool = False, **options: Any) -> Any:
        """A sum over some or all axes, or the cumulative sum along one axis."""
        if any(value is not None and value is not True for value in options.values()):  # NumPy's default is where=True
            raise TypeError(f"add.{method}: expected axis and keepdims only, got {', '.join(options)}")
        if method == "accumulate":
            return accumulated(x, axis, self.bits)
        axes = tuple(range(x.ndim)) if axis is None else np.atleast_1d(axis) % max(x.ndim, 1)
        total = x
        for one in sorted(axes, reverse=True):
            total = summed(total, one, self.bits)
        return np.expand_dims(total, tuple(axes)) if keepdims else total

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        if function in COMPUTED:
            return COMPUTED[function](*arguments, **options)
        if function not in MOVED:
            raise TypeError(f"{function.__name__}: expected a function in the tables of arithmetic/rounded.py")
        return self._wrapped(function(*_plain(arguments), **_plain(options)))

    def __getitem__(self, key: Any) -> Any:
        """The elements at an index. A single element is a 0-d array, because NumPy scalars compute in float64."""
        element = super().__getitem__(key)
        return element if isinstance(element, Rounded) else np.asarray(element).view(type(self))

    def _wrapped(self, result: Any) -> Any:
        """Convert float64 results, also in lists and tuples, to arrays of this class. Leave other results unchanged."""
        if isinstance(result, tuple | list):
            return type(result)(map(self._wrapped, result))
        if isinstance(result, np.ndarray | np.generic) and result.dtype == np.float64:
            return np.asarray(result).view(type(self))
        return result


class Single(Rounded):
    """Arithmetic with the 24 bits of float32 and the range of float64."""

    bits = 24


class Triple(Rounded):
    """Arithmetic with 40 bits, which is accurate enough to measure the rounding errors of arithmetic with 24 bits."""

    bits = 40


Precision = TypeVar("Precision", bound=Rounded)


def rounded_to(precision: type[Precision], x: NDArray[Any]) -> Precision:
    """Round every element of x to the bits of `precision`, and return an array of the class `precision`."""
    return rounded(np.asarray(x, np.float64), precision.bits).view(precision)


def _plain(x: Any) -> Any:
    """Replace arrays of the class `Rounded` by ordinary arrays in the arguments of a function."""
    if isinstance(x, Rounded):
        return x.view(np.ndarray)
    if isinstance(x, tuple | list):
        return type(x)(map(_plain, x))
    return {key: _plain(value) for key, value in x.items()} if isinstance(x, dict) else x


def _sum(x: Any, axis: Any = None, **options: Any) -> Any:
    return np.add.reduce(x, axis=axis, **options)


def _cumsum(x: Any) -> Any:
    return np.add.accumulate(x.reshape(-1))


def _outer(a: Any, b: Any) -> Any:
    return a.reshape(-1)[:, None] * b.reshape(-1)[None, :]


def _kron(A: Any, B: Any) -> Any:
    if A.ndim == B.ndim == 1:
        return _outer(A, B).reshape(-1)
    return (A[:, None, :, None] * B[None, :, None, :]).reshape(len(A) * len(B), -1)


def _product_of_all(x: Any) -> Any:
    result = x[0]
    for factor in x[1:]:
        result = result * factor
    return result


ROUNDED_CORRECTLY = {np.add, np.subtract, np.multiply, np.divide, np.sqrt, np.square}
"""Functions whose float64 results are rounded correctly, as IEEE 754 requires.

NumPy rounds a result to 53 bits, and `Single` rounds it again to 24 bits. The two roundings give the same number as a
single rounding to 24 bits, because 53 >= 2 x 24 + 2. For the 40 bits of `Triple`, the result of the two roundings can
differ from that of a single rounding.
"""

COMPARED = {
    *(np.negative, np.absolute, np.maximum, np.minimum, np.isfinite, np.sign),
    *(np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal),
    *(np.logical_and, np.logical_or, np.logical_not),
}
"""Functions without rounding: the result is an argument, a negated argument, a sign or a bool."""

COMPUTED: dict[Callable[..., Any], Callable[..., Any]] = {
    np.sum: _sum,
    np.cumsum: _cumsum,
    np.prod: _product_of_all,
    np.outer: _outer,
    np.kron: _kron,
    np.linalg.eigh: lambda A: tuple(part.view(type(A)) for part in eigenvalues.eigh(np.asarray(A), A.bits)),
    np.linalg.eigvalsh: lambda A: np.linalg.eigh(A)[0],
}
"""Replacements for NumPy functions that consist of several operations.

A replacement rounds every operation, but eigenvalues and eigenvectors are computed in float64 and then rounded.
"""

MOVED = {
    *(np.append, np.argmax, np.argsort, np.block, np.concatenate, np.delete, np.diagonal, np.max, np.ndim, np.shape),
    *(np.any, np.all, np.ones_like, np.split, np.stack, np.where, np.zeros_like),
}
"""Functions that move, count, test or select elements, or make an array of zeros or ones, and need no rounding."""
