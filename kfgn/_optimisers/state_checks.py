"""Validation of a state, which must have the structure, shapes and dtypes of the state that `init` returns."""

import dataclasses
from collections.abc import Hashable, Iterator
from functools import lru_cache
from typing import Any, Protocol, TypeVar

import numpy as np
from array_api_compat import array_namespace

from .._network.network import Network
from .._types import Array, Arrays
from .._validation.arrays import check_not_transformed, one_library_and_device
from .._validation.scalars import checked_integer
from .._words import shown, type_of
from ..backends import can_branch_on, device
from .arrays import detached_tree

State = TypeVar("State", bound=Any)


class Optimiser(Hashable, Protocol):
    """The part of an optimiser that determines the structure and shapes of its states."""

    @property
    def network(self) -> Network:
        """The network whose weights are in the state."""

    def _start(self, weights: Arrays) -> Any:
        """The state before the first step."""


def check_kind(state: Any, kind: type) -> None:
    """Raise `TypeError` for a state that is not of the class `kind`."""
    if not isinstance(state, kind):
        raise TypeError(f"state: expected the {kind.__name__} that init or step returns, got {type_of(state)}")


def checked_state(optimiser: Optimiser, state: State) -> State:
    """The state, detached from all autograd graphs, after a check of its structure. No value is read on the host.

    The weights of the state must have been checked before. Raises `TypeError` for values of a wrong type, for tensors
    inside a transform of torch.func or forward-mode differentiation, and for a library or dtype that differs from that
    of the weights. Raises `ValueError` for all other faults of a state.
    """
    W_1 = state.weights[0]
    t = _checked_t(state.t, W_1)
    found = list(_leaves("state", state._replace(t=()), _form(optimiser)))
    # one array of each type is enough to compare the libraries
    kinds = {type(array): (path, array) for path, array, _ in reversed(found)}
    xp = one_library_and_device({"W_1": W_1} | dict(kinds.values()))
    integers = {array.dtype for _, array, like in found if not like.floating}
    others = {dtype for dtype in integers if not xp.isdtype(dtype, "integral")}
    here = device(W_1)
    for path, array, like in found:
        check_not_transformed(path, array)
        if (got := tuple(array.shape)) != like.shape:
            raise ValueError(f"{path}: expected shape {like.shape}, got {got}: the state belongs to another optimiser")
        if (there := device(array)) is not None and there != here and here is not None:
            raise ValueError(f"{path}: expected an array on the device of W_1, {here}, got one on {there}")
        if like.floating and array.dtype != W_1.dtype:
            raise TypeError(f"{path}: expected the dtype of W_1, {W_1.dtype}, got {array.dtype}")
        if not like.floating and array.dtype in others:
            raise TypeError(f"{path}: expected an integer dtype, got {array.dtype}")
    return detached_tree(state._replace(t=t))  # type: ignore[no-any-return]


def check_representable(optimiser: Any, like: Array) -> None:
    """Raise `ValueError` for a hyperparameter that is too large for the dtype of `like`."""
    largest = float(array_namespace(like).finfo(like.dtype).max)
    for name, value in _numbers(optimiser):
        if value > largest:
            raise ValueError(f"{name}: expected a number that {like.dtype} can hold, got {shown(value)}")


def _checked_t(t: Any, W_1: Array) -> int | Array:
    """t as a Python integer, or unchanged if it is a 0-d integer array of JAX."""
    if can_branch_on(t) and t.ndim == 0:
        xp = one_library_and_device({"W_1": W_1, "state.t": t})
        if xp.isdtype(t.dtype, "integral"):
            return t
    expected = "a Python integer of at least 0, or a 0-d integer array of JAX"
    return checked_integer("state.t", t, lower=0, expected=expected)


@dataclasses.dataclass(frozen=True)
class _Leaf:
    """The expected shape of an array of the state, and a flag: True if the dtype of the array is floating-point."""

    shape: tuple[int, ...]
    floating: bool


class _Form(tuple[Any, ...]):
    """The expected structure of a tuple: a `_Leaf` for each array and a `_Form` for each tuple among its elements.

    names:    the path of each element within the tuple
    optional: the paths of the elements that may be empty tuples
    """

    names: tuple[str, ...] = ()
    optional: frozenset[str] = frozenset()


@lru_cache(maxsize=64)
def _form(optimiser: Optimiser) -> Any:
    # zeros of NumPy take no memory until they are written to
    blank = tuple(np.zeros(shape, dtype=np.float64) for shape in optimiser.network.weight_shapes)
    return _form_of(optimiser._start(blank)._replace(t=()))


def _form_of(tree: Any) -> Any:
    if not isinstance(tree, tuple):
        return _Leaf(tuple(tree.shape), tree.dtype.kind == "f")
    form = _Form(map(_form_of, tree))
    fields = getattr(tree, "_fields", None)
    form.names = tuple(f".{name}" for name in fields) if fields else tuple(f"_{l}" for l in range(1, len(tree) + 1))
    form.optional = frozenset(f".{name}" for name in getattr(tree, "_field_defaults", ()))
    return form


def _leaves(path: str, tree: Any, form: Any) -> Iterator[tuple[str, Array, _Leaf]]:
    """Each array of the state, with its path and its `_Leaf`. Optional elements that are () are skipped."""
    if isinstance(form, _Leaf):
        yield path, tree, form
        return
    if not isinstance(tree, tuple):
        raise TypeError(
            f"{path}: expected a tuple of length {len(form)}, got {type_of(tree)}: the state belongs to another "
            "optimiser"
        )
    if len(tree) != len(form):
        raise ValueError(
            f"{path}: expected {len(form)} elements, got {len(tree)}: the state belongs to another optimiser"
        )
    for name, part, like in zip(form.names, tree, form, strict=True):
        left_out = name in form.optional and isinstance(part, tuple) and not part
        if not left_out:
            yield from _leaves(path + name, part, like)


def _numbers(record: Any, prefix: str = "") -> Iterator[tuple[str, float]]:
    """Each float among the fields of a dataclass and of nested dataclasses, with its path."""
    for field in dataclasses.fields(record):
        value, name = getattr(record, field.name), prefix + field.name
        if dataclasses.is_dataclass(value):
            yield from _numbers(value, f"{name}.")
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, float):
                yield name, part
