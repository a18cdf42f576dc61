"""Good calls of the functions of kfgn.lab."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import kfgn
import kfgn.lab
from kfgn.lab import Options, Run, UsageError, Watch
from kfgn.lab.data import load

from .. import roles as v
from ..libraries import Library
from ..values import Bad
from .call import Call, Role

COUNTS = ("updates", "batch", "samples", "refresh", "halving", "evaluate_every", "early_stopping")


def options() -> Iterator[Call]:
    """`kfgn.lab.Options`, which raises `UsageError`."""
    optional = v.optional
    arguments: dict[str, tuple[Any, Role]] = {
        **{name: (value, v.text) for name, value in {"data": "digits", "method": "kfra", "backend": "numpy"}.items()},
        "dtype": ("float32", v.name),
        "inversion": ("trace", optional(v.text)),
        **{name: (3, optional(v.count)) for name in COUNTS},
        **dict.fromkeys(("checkpoint_every", "max_rejected"), (3, v.count)),
        **{name: (0.5, optional(v.finite)) for name in ("average", "tau", "gamma", "eta", "learning_rate")},
        "seconds": (0.5, optional(v.positive)),
        **dict.fromkeys(("seed", "split_seed"), (0, v.seed)),
        **dict.fromkeys(("validation_fraction", "test_fraction"), (0.5, optional(v.below_one))),
        "data_folder": ("data", optional(v.path)),
        "npz": ("data.npz", optional(v.path)),
        "widths": ((3, 2), optional(_sequence)),
        "transfers": (("tanh",), optional(_sequence)),
        "objective": ("categorical", optional(v.text)),
    }
    yield Call("kfgn.lab.Options", Options, Options, arguments, UsageError)


def lab(folder: str, out: str) -> Iterator[Call]:
    """The other functions of the lab. `folder` has a run of one update, and `out` does not exist."""
    run = kfgn.lab.read_run(folder)
    good = Options("digits", updates=1)
    watch, task = (None, v.optional(_watch)), (None, v.optional(v.record))
    new: dict[str, tuple[Any, Role]] = {"out": (out, v.path), "watch": watch}
    each: dict[Callable[..., Any], dict[str, tuple[Any, Role]]] = {
        kfgn.lab.train: {"options": (good, v.record), **new, "task": task},
        kfgn.lab.compare: {"options": (good, v.record), "methods": (("kfra",), _methods), **new, "task": task},
        kfgn.lab.resume: {
            "out": (folder, v.path),
            "changes": (None, v.optional(_changes)),
            "watch": watch,
            "task": task,
        },
        kfgn.lab.read_run: {"folder": (folder, v.path)},
    }
    for function, arguments in each.items():
        yield Call(f"kfgn.lab.{function.__name__}", function, function, arguments, UsageError)
    for method in ("final", "accuracy", "weights"):
        arguments = {"averaged": (False, v.flag)}
        if method != "weights":
            arguments = {"data": ("train", v.name), **arguments}
        yield Call(f"kfgn.lab.Run.{method}", getattr(Run, method), getattr(run, method), arguments, UsageError)
    arguments = {"X": (np.ones((3, 64)), _inputs), "averaged": (False, v.flag)}
    yield Call("kfgn.lab.Run.outputs", Run.outputs, run.outputs, arguments, UsageError)
    yield Call("kfgn.lab.Run.network", Run.network, run.network, {})
    yield Call("kfgn.lab.Watch", Watch, Watch, {})
    yield Call("kfgn.lab.data.load", load, load, {"name": ("digits", v.name), "folder": (None, v.optional(v.folder))})


def _watch(library: Library, good: Any) -> Iterator[Bad]:
    """The role of a watch, which may be a function."""
    return (bad for bad in v.record(library, good) if bad.kind != "function")


def _inputs(library: Library, good: Any) -> Iterator[Bad]:
    """The role of the inputs of a trained network, which may have either dtype and any number of rows."""
    return (bad for bad in v.batch(library, good) if bad.kind != "float32")


def _sequence(_library: Library, good: Any) -> Iterator[Bad]:
    """The role of a tuple or list of names or numbers."""
    wrong = {"none": (), "None in it": (None,), "nested": (good,), "set": set(good), "array": np.asarray(good)}
    for kind, value in (wrong | {"number": 3, "name": "tanh", "mapping": dict.fromkeys(good)}).items():
        yield Bad(kind, value, ValueError)


def _methods(library: Library, _good: Any) -> Iterator[Bad]:
    """The role of the methods that are compared."""
    yield from v.record(library, None)
    for kind, value in {
        "none": (),
        "one name": "kfra",
        "unknown": ("kfra", "lbfgs"),
        "None in it": ("kfra", None),
        "number in it": (3,),
        "no rate": ("adam:",),
        "rate that is none": ("adam:fast",),
        "rate of kfra": ("kfra:0.1",),
        "rate that is not finite": ("adam:nan",),
        "negative rate": ("adam:-1",),
        "huge rate": ("adam:1e999",),
        "two rates": ("adam:1:2",),
    }.items():
        yield Bad(kind, value, ValueError)


def _changes(library: Library, _good: Any) -> Iterator[Bad]:
    """The role of the options that change when a run is resumed."""
    for bad in v.record(library, None):
        if bad.kind != "dict":
            yield bad
    for kind, value in {
        "unknown": {"upddates": 3},
        "no name": {3: 3},
        "number in text": {"updates": "3"},
        "True": {"updates": True},
        "fewer": {"updates": 0},
        "seconds": {"seconds": -1.0},
        "another method": {"method": "kflr"},
        "another rate": {"eta": 0.5},
        "array": {"eta": np.ones(2)},
        "a rate that is none": {"eta": "x"},
        "NaN": {"eta": float("nan")},
    }.items():
        yield Bad(kind, value, ValueError)
