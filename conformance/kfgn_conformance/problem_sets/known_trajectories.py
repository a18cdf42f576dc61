"""The checkpoints that ship with the kit for the optimiser trajectories.

A trajectory consists of fifty steps of the reference, and the last bits of a step depend on the processor. With
checkpoints that ship, every machine has the same problems, and no run computes the steps again. The checkpoints are
used only for the start, the scenario and the code from which they were computed. For a different start, scenario or
code, the steps are computed again.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ..known_oracles import digest
from ..numerics import code_of_trajectories
from ..problems.digests import hash_of
from ..problems.problem import Array, Checkpoint, Problem

FILE = Path(__file__).parent / "known_trajectories.npz"

PER_LAYER = ("weights", "average", "Q", "G", "update", "U_Q", "U_G", "S")
"""The fields of a checkpoint with an array for each layer. The last three have arrays only for the method "ekfac"."""

SINGLE = ("t", "tau", "gamma", "X", "Y", "draws")
"""The other fields of a checkpoint."""

Stored = dict[str, Array]
"""The arrays of all trajectories by name, each stacked over the checkpoints."""


def known_checkpoints(start: Problem, scenario: object) -> tuple[Checkpoint, ...] | None:
    """Return the checkpoints that ship for a trajectory, or None if no checkpoints ship.

    The checkpoints must have been computed for the same start, the same scenario and the installed code.

    start:    the problem before the first step, with the settings of the trajectory and no checkpoints
    scenario: the `Scenario` of the trajectory, from the module `trajectories`
    """
    stored, key = shipped(), key_of(start, scenario)
    if f"{key} t" not in stored:
        return None
    return tuple(_checkpoint(stored, key, i, len(start.layers)) for i in range(len(stored[f"{key} t"])))


@cache
def shipped() -> Stored:
    """Read the file that ships with the kit. Return no arrays if the file is missing or was edited."""
    return read(FILE)


def read(file: Path) -> Stored:
    """Read a file that `write` has written. Return no arrays if the file is missing or was edited."""
    if not file.is_file():
        return {}
    with np.load(file, allow_pickle=False) as archive:
        stored = dict(archive)
    return stored if str(stored.pop("hash", "")) == _hash(stored) else {}


def write(file: Path, problems: Sequence[Problem], scenarios: Callable[[Problem], object]) -> None:
    """Write the checkpoints of trajectories to a file.

    scenarios: a function that returns the scenario of a problem's trajectory
    """
    stored: Stored = {}
    for problem in problems:
        assert problem.trajectory is not None
        checkpoints = problem.trajectory.checkpoints
        start = replace(problem, trajectory=problem.trajectory._replace(checkpoints=()))
        key = key_of(start, scenarios(problem))
        for name in (*SINGLE, *PER_LAYER):
            values = [getattr(here, name) for here in checkpoints]
            if name in PER_LAYER:
                for l, arrays in enumerate(zip(*values, strict=True), start=1):
                    stored[f"{key} {name} {l}"] = _stacked(arrays)
            elif values[0] is not None:
                stored[f"{key} {name}"] = _stacked(values)
    content: dict[str, Any] = {**stored, "hash": np.array(_hash(stored))}
    np.savez_compressed(file, **content)


def key_of(start: Problem, scenario: object) -> str:
    """Compute the hash of a start, its scenario and the code."""
    return _of_text(digest(start), repr(scenario), code_of_trajectories())[:16]


def _hash(stored: Stored) -> str:
    return _of_text(*(part for name in sorted(stored) for part in (name, hash_of(stored[name]))))


def _of_text(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def _stacked(values: Sequence[Any]) -> Array:
    """Stack arrays over the checkpoints, with real numbers as float32, which holds these numbers exactly."""
    array = np.stack(values)
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def _checkpoint(stored: Stored, key: str, i: int, layers: int) -> Checkpoint:
    """Return the checkpoint with index i."""

    def array(name: str) -> Array:
        x = np.asarray(stored[f"{key} {name}"][i])
        return x.astype(np.float64) if x.dtype.kind == "f" else x

    fields: dict[str, Any] = {name: array(name) for name in SINGLE if name not in ("t", "draws")}
    found = [name for name in PER_LAYER if f"{key} {name} 1" in stored]
    fields |= {name: tuple(array(f"{name} {l}") for l in range(1, layers + 1)) for name in found}
    draws = array("draws") if f"{key} draws" in stored else None
    return Checkpoint(t=int(stored[f"{key} t"][i]), draws=draws, **fields)
