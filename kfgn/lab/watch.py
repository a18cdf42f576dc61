"""Callbacks that observe a run while it trains."""

import warnings

from .arguments import check_instance
from .metrics import Record
from .options import Options


class Watch:
    """Callbacks of a run. Derive from this class to follow the progress of training.

    The methods of this class do nothing, except that `on_warning` issues a `UserWarning`.

    Examples
    --------
    >>> import tempfile
    >>> from kfgn.lab import Options, Watch, train
    >>> class Count(Watch):
    ...     updates = 0
    ...     def on_updates(self, records):
    ...         self.updates = records[-1]["update"]
    >>> count = Count()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = train(Options("digits", updates=2), f"{folder}/run", watch=count)
    >>> count.updates
    2
    """

    def on_start(self, options: Options, updates: int, seconds: float) -> None:
        """Observe the start of a new or resumed run.

        Parameters
        ----------
        options : Options
            The options, with all defaults filled in.
        updates : int
            The number of updates that earlier calls have completed.
        seconds : float
            The training time of the completed updates, in seconds.
        """

    def on_updates(self, records: list[Record]) -> None:
        """Observe new updates, whose metrics have been written.

        Parameters
        ----------
        records : list of dict
            The metrics of the new updates, as in `Run.metrics`. In a new run, the first call has the record of update
            0.
        """

    def on_warning(self, message: str) -> None:
        """Observe a problem that does not stop the run.

        Parameters
        ----------
        message : str
            One line.
        """
        warnings.warn(message, stacklevel=2)


def checked_watch(watch: Watch | None) -> Watch:
    """Return the watch, or a `Watch` for None. Raises `UsageError` for any other value."""
    if watch is None:
        return Watch()
    check_instance("watch", watch, Watch)
    return watch
