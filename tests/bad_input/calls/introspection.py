"""Every public function, constructor and method of kfgn, found by introspection."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any

import kfgn
import kfgn.interop
import kfgn.lab

OBSERVING = ("on_preparation", "on_start", "on_updates", "on_end", "on_warning")

PROTOCOL = {
    **dict.fromkeys(
        ("KroneckerFactored", "EigenvalueCorrected", "HessianFree"),
        ("refreshes", "draw", "checked_draws", "check_memory", "start", "completed", "observed", "direction", "ready"),
    ),
    **dict.fromkeys(("SGD", "Adam"), ("updated",)),
    "Dense": (
        *("weight_shape", "at", "kernel", "inputs", "by_group", "input_tangents", "preactivations"),
        *("preactivation_tangents", "pulled_back", "mean_gradient", "carried_over_taps"),
        *("second_moments", "block_shapes", "split", "joined", "roots", "mean_factors"),
    ),
    **dict.fromkeys(
        ("Convolution", "Pooling", "Flatten", "Normalisation", "ScaleShift", "Embedding"), ("weight_shape", "at")
    ),
    "Network": ("by_layer", "of_weighted"),
    "Watch": OBSERVING,
    "TensorBoard": OBSERVING,
}
"""Methods of layers, of parts of an optimiser and of a watch. kfgn alone calls them, with checked arguments."""

WITHOUT_ARGUMENTS = {"TensorBoard", "Flatten"}
"""Classes whose constructors have no arguments. `TensorBoard` is of a library that may be missing."""

RECORDS = {
    *("Counts", "EigenFactors", "Factors", "FirstOrderState", "Info", "Padded", "State"),
    *("LossAndFactors", "LossAndEigenBlocks", "Images", "Run", "Solution", "Task"),
}
"""Named tuples and dataclasses whose constructors check nothing: results, inputs of functions, and a task."""


def public() -> dict[str, Callable[..., Any]]:
    """Every public function, constructor and method of kfgn, kfgn.lab and kfgn.interop, by name."""
    found: dict[str, Callable[..., Any]] = {}
    for module in _modules():
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isclass(value) and not issubclass(value, Exception):
                if name not in RECORDS | WITHOUT_ARGUMENTS:
                    found[f"{module.__name__}.{name}"] = value
                for method, function in inspect.getmembers(value, _is_method):
                    if not method.startswith("_") and method not in PROTOCOL.get(name, ()):
                        found[f"{module.__name__}.{name}.{method}"] = function
            elif callable(value) and not inspect.isclass(value):
                found[f"{module.__name__}.{name}"] = value
    return found


def _is_method(member: Any) -> bool:
    """True for a method of instances, seen from its class, and for a method of the class."""
    return inspect.isfunction(member) or inspect.ismethod(member)


def _modules() -> Iterator[Any]:
    yield kfgn
    for package in (kfgn.lab, kfgn.interop):
        inside = [found.name for found in pkgutil.iter_modules(package.__path__) if found.name != "__main__"]
        for name in (package.__name__, *(f"{package.__name__}.{name}" for name in inside)):
            if hasattr(module := importlib.import_module(name), "__all__"):
                yield module
