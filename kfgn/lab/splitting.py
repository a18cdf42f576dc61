"""The split of the datapoints of a task into training, validation and test set."""

import hashlib
from typing import NamedTuple

import numpy as np

from .errors import UsageError
from .options import Options
from .random_streams import SPLIT, stream
from .task import Data, Task

DEFAULT_FRACTIONS = {"validation": 0.1, "test": 0.2}
"""The fractions of the datapoints that become the validation and the test set by default.

A data set that has its own validation or test set needs no fraction for that set.
"""


class Sets(NamedTuple):
    """The training, validation and test set. A validation or test set without datapoints is None."""

    train: Data
    validation: Data | None
    test: Data | None

    def sizes(self) -> dict[str, int]:
        """Return the number of datapoints of each set."""
        return {name: 0 if data is None else len(data.X) for name, data in self._asdict().items()}

    def digest(self) -> str:
        """Return the SHA-256 of the shapes, dtypes and values of all sets."""
        digest = hashlib.sha256()
        for data in self:
            arrays = () if data is None else (data.X,) if data.Y is data.X else data
            for array in arrays:
                digest.update(f"{array.dtype.str}{array.shape}".encode())
                digest.update(np.ascontiguousarray(array).view(np.uint8).data)
            digest.update(b"|")
        return digest.hexdigest()


def fractions_of(task: Task, options: Options) -> dict[str, float | None]:
    """Return the options `validation_fraction` and `test_fraction` with their defaults filled in.

    The fraction is None for a set that the task already has. Raises `UsageError` if the options give a fraction for
    such a set.
    """
    found: dict[str, float | None] = {}
    for name, default in DEFAULT_FRACTIONS.items():
        given = getattr(options, f"{name}_fraction")
        own = getattr(task, name) is not None
        if own and given is not None:
            raise UsageError(
                f"{name}_fraction: expected no value for {task.name}, which has its own {name} set, got {given}"
            )
        found[f"{name}_fraction"] = None if own else default if given is None else given
    return found


def split(task: Task, options: Options) -> Sets:
    """Return the training, validation and test set of a task.

    The argument `options` has the fractions that `fractions_of` returns. The datapoints of a set keep their order.
    Raises `UsageError` if no datapoint remains for training.
    """
    n = len(task.X)
    order = stream(SPLIT, options.split_seed, 0).permutation(n)
    parts: dict[str, Data | None] = {}
    for name in ("test", "validation"):
        own, fraction = getattr(task, name), getattr(options, f"{name}_fraction")
        if own is not None:
            parts[name] = Data(own[0], own[0] if task.reconstructs else own[1])
            continue
        chosen, order = np.split(order, [round(fraction * n)])
        parts[name] = _chosen(task, chosen) if len(chosen) else None
    if not len(order):
        fractions = f"{options.validation_fraction} and {options.test_fraction}"
        raise UsageError(
            f"validation_fraction, test_fraction: expected some of the {n} datapoints to remain for training, "
            f"got {fractions}"
        )
    train = Data(task.X, task.Y) if len(order) == n else _chosen(task, order)
    return Sets(train, parts["validation"], parts["test"])


def _chosen(task: Task, indices: "np.typing.NDArray[np.int64]") -> Data:
    X = task.X[np.sort(indices)]
    return Data(X, X if task.reconstructs else task.Y[np.sort(indices)])
