"""A problem as an object of JSON, and back: what programs are asked, and golden vectors are made of.

Arrays are nested lists, row by row; their numbers are exact in float32 and are printed so that they read back exactly.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .problem import CLASSIFIERS, Arguments, Array, Checkpoint, Problem, Trajectory, dense_layers

Put = Callable[[str, Array], Any]
"""What stands for an array in the JSON, of its path and itself; those of walks are lists always."""

WEIGHT_LIKE = ("weights", "average", "Q", "G", "update")
DAMPINGS = ("tau", "gamma", "eta")


def as_json(problem: Problem, put: Put = lambda _path, array: array.tolist()) -> dict[str, Any]:
    """A problem; arrays as nested lists, or what `put` gives for them."""

    def puts(path: str, arrays: tuple[Array, ...]) -> list[Any]:
        return [put(f"{path}.{i}", array) for i, array in enumerate(arrays)]

    arguments = problem.arguments
    written: dict[str, Any] = {
        "id": problem.id,
        "objective": problem.objective,
        "psd": problem.psd,
        "widths": list(problem.widths),
        "transfers": list(problem.transfers),
        "weights": puts("weights", problem.weights),
        **{name: put(name, getattr(problem, name)) for name in ("X", "Y", "labels", "draws")},
        "probes": {
            "direction": puts("arguments.direction", arguments.direction),
            **{name: put(f"probes.{name}", getattr(arguments, name)) for name in ("cotangents", "projections")},
            **{name: float(getattr(arguments, name)) for name in DAMPINGS},
        },
    }
    if problem.trajectory is not None:
        settings = problem.trajectory._asdict()
        checkpoints = settings.pop("checkpoints")
        written["walk"] = settings | {"waypoints": [_checkpoint(here) for here in checkpoints]}
    return written


def _checkpoint(here: Checkpoint) -> dict[str, Any]:
    return {
        "t": here.t,
        **{name: [array.tolist() for array in getattr(here, name)] for name in WEIGHT_LIKE},
        **{name: float(getattr(here, name)) for name in ("tau", "gamma")},
        **{name: getattr(here, name).tolist() for name in ("X", "Y")},
        "draws": None if here.draws is None else here.draws.tolist(),
    }


def with_tensors(problem: Problem, file: Path) -> dict[str, Any]:
    """A problem whose arrays are in this safetensors file, under the names that stand in their place."""
    from safetensors.numpy import save_file  # for few problems, and not everyone's

    tensors: dict[str, Array] = {}

    def named(path: str, array: Array) -> str:
        tensors[path] = array
        return path

    written = as_json(problem, named)
    save_file(tensors, file)
    return written


def from_json(written: Mapping[str, Any]) -> Problem:
    """The problem that `as_json` wrote with nested lists. Raises `KeyError` for what it has not."""
    classified = written["objective"] in CLASSIFIERS
    arguments = written["probes"]

    def targets(values: Any) -> Array:
        return np.array(values, np.int64 if classified else np.float64)

    return Problem(
        id=written["id"],
        layers=dense_layers(tuple(written["widths"]), tuple(written["transfers"])),
        objective=written["objective"],
        weights=_arrays(written["weights"]),
        X=np.array(written["X"], np.float64),
        Y=targets(written["Y"]),
        labels=targets(written["labels"]),
        draws=np.array(written["draws"], np.float64),
        arguments=Arguments(
            _arrays(arguments["direction"]),
            np.array(arguments["cotangents"], np.float64),
            np.array(arguments["projections"], np.float64),
            *(np.array(arguments[name]) for name in DAMPINGS),
        ),
        psd=written["psd"],
        trajectory=_trajectory(written["walk"], targets) if "walk" in written else None,
    )


def _arrays(values: Any) -> tuple[Array, ...]:
    return tuple(np.array(array, np.float64) for array in values)


def _pair(values: Any) -> Any:
    """Of JSON's lists the tuples that settings are: pairs, pairs of pairs, or nothing."""
    return tuple(map(_pair, values)) if isinstance(values, list) else values


def _trajectory(written: Mapping[str, Any], targets: Callable[[Any], Array]) -> Trajectory:
    checkpoints = tuple(
        Checkpoint(
            t=here["t"],
            **{name: _arrays(here[name]) for name in WEIGHT_LIKE},
            tau=np.array(here["tau"]),
            gamma=np.array(here["gamma"]),
            X=np.array(here["X"], np.float64),
            Y=targets(here["Y"]),
            draws=None if here["draws"] is None else np.array(here["draws"], np.float64),
        )
        for here in written["waypoints"]
    )
    return Trajectory(
        **{name: _pair(value) for name, value in written.items() if name != "waypoints"}, checkpoints=checkpoints
    )
