"""The training tasks by name. Each task has a data set, targets and a network."""

from collections.abc import Callable
from functools import partial
from typing import Any

from numpy.typing import NDArray

from .._network.network import Network
from .._validation.scalars import checked_name
from .arguments import with_usage_error
from .data import Images, load_with_held_out
from .data.images import Report, silent
from .data.store import Folder
from .errors import UsageError
from .task import Task, check_task


def _autoencoder(objective: str) -> Callable[[int], Network]:
    """D-1000-500-250-30-250-500-1000-D with tanh units. The 30 units in the middle and the outputs are linear."""
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
-odd means that the network distinguishes odd from even digits, with the mixture (27) of Section 5.2 as its objective.
"""


def open_task(name: str, folder: Folder = None, report: Report = silent) -> Task:
    """Load a task with its validation and test set, if the data set has them, and check the values of the data.

    Raises `UsageError` for an unknown name, for values that are not finite and for targets that the objective does not
    accept. Raises `DataUnavailableError` if the data cannot be loaded.
    """
    name = with_usage_error(partial(checked_name, known=TASKS), "data", name)
    source, network, targets, batch = _TASKS[name]
    images, *held_out = load_with_held_out(source, folder, report)
    X, Y = images.pixels, targets(images)
    validation, test = [(part.pixels, targets(part)) for part in held_out] or (None, None)
    task = Task(name, network(X.shape[1]), X, Y, images.shape, images.about, batch, validation, test)
    try:
        check_task(task)
    except (TypeError, ValueError) as error:
        raise UsageError(f"data: {name} is not a valid task: {error}") from error
    return task
