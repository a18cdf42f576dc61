"""The form of an optimiser's state: its arrays and their shapes. A state of another optimiser is refused."""

import dataclasses
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, TypeVar, cast

import numpy as np
from array_api_compat import array_namespace

from .._types import Array
from .._validation.arrays import one_library_and_device
from .._words import shown, type_of
from .state import checked_t

State = TypeVar("State", bound=Any)


def checked_kind(state: State, kind: type[State]) -> State:
    """A state of the class that `init` gives, with t as a Python integer: `TypeError` for anything else."""
    if not isinstance(state, kind):
        raise TypeError(f"state: expected the {kind.__name__} that init or step gives, got {type_of(state)}")
    return cast("State", state._replace(t=checked_t(state.t)))


def check_form(optimiser: Any, state: Any) -> None:
    """Check that a state, whose weights have been checked, has arrays as `init` makes them. No value is read.

    Raises `TypeError` for values that are no arrays and for another library or dtype, and `ValueError` for other
    faults.
    """
    W_1 = state.weights[0]
    found = list(_leaves("state", tuple(state)[1:], _form(optimiser)))
    kinds = {type(array): (path, array) for path, array, _ in reversed(found)}  # the first array of each type is enough
    xp = one_library_and_device({"W_1": W_1} | dict(kinds.values()))
    integers = {array.dtype for _, array, like in found if not like.floating}
    others = {dtype for dtype in integers if not xp.isdtype(dtype, "integral")}
    for path, array, like in found:
        if (came := tuple(array.shape)) != like.shape:
            raise ValueError(f"{path}: expected shape {like.shape}, got {came}: it belongs to another optimiser")
        if like.floating and array.dtype != W_1.dtype:
            raise TypeError(f"{path}: expected the dtype of W_1, {W_1.dtype}, got {array.dtype}")
        if not like.floating and array.dtype in others:
            raise TypeError(f"{path}: expected an integer dtype, got {array.dtype}")


def check_held(optimiser: Any, W: Array) -> None:
    """`ValueError` for a number of an optimiser that is infinite in the dtype of the weights: each step would fail."""
    largest = float(array_namespace(W).finfo(W.dtype).max)
    for name, value in _numbers(optimiser):
        if value > largest:
            raise ValueError(f"{name}: expected a number that {W.dtype} can hold, got {shown(value)}")


@dataclasses.dataclass(frozen=True)
class _Like:
    """The shape and the kind of dtype of an array of the state."""

    shape: tuple[int, ...]
    floating: bool


class _Form(tuple[Any, ...]):
    """The fields of a state after t, with their names, and a `_Like` for each array."""

    names: tuple[str, ...] = ()


@lru_cache(maxsize=64)
def _form(optimiser: Any) -> _Form:
    # zeros of NumPy take no memory until they are written to
    blank = tuple(np.zeros(shape, dtype=np.float64) for shape in optimiser.network.weight_shapes)
    form = _like(optimiser.start(blank)._replace(t=()))
    rest = _Form(form[1:])
    rest.names = form.names[1:]
    return rest


def _like(tree: Any) -> Any:
    if not isinstance(tree, tuple):
        return _Like(tuple(tree.shape), tree.dtype.kind == "f")
    form = _Form(map(_like, tree))
    fields = getattr(tree, "_fields", None)
    form.names = tuple(f".{name}" for name in fields) if fields else tuple(f"_{l}" for l in range(1, len(tree) + 1))
    return form


def _leaves(path: str, tree: Any, form: Any) -> Iterator[tuple[str, Array, _Like]]:
    """Each array of the state with its path and its expected form."""
    if isinstance(form, _Like):
        yield path, tree, form
        return
    if not isinstance(tree, tuple):
        raise TypeError(
            f"{path}: expected a tuple of {len(form)}, got {type_of(tree)}: it belongs to another optimiser"
        )
    if len(tree) != len(form):
        raise ValueError(f"{path}: expected {len(form)} elements, got {len(tree)}: it belongs to another optimiser")
    for name, part, like in zip(form.names, tree, form, strict=True):
        yield from _leaves(path + name, part, like)


def _numbers(record: Any, prefix: str = "") -> Iterator[tuple[str, float]]:
    """Every float among the fields of a dataclass, and of the dataclasses in it, by its path."""
    for field in dataclasses.fields(record):
        value, name = getattr(record, field.name), prefix + field.name
        if dataclasses.is_dataclass(value):
            yield from _numbers(value, f"{name}.")
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, float):
                yield name, part
