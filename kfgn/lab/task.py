"""A training task: a network and its data."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._documentation import Documented
from .._linearisation.arguments import check_network, checked_targets
from .._network.network import Network
from .._validation.scalars import checked_count, checked_pair
from .._words import shown


class Data(NamedTuple):
    """Inputs X and targets Y of n datapoints."""

    X: NDArray[Any]
    Y: NDArray[Any]


@dataclass(frozen=True)
class Task(metaclass=Documented):
    """A network and the data on which it is trained, validated and tested.

    Parameters
    ----------
    name : str
        The name of the task in messages.
    network : kfgn.Network
        The network, in which every layer is a `Dense`. Networks with positions are not supported.
    X : numpy.ndarray
        The inputs (n, D_0), float32 or float64, finite.
    Y : numpy.ndarray
        The targets: X itself for an autoencoder, and otherwise (n, D_L) or class indices (n,), as the objective
        requires.
    shape : tuple of int, optional
        The height and the width of an image. Their product is D_0. Reconstructions are drawn if the shape is given and
        Y is X.
    about : str
        A description of the data set in one sentence.
    batch : int, optional
        The default number of datapoints in a step. With batch=None, this number is 256. If the training set has fewer
        datapoints, a step has all of them.
    validation : pair of numpy.ndarray, optional
        X and Y of the validation set. With validation=None, the validation set is split off from X and Y. The option
        `validation_fraction` of the run gives the fraction.
    test : pair of numpy.ndarray, optional
        X and Y of the test set. With test=None, the test set is split off from X and Y. The option `test_fraction`
        of the run gives the fraction.

    Notes
    -----
    `train`, `resume` and `compare` check the fields of a task.

    Examples
    --------
    >>> import numpy as np
    >>> import kfgn
    >>> import tempfile
    >>> from kfgn.lab import Options, Task, train
    >>> X = np.random.default_rng(0).uniform(-1, 1, (500, 2))
    >>> Y = (X[:, 0] * X[:, 1] > 0).astype(np.int64)
    >>> task = Task("quadrants", kfgn.Network.dense((2, 10, 2), ("tanh",), "categorical"), X, Y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = train(Options("quadrants", updates=60), folder, task=task)
    >>> run.accuracy("test") > 0.9
    True
    """

    name: str
    network: Network
    X: NDArray[Any]
    Y: NDArray[Any]
    shape: tuple[int, int] | None = None
    about: str = ""
    batch: int | None = None
    validation: tuple[NDArray[Any], NDArray[Any]] | None = None
    test: tuple[NDArray[Any], NDArray[Any]] | None = None

    @property
    def reconstructs(self) -> bool:
        """True if the targets are the inputs, so that the network reconstructs its inputs."""
        return self.Y is self.X


def check_task(task: Task) -> None:
    """Raise `TypeError` or `ValueError` for a field of a task with a wrong type, shape, dtype or value."""
    check_network(task.network)
    _check_data(task.network, task.X, task.Y)
    for name in ("validation", "test"):
        pair = getattr(task, name)
        if pair is not None:
            try:
                X, Y = checked_pair(name, pair, "a pair of arrays X and Y")
                _check_data(task.network, X, Y)
            except (TypeError, ValueError) as error:
                text = str(error)
                raise type(error)(text if text.startswith(f"{name}:") else f"{name}.{text}") from error
            if X.dtype != task.X.dtype:
                raise TypeError(f"{name}.X: expected dtype {task.X.dtype}, the dtype of X, got {X.dtype}")
    for name in ("name", "about"):
        if not isinstance(value := getattr(task, name), str):
            raise TypeError(f"{name}: expected a text, got {shown(value)}")
    if task.shape is not None:
        D = task.network.widths[0]
        height, width = (checked_count("shape", side) for side in checked_pair("shape", task.shape))
        if height * width != D:
            raise ValueError(f"shape: expected a height and a width with the product {D}, got {height} and {width}")
    if task.batch is not None:
        checked_count("batch", task.batch)


def _check_data(network: Network, X: Any, Y: Any) -> None:
    if network.has_positions:
        raise ValueError(f"network: expected a network without positions, got inputs of shape {network.inputs}")
    D = network.widths[0]
    for name, array in (("X", X), ("Y", Y)):
        if not isinstance(array, np.ndarray):
            raise TypeError(f"{name}: expected a NumPy array, got {shown(array)}")
    if X.dtype not in (np.float32, np.float64):
        raise TypeError(f"X: expected dtype float32 or float64, got {X.dtype}")
    if X.ndim != 2 or X.shape[1] != D or not len(X):
        raise ValueError(f"X: expected shape (n, {D}) with n of at least 1, got {X.shape}")
    if not np.isfinite(X).all():
        raise ValueError("X: expected finite values, got NaN or infinity")
    checked_targets(network, X, Y, check=True)
