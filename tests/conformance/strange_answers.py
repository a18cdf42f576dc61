"""An adapter whose answer depends on the id of the problem: the gradient in every form, and unreadable answers."""

import os
import sys
from itertools import repeat

import numpy as np
from kfgn_conformance.adapters import UnsupportedError
from misbehaving import Right


class Command:
    """An object whose unpickling would run a command."""

    def __reduce__(self):
        return os.system, (f"touch {os.environ['KFGN_TEST_TOUCHED']}",)


class CommandError(RuntimeError, Command):
    __reduce__ = Command.__reduce__


class CommandInterrupt(KeyboardInterrupt, Command):
    __reduce__ = Command.__reduce__


class CommandText(str):
    __slots__ = ()
    __reduce__ = Command.__reduce__
    __len__ = __str__ = lambda self: self


class CommandArray(np.ndarray):
    __reduce__ = Command.__reduce__

    def __reduce_ex__(self, protocol):
        return Command.__reduce__(self)

    def __array_finalize__(self, other):
        self.more = Command()


class OnlyArray:
    def __init__(self, array):
        self._array = array

    def __array__(self, dtype=None, copy=None):
        return self._array


class OnlyDlpack:
    def __init__(self, array):
        self._array = array

    def __dlpack__(self, **options):
        return self._array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self._array.__dlpack_device__()


class NotConverted:
    dtype = property(lambda self: 1 / 0)

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("not on this device")


class SilentError(Exception):
    def __str__(self):
        raise ValueError("nothing to say")


class SilentUnsupportedError(SilentError, UnsupportedError):
    pass


class Nameless(type):
    @property
    def __name__(cls):
        raise RuntimeError("no name")


class NamelessError(Exception, metaclass=Nameless):
    pass


class Endless(list):
    def __iter__(self):
        return repeat(np.zeros(0))


class InterruptingError(Exception):
    def __str__(self):
        raise KeyboardInterrupt


class EndlessShape(NotConverted):
    @property
    def shape(self):
        return repeat(7)


class NoException(BaseException):
    pass


def raises(error):
    def answer(_right):
        raise error

    return answer


def torch_tensors(right):
    import torch

    return [torch.tensor(a, requires_grad=True) for a in right]


def torch_bfloat16(right):
    import torch

    return [torch.tensor(a).bfloat16() for a in right]


def jax_arrays(right):
    import jax

    with jax.enable_x64(True):
        return [jax.numpy.asarray(a) for a in right]


def each(change):
    return lambda right: tuple(map(change, right))


PASSES = {
    "list": list,
    "torch": torch_tensors,
    "jax": jax_arrays,
    "array": each(OnlyArray),
    "dlpack": each(OnlyDlpack),
    "not contiguous": each(lambda a: np.repeat(a, 2, axis=1)[:, ::2]),
    "by columns": each(np.asfortranarray),
    "read-only": each(lambda a: np.broadcast_to(a, a.shape)),
    "of the other byte order": each(lambda a: a.astype(a.dtype.newbyteorder())),
    "subclass": each(lambda a: a.view(CommandArray)),
}
IS = "array 1 of 3: expected an array"
FAILS = {
    "float16": (each(lambda a: a.astype("float16")), "array 1: expected dtype float64, got float16"),
    "longdouble": (each(lambda a: a.astype("longdouble")), "array 1: expected dtype float64, got "),
    "complex": (each(lambda a: a + 0j), "array 1: expected dtype float64, got complex128"),
    "boolean": (each(lambda a: a > 0), "array 1: expected dtype float64, got bool"),
    "integer": (each(lambda a: a.astype(int)), "array 1: expected dtype float64, got int64"),
    "0-d": (each(np.sum), "array 1: expected shape (7, 6), got ()"),
    "number": (each(lambda a: 0.5), "array 1: expected shape (7, 6), got ()"),
    "empty": (each(lambda a: a[:0]), "array 1: expected shape (7, 6), got (0, 6)"),
    "none": (lambda right: (), "expected 3 arrays, got 0"),
    "NaN": (each(lambda a: a * np.nan), "array 1: expected finite values, got NaN or infinity"),
}
ERRORS = {
    "single": (lambda right: right[0], "expected a tuple of arrays, got ndarray of dtype float64 and shape (7, 6)"),
    "generator": (lambda right: (a for a in right), "expected a tuple of arrays, got generator"),
    "nothing": (lambda right: None, "expected a tuple of arrays, got NoneType"),
    "nested lists": (each(np.ndarray.tolist), f"{IS}, got list"),
    "None": (each(lambda a: None), f"{IS}, got NoneType"),
    "text": (each(str), f"{IS}, got str"),
    "bytes": (each(bytes), f"{IS}, got bytes"),
    "object": (
        each(lambda a: np.full_like(a, Command(), object)),
        f"{IS} of numbers, got ndarray of dtype object and shape (7, 6)",
    ),
    "any": (each(lambda a: Command()), f"{IS} of numbers, got Command of dtype object and shape ()"),
    "structure": (each(lambda a: np.zeros(2, "f8,f8")), f"{IS} of numbers, got ndarray of dtype [('f0', '<f8'),"),
    "date": (each(lambda a: np.zeros(2, "M8[s]")), f"{IS} of numbers, got ndarray of dtype datetime64[s]"),
    "masked": (each(lambda a: np.ma.masked_array(a, a > 0)), f"{IS} without a mask, got MaskedArray of dtype float64"),
    "bfloat16": (torch_bfloat16, f"{IS} that NumPy can convert, got Tensor of dtype torch.bfloat16 and shape (7, 6)"),
    "not converted": (
        each(lambda a: NotConverted()),
        f"{IS} that NumPy can convert, got NotConverted: RuntimeError: not on this device",
    ),
    "huge": (each(lambda a: np.broadcast_to(a[0, 0], (10**6, 10**6))), "got ndarray of dtype float64 and shape (10000"),
    "many": (lambda right: [np.zeros(())] * 10**5, "expected at most 10000 arrays, got 100000"),
    "raises": (raises(RuntimeError("no such\nlayer")), "RuntimeError: no such layer"),
    "long message": (raises(RuntimeError("x" * 10**8)), "RuntimeError: xxx"),
    "silent": (raises(SilentError()), "SilentError: the message cannot be printed (ValueError)"),
    "command in an error": (raises(CommandError("no")), "CommandError: no"),
    "command in an interrupt": (raises(CommandInterrupt("no")), "CommandInterrupt: no"),
    "nameless": (raises(NamelessError("no")), "NamelessError: no"),
    "interrupting": (raises(InterruptingError()), "InterruptingError: the message cannot be printed (KeyboardInter"),
    "endless": (lambda right: Endless(right), "expected at most 10000 arrays, got more"),
    "endless shape": (each(lambda a: EndlessShape()), "got EndlessShape of shape (7, 7, 7, "),
    "exit": (lambda right: sys.exit(3), "SystemExit: 3"),
    "no exception": (raises(NoException()), "NoException"),
    "surrogates": (raises(ValueError("\ud800\x1b[31m")), r"ValueError: \ud800\x1b[31m"),
    "memory": (lambda right: [bytearray(2**60)], "MemoryError"),
}
UNSUPPORTED = {
    "unsupported": (raises(UnsupportedError("no\ttanh")), "no tanh"),
    "command in a refusal": (raises(UnsupportedError(CommandText("not here"))), "not here"),
    "silent refusal": (raises(SilentUnsupportedError()), "the message cannot be printed (ValueError)"),
    "long refusal": (raises(UnsupportedError("x" * 10**8)), "xxx"),
}
FAULTY = {name: answer for table in (FAILS, ERRORS, UNSUPPORTED) for name, (answer, _) in table.items()}


class Answers(Right):
    def compute(self, problem, quantity):
        return (PASSES | FAULTY)[problem.id](super().compute(problem, quantity))
