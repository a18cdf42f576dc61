"""What is trained: a data set, its targets, and the paper's network for them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._linearisation.arguments import checked_targets
from .._network.network import Network
from .._validation.scalars import checked_name
from .data import Images, load
from .data.store import Folder
from .errors import UsageError
from .options import usage


@dataclass(frozen=True)
class Task:
    """A network and all it is trained on.

    X:     (n, D_0) float32
    Y:     X itself for an autoencoder, else (n,) int64
    shape: of an image, (height, width)
    about: the data set, in a sentence
    batch: how many datapoints a step takes if nothing else is asked
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
        """Whether the outputs are images again."""
        return self.Y is self.X


def _autoencoder(objective: str) -> Callable[[int], Network]:
    """D-1000-500-250-30-250-500-1000-D, tanh but for the code, which is linear."""
    hidden = (1000, 500, 250, 30, 250, 500, 1000)
    transfers = tuple("identity" if min(hidden) == D else "tanh" for D in hidden)
    return lambda D: Network.dense((D, *hidden, D), transfers, objective)


def _classifier(hidden: tuple[int, ...], objective: str, outputs: int) -> Callable[[int], Network]:
    return lambda D: Network.dense((D, *hidden, outputs), ("tanh",) * len(hidden), objective)


def _images(images: Images) -> NDArray[Any]:
    return images.pixels


def _classes(images: Images) -> NDArray[Any]:
    assert images.labels is not None
    return images.labels


def _odd(images: Images) -> NDArray[Any]:
    return _classes(images) % 2


PAPER_BATCH = 1000
DIGITS, WIDE = (32, 16), (1000, 500, 250, 30)

_TASKS: dict[str, tuple[str, Callable[[int], Network], Callable[[Images], NDArray[Any]], int]] = {
    "digits": ("digits", _classifier(DIGITS, "categorical", 10), _classes, 256),
    "digits-odd": ("digits", _classifier(DIGITS, "mixture", 3), _odd, 256),
    "mnist": ("mnist", _autoencoder("bernoulli"), _images, PAPER_BATCH),
    "mnist-odd": ("mnist", _classifier(WIDE, "mixture", 3), _odd, PAPER_BATCH),
    "curves": ("curves", _autoencoder("bernoulli"), _images, PAPER_BATCH),
    "faces": ("faces", _autoencoder("squared_error"), _images, PAPER_BATCH),
}

TASKS = tuple(_TASKS)
"""digits and the autoencoders of Section 5.1: mnist, curves, faces; with -odd, the mixture (27) of Section 5.2."""


def open_task(name: str, folder: Folder = None) -> Task:
    """The task of that name. Its data come from `kfgn.lab.data.load`, and their values are checked once.

    Raises `UsageError` for an unknown name, for values that are not finite and for targets that the objective does not
    take, and `DataUnavailableError`.
    """
    name = usage(partial(checked_name, known=TASKS), "data", name)
    source, network, targets, batch = _TASKS[name]
    images = load(source, folder)
    if not np.isfinite(images.pixels).all():
        raise UsageError(f"data: expected finite pixels in {source}, got NaN or infinity")
    task = Task(
        name, network(images.pixels.shape[1]), images.pixels, targets(images), images.shape, images.about, batch
    )
    try:
        checked_targets(task.network, task.X, task.Y, check=True)
    except ValueError as error:
        raise UsageError(f"data: {name} cannot be trained on: {error}") from error
    return task
