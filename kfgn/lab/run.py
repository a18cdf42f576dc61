"""The record of a run: its configuration, the metrics of each update, and the weights."""

import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from .._documentation import Documented, with_shared_text
from .._network.dense import Dense
from .._network.network import Network
from .._validation.scalars import checked_flag, checked_name
from .arguments import with_usage_error
from .checkpoint import BEST, newest_checkpoint
from .early_stopping import best_update
from .errors import UsageError
from .metrics import Record
from .prediction import outputs_of

SETS = ("train", "validation", "test")
"""The sets on which a run is evaluated."""


@dataclass(frozen=True)
class Run(metaclass=Documented):
    """The record of a run, read from the folder of the run. `train`, `resume` and `read_run` return a `Run`.

    Attributes
    ----------
    folder : pathlib.Path
        The folder of the run.
    configuration : dict
        The content of `configuration.json`, such as the options with all defaults filled in, the network, the
        optimiser, the data set, the versions of the libraries, and the machine.
    metrics : list of dict
        The records of the updates. The first record, update 0, describes the initial weights. A number that is not
        finite is None. The fields of a record are:

        * update: t
        * seconds: the training time so far, without evaluations and the writing of files
        * loss: the mean loss of the batch at the weights before the update, without L2 regularisation
        * f: the same mean loss with L2 regularisation
        * step_size: the step size alpha (40), which is negative for a descent step; for a first-order method, the
          learning rate with a minus sign; 0 if the update was rejected
        * tau, gamma: the dampings of the update; None for a damping that the method does not use
        * rho: the reduction ratio (42); None for an update that does not compute the ratio
        * ok: True if the update changed the weights, False if the update was rejected
        * train_loss, train_loss_averaged: the mean loss over the training set at the weights after the update, and at
          their average; absent if the update was not evaluated
        * validation_loss, validation_loss_averaged: the mean loss over the validation set
        * test_loss, test_loss_averaged: the mean loss over the test set, only in a record after which the run ended;
          with early stopping, at the weights of the update `best_update`
        * train_accuracy, validation_accuracy, test_accuracy, and each of them with the suffix _averaged: the fraction
          of the datapoints whose target is the most probable class; absent for a network without classes

        The record of update 0 has only the fields update and seconds, and the losses and accuracies on the training
        and validation set.

    Examples
    --------
    >>> import numpy as np
    >>> import tempfile
    >>> from kfgn.lab import Options, train
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = train(Options("digits", updates=2), f"{folder}/run")
    ...     weights, outputs = run.weights(), run.outputs(np.zeros((3, 64)))
    >>> run.updates, run.rejected, [W.shape for W in weights], outputs.shape
    (2, 0, [(32, 65), (16, 33), (10, 17)], (3, 10))
    >>> run.metrics[1]["step_size"] < 0
    True
    """

    folder: Path
    configuration: dict[str, Any]
    metrics: list[Record]

    @property
    def options(self) -> dict[str, Any]:
        """The fields of `Options` by name, with all defaults filled in."""
        options: dict[str, Any] = self.configuration["options"]
        return options

    @property
    def updates(self) -> int:
        """The number of completed updates."""
        return int(self.metrics[-1]["update"]) if self.metrics else 0

    @property
    def best_update(self) -> int | None:
        """The update that has the lowest validation loss, and whose weights a run with early stopping keeps.

        The value is None for a run without early stopping, and for a run without a finite validation loss. Such a run
        keeps the weights of its last update.
        """
        return best_update(self.options, self.metrics)

    @property
    def seconds(self) -> float:
        """The training time in seconds."""
        return float(self.metrics[-1]["seconds"]) if self.metrics else 0.0

    @property
    def rejected(self) -> int:
        """The number of rejected updates, which did not change the weights."""
        return sum(record.get("ok") is False for record in self.metrics)

    @property
    def evaluations(self) -> list[Record]:
        """The records with losses over the whole training set."""
        return [record for record in self.metrics if "train_loss" in record]

    @with_shared_text
    def final(self, data: str = "train", *, averaged: bool = False) -> float:
        """Return the mean loss over the set `data` at the weights that the run keeps.

        {kept_weights}
        {last_evaluation}

        Parameters
        ----------
        {set_of_run}
        {averaged}

        Returns
        -------
        float
            The loss; NaN if the run has no such evaluation, or if the loss was not finite. A run that has never ended
            has no loss over the test set.

        Raises
        ------
        {figure_errors}
        """
        return self._figure("loss", data, averaged)

    @with_shared_text
    def accuracy(self, data: str = "train", *, averaged: bool = False) -> float:
        """Return the accuracy on the set `data` at the weights that the run keeps.

        The accuracy is the fraction of the datapoints whose target is the most probable class.

        {kept_weights}
        {last_evaluation}

        Parameters
        ----------
        {set_of_run}
        {averaged}

        Returns
        -------
        float
            The accuracy from 0 to 1; NaN if the run has no such evaluation, or if the network has no classes.

        Raises
        ------
        {figure_errors}
        """
        return self._figure("accuracy", data, averaged)

    def _figure(self, kind: str, data: Any, averaged: Any) -> float:
        data = with_usage_error(partial(checked_name, known=SETS), "data", data)
        suffix = "_averaged" if with_usage_error(checked_flag, "averaged", averaged) else ""
        kept = self.best_update
        record = self.metrics[-1 if data == "test" else kept] if kept is not None else (self.evaluations or [{}])[-1]
        value = record.get(f"{data}_{kind}{suffix}")
        return math.nan if value is None else float(value)

    def network(self) -> Network:
        """Return the network.

        Returns
        -------
        kfgn.Network
        """
        saved = self.configuration["network"]
        return Network(**{**saved, "layers": [Dense(**layer) for layer in saved["layers"]]})

    @with_shared_text
    def weights(self, *, averaged: bool = False) -> tuple[NDArray[Any], ...]:
        """Read the newest usable checkpoint, and return the weights that the run keeps.

        {kept_weights}

        Parameters
        ----------
        {averaged}

        Returns
        -------
        tuple of numpy.ndarray
            W_1, ..., W_L in the dtype of the run, each (D_l, D_{l-1} + 1) with the bias in the last column, or
            (D_l, D_{l-1}) without a bias.

        Raises
        ------
        UsageError
            `averaged` is neither True nor False, or the run has no checkpoint yet.
        RunFailedError
            No checkpoint is usable.
        """
        averaged = with_usage_error(checked_flag, "averaged", averaged)
        found = newest_checkpoint(self.folder, self.configuration["hash"], ignore)
        if found is None:
            raise UsageError(f"{self.folder}: expected a checkpoint, got none yet")
        best = best_update(self.options, self.metrics[: found.t + 1])
        name = ("" if best in (None, found.t) else f"{BEST}.") + ("average" if averaged else "weights")
        return tuple(found.arrays[f"{name}.{l}"] for l in range(self.network().depth))

    @with_shared_text
    def outputs(self, X: NDArray[Any], *, averaged: bool = False) -> NDArray[Any]:
        """Return the outputs h_L of the network at the weights that the run keeps, computed by NumPy.

        {kept_weights}

        For categorical, the most probable class of a row is the index of its largest output. For bernoulli, the
        probabilities are 1 / (1 + exp(-h_L)). For squared_error, the outputs are the predictions of the targets. For
        mixture, equation (27) gives the probability of each class.

        Parameters
        ----------
        X : numpy.ndarray, shape (N, D_0)
            The inputs in float32 or float64, scaled in the same way as the training inputs. They are converted to the
            dtype of the run.
        {averaged}

        Returns
        -------
        numpy.ndarray, shape (N, D_L)
            The outputs in the dtype of the run.

        Raises
        ------
        UsageError
            X is not such an array, `averaged` is neither True nor False, or the run has no checkpoint yet.
        RunFailedError
            No checkpoint is usable.
        """
        weights = self.weights(averaged=averaged)
        outputs: NDArray[Any] = with_usage_error(lambda _, x: outputs_of(self.network(), weights, x), "X", X)
        return outputs


def ignore(_warning: str) -> None:
    """Ignore a warning about a checkpoint. Only the trainer reports such a warning."""
