"""Training tasks: each task has a data set, its targets, and the paper's network."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._documentation import Documented
from .._linearisation.arguments import check_network, checked_targets
from .._network.network import Network
from .._validation.scalars import checked_count, checked_name, checked_pair
from .._words import shown
from .arguments import with_usage_error
from .data import Images, load
from .data.store import Folder
from .errors import UsageError


@dataclass(frozen=True)
class Task(metaclass=Documented):
    """A network and the data on which it is trained.

    Parameters
    ----------
    name : str
        The name of the task in messages.
    network : kfgn.Network
        The network.
    X : numpy.ndarray
        The inputs (n, D_0), float32 or float64, finite.
    Y : numpy.ndarray
        The targets: X itself for an autoencoder, and otherwise (n, D_L) or class indices (n,), as the objective
        requires.
    shape : tuple of int
        The height and the width of an image, whose product is D_0.
    about : str
        A description of the data set in one sentence.
    batch : int
        The default number of datapoints in a step.

    Notes
    -----
    `train` checks the fields of a task.
    """

    name: str
    network: Network
    X: NDArray[Any]
    Y: NDArray[Any]
    shape: tuple[int, int]
    about: str
    batch: int

    @property
    def reconstructs(self) -> bool:
        """True if the targets are the inputs, so that the outputs are images."""
        return self.Y is self.X


def check_task(task: Task) -> None:
    """Raise `TypeError` or `ValueError` for a field of a task with a wrong type, shape, dtype or value."""
    check_network(task.network)
    D = task.network.widths[0]
    _check_array("X", task.X)
    _check_array("Y", task.Y)
    if task.X.dtype not in (np.float32, np.float64):
        raise TypeError(f"X: expected dtype float32 or float64, got {task.X.dtype}")
    if task.X.ndim != 2 or task.X.shape[1] != D or not len(task.X):
        raise ValueError(f"X: expected shape (n, {D}) with n of at least 1, got {task.X.shape}")
    if not np.isfinite(task.X).all():
        raise ValueError("X: expected finite values, got NaN or infinity")
    checked_targets(task.network, task.X, task.Y, check=True)
    for name in ("name", "about"):
        if not isinstance(value := getattr(task, name), str):
            raise TypeError(f"{name}: expected a text, got {shown(value)}")
    height, width = (checked_count("shape", side) for side in checked_pair("shape", task.shape))
    if height * width != D:
        raise ValueError(f"shape: expected a height and a width with the product {D}, got {height} and {width}")
    checked_count("batch", task.batch)


def _check_array(name: str, array: Any) -> None:
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name}: expected a NumPy array, got {shown(array)}")


def _autoencoder(objective: str) -> Callable[[int], Network]:
    """D-1000-500-250-30-250-500-1000-D with tanh units, except for the code, which is linear."""
    hidden = (1000, 500, 250, 30, 250, 500, 1000)
    transfers = tuple("identity" if min(hidden) == D else "tanh" for D in hidden)
    return lambda D: Network.dense((D, *hidden, D), transfers, objective)


def _classifier(hidden: tuple[int, ...], objective: str, outputs: int) -> Callable[[int], Network]:
    return lambda D: Network.dense((D, *hidden, outputs), ("tanh",) * len(hidden), objective)


def _pixels(images: Images) -> NDArray[Any]:
    return images.pixels


def _classes(images: Images) -> NDArray[Any]:
    assert images.labels is not None
    return images.labels


def _parity(images: Images) -> NDArray[Any]:
    return _classes(images) % 2


PAPER_BATCH = 1000
DIGITS, WIDE = (32, 16), (1000, 500, 250, 30)

_TASKS: dict[str, tuple[str, Callable[[int], Network], Callable[[Images], NDArray[Any]], int]] = {
    "digits": ("digits", _classifier(DIGITS, "categorical", 10), _classes, 256),
    "digits-odd": ("digits", _classifier(DIGITS, "mixture", 3), _parity, 256),
    "mnist": ("mnist", _autoencoder("bernoulli"), _pixels, PAPER_BATCH),
    "mnist-odd": ("mnist", _classifier(WIDE, "mixture", 3), _parity, PAPER_BATCH),
    "curves": ("curves", _autoencoder("bernoulli"), _pixels, PAPER_BATCH),
    "faces": ("faces", _autoencoder("squared_error"), _pixels, PAPER_BATCH),
}

TASKS = tuple(_TASKS)
"""The names of the tasks.

The task digits trains a classifier. The tasks mnist, curves and faces train the autoencoders of Section 5.1. The suffix
-odd means the mixture (27) of Section 5.2, which distinguishes odd from even digits.
"""


def open_task(name: str, folder: Folder = None) -> Task:
    """Load a task with the data of `kfgn.lab.data.load`, and check the values of the data.

    Raises `UsageError` for an unknown name, for values that are not finite and for targets that the objective does not
    accept. Raises `DataUnavailableError` if the data cannot be loaded.
    """
    name = with_usage_error(partial(checked_name, known=TASKS), "data", name)
    source, network, targets, batch = _TASKS[name]
    images = load(source, folder)
    X, Y = images.pixels, targets(images)
    task = Task(name, network(X.shape[1]), X, Y, images.shape, images.about, batch)
    try:
        check_task(task)
    except (TypeError, ValueError) as error:
        raise UsageError(f"data: {name} is not a valid task: {error}") from error
    return task
