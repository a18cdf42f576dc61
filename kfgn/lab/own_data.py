"""The task of a run: a named task, possibly with another network, or the user's own data from an .npz file."""

import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._network.network import Network
from .data.images import Report, silent
from .decoding import content_of
from .errors import FileError, UsageError
from .options import Options
from .remedies import remedy
from .task import Task, check_task
from .tasks import open_task

NPZ = "npz"
"""The name of the task whose data are in the file that the option `npz` names."""

REQUIRED = ("npz", "widths", "objective")
ZIP, NPY = b"PK", b"\x93NUMPY"
"""The first bytes of an .npz file, which is a ZIP archive, and of an .npy file."""

NETWORK_OPTIONS = ("widths", "transfers", "objective")
HELD_OUT = ("validation", "test")
ARRAYS = ("X", "Y", *(f"{array}_{name}" for name in HELD_OUT for array in "XY"))
"""The names that the arrays in an .npz file may have."""

DEFAULT_TRANSFER = "tanh"


def task_of(options: Options, report: Report = silent) -> Task:
    """Return the task that the option `data` names, or the task of the user's own data for data="npz".

    The options `widths`, `transfers` and `objective` change the network of a named task.

    Raises the errors of `open_task`, and `UsageError` for a file, a network or a combination of options that is not
    valid.
    """
    if options.data == NPZ:
        return _own_task(options)
    if options.npz is not None:
        raise UsageError(f"npz: expected no file for the data set {options.data}, got {options.npz}")
    task = open_task(options.data, options.data_folder, report)
    if all(getattr(options, name) is None for name in NETWORK_OPTIONS):
        return task
    task = replace(task, network=_network(options, task.network))
    _check(task, f"the network does not fit the data set {options.data}")
    return task


def _own_task(options: Options) -> Task:
    if missing := [name for name in REQUIRED if getattr(options, name) is None]:
        values = "a value" if len(missing) == 1 else "values"
        raise UsageError(f"{', '.join(missing)}: expected {values} for your own data, got none")
    path = Path(str(options.npz))
    network = _network(options, None)
    arrays = _arrays(path)
    X = arrays["X"]
    validation, test = (_pair(path, arrays, name) for name in HELD_OUT)
    sizes = ", ".join(f"{name} {array.dtype} {array.shape}" for name, array in sorted(arrays.items()))
    about = f"The arrays of {path.name}: {sizes}."
    task = Task(path.name, network, X, arrays.get("Y", X), about=about, validation=validation, test=test)
    _check(task, str(path))
    return task


def _network(options: Options, default: Network | None) -> Network:
    """Return the dense network of the options. An option that is None takes its value from the network `default`.

    Without the option `transfers`, the transfer functions are tanh if `default` is None or has a different number of
    hidden layers.
    """
    widths = options.widths or (default.widths if default else ())
    objective = default.objective if default is not None and options.objective is None else str(options.objective)
    hidden = max(0, len(widths) - 2)
    transfers: tuple[Any, ...] = options.transfers or (DEFAULT_TRANSFER,)
    if options.transfers is None and default is not None and len(default.transfers) == hidden:
        transfers = default.transfers
    if len(transfers) == 1:
        transfers = transfers * hidden
    try:
        return Network.dense(widths, transfers, objective)
    except (TypeError, ValueError) as error:
        raise UsageError(str(error)) from error


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read the arrays of a file, and check their names."""
    content = content_of(path)
    if not content.startswith((ZIP, NPY)):
        raise FileError(f"{path}: expected an .npz file, got a file of another kind")
    try:
        found = np.load(io.BytesIO(content), allow_pickle=False)
        arrays = dict(found) if isinstance(found, np.lib.npyio.NpzFile) else None
    except Exception as error:  # the reader raises errors of several classes for a damaged file
        objects = "Object arrays" in str(error)
        reason = "an array of Python objects" if objects else f"a damaged file: {' '.join(str(error).split())}"
        raise FileError(f"{path}: expected an .npz file with arrays of numbers, got {reason}") from error
    if arrays is None:
        raise FileError(f"{path}: expected an .npz file with arrays X and Y, got an .npy file with one array")
    for name in arrays:
        if name not in ARRAYS:
            unnamed = name.startswith("arr_")
            remedy = "; name the arrays, as in np.savez(file, X=X, Y=Y)" if unnamed else ""
            raise FileError(f"{path}: expected only arrays with the names {', '.join(ARRAYS)}, got {name!r}{remedy}")
    if "X" not in arrays:
        raise FileError(f"{path}: expected an array X, got {', '.join(arrays) or 'no array'}")
    return arrays


def _pair(path: Path, arrays: dict[str, NDArray[Any]], name: str) -> tuple[NDArray[Any], NDArray[Any]] | None:
    """Return X and Y of the validation or test set, or None if the file does not have this set."""
    X, Y = f"X_{name}", f"Y_{name}"
    if X not in arrays and Y not in arrays:
        return None
    reconstructs = "Y" not in arrays
    for one, other in ((X, Y), (Y, X)):
        if one not in arrays and not (reconstructs and one == Y):
            raise FileError(f"{path}: expected an array {one} with {other}, got {', '.join(arrays)}")
    if reconstructs and Y in arrays:
        raise FileError(f"{path}: expected an array Y with {Y}, got {', '.join(arrays)}")
    return arrays[X], arrays[X if reconstructs else Y]


def _check(task: Task, place: str) -> None:
    try:
        check_task(task)
    except (TypeError, ValueError) as error:
        text = re.sub(rf"^({'|'.join(HELD_OUT)})\.([XY])", r"\2_\1", str(error))
        raise UsageError(f"{place}: {text}{remedy(task, text)}") from error
