"""Callbacks that observe a run while it trains."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from .._words import shown
from .errors import UsageError
from .metrics import Record
from .options import Options


class Watch:
    """Callbacks of a run. Derive from this class to follow the progress of training.

    The methods of this class do nothing, except that `on_warning` issues a `UserWarning`. The argument `watch` of
    `train`, `resume` and `compare` is a `Watch`, a function, or a list of them. A function is called with the record of
    each update.

    Examples
    --------
    >>> import tempfile
    >>> from kfgn.lab import Options, Watch, train
    >>> class Count(Watch):
    ...     updates = 0
    ...     def on_updates(self, records):
    ...         self.updates = records[-1]["update"]
    >>> count, records = Count(), []
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = train(Options("digits", updates=2), f"{folder}/run", watch=[count, records.append])
    >>> count.updates, [record["update"] for record in records]
    (2, [0, 1, 2])
    """

    def on_preparation(self, line: str) -> None:
        """Observe the generation of data, before the start of a run.

        Parameters
        ----------
        line : str
            The progress of the generation.
        """

    def on_start(self, options: Options, updates: int, seconds: float, folder: Path) -> None:
        """Observe the start of a new or resumed run.

        Parameters
        ----------
        options : Options
            The options, with all defaults filled in.
        updates : int
            The number of updates up to the checkpoint from which the run continues, or 0 without a checkpoint.
        seconds : float
            The training time of these updates, in seconds.
        folder : pathlib.Path
            The folder of the run.
        """

    def on_updates(self, records: list[Record]) -> None:
        """Observe new updates, whose metrics have been written.

        Parameters
        ----------
        records : list of dict
            The metrics of the new updates, as in `Run.metrics`. In a new run, the first call has the record of update
            0.
        """

    def on_end(self) -> None:
        """Observe the end of a run that was started, also after an error or an interruption."""

    def on_warning(self, message: str) -> None:
        """Observe a problem that does not stop the run.

        Parameters
        ----------
        message : str
            The description of the problem, on one line.
        """
        warnings.warn(message, stacklevel=2)


Callbacks: TypeAlias = Watch | Callable[[Record], Any] | Sequence[Watch | Callable[[Record], Any]] | None
"""The types of the argument `watch`: a watch, a function of the record of an update, a list of these, or None."""


class EachRecord(Watch):
    """A watch that calls a function with a copy of the record of each update."""

    def __init__(self, function: Callable[[Record], Any]) -> None:
        self.function = function

    def on_updates(self, records: list[Record]) -> None:
        """Call the function."""
        for record in records:
            self.function(dict(record))


class Several(Watch):
    """A watch that passes each call to several watches, in their order."""

    def __init__(self, watches: Sequence[Watch]) -> None:
        self.watches = watches

    def on_preparation(self, line: str) -> None:
        """Pass the line to each watch."""
        for watch in self.watches:
            watch.on_preparation(line)

    def on_start(self, options: Options, updates: int, seconds: float, folder: Path) -> None:
        """Pass the arguments to each watch."""
        for watch in self.watches:
            watch.on_start(options, updates, seconds, folder)

    def on_updates(self, records: list[Record]) -> None:
        """Pass the records to each watch."""
        for watch in self.watches:
            watch.on_updates(records)

    def on_end(self) -> None:
        """Call `on_end` of each watch."""
        for watch in self.watches:
            watch.on_end()

    def on_warning(self, message: str) -> None:
        """Pass the message to the first watch alone, so that the message is reported once."""
        self.watches[0].on_warning(message)


def checked_watch(watch: Callbacks) -> Watch:
    """Return the argument `watch` as a single `Watch`. Raises `UsageError` for a type that is not in `Callbacks`."""
    if watch is None:
        return Watch()
    if isinstance(watch, tuple | list):
        return Several([_checked_one(one) for one in watch] or [Watch()])
    return _checked_one(watch)


def _checked_one(watch: Any) -> Watch:
    if isinstance(watch, Watch):
        return watch
    if isinstance(watch, type) or not callable(watch):
        raise UsageError(
            f"watch: expected a kfgn.lab.Watch, a function of a record, or a list of these, got {shown(watch)}"
        )
    return EachRecord(watch)
