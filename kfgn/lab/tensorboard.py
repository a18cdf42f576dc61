"""The metrics of a run as scalars of TensorBoard, written by the library tensorboardX."""

from pathlib import Path
from typing import Any

from .errors import library
from .metrics import Record
from .options import Options
from .run import SETS
from .watch import Watch

EVENTS = "tensorboard"
"""The subfolder of a run's folder in which the event files of TensorBoard are written."""


class TensorBoard(Watch):
    """A watch that writes the metrics of each run for TensorBoard, in the subfolder `tensorboard` of the run.

    The names of the scalars are `step/loss`, `step/tau` and so on for the metrics of each update, and `train/loss`,
    `validation/accuracy`, `test/loss_averaged` and so on for evaluations. `tensorboard --logdir FOLDER` shows the runs
    below a folder. If a run is resumed from a checkpoint, new scalars replace those of the updates that are computed
    again.

    Raises
    ------
    UsageError
        The library tensorboardX is not installed.

    Examples
    --------
    >>> from kfgn.lab import Options, TensorBoard, train
    >>> run = train(Options("digits", updates=2), "run", watch=TensorBoard())  # doctest: +SKIP
    >>> len(list(run.folder.glob("tensorboard/events*")))  # doctest: +SKIP
    1
    """

    def __init__(self) -> None:
        self.library = library("tensorboardX", extra="tensorboard")
        self.writer: Any = None

    def on_start(self, options: Options, updates: int, seconds: float, folder: Path) -> None:  # noqa: ARG002
        """Open the file of events."""
        earlier = len(list((folder / EVENTS).glob("events*")))
        first = updates + 1 if updates else 0  # update 0 is evaluated before the first update
        # the name of a file has the time in whole seconds, so without the suffix a resumed run could replace a file
        self.writer = self.library.SummaryWriter(
            logdir=str(folder / EVENTS), purge_step=first if earlier else None, filename_suffix=f".{earlier}"
        )

    def on_updates(self, records: list[Record]) -> None:
        """Write the finite numbers of the records."""
        for record in records:
            for name, value in record.items():
                if name != "update" and value is not None:
                    self.writer.add_scalar(tag_of(name), float(value), global_step=record["update"])
        self.writer.flush()

    def on_end(self) -> None:
        """Close the file of events."""
        self.writer.close()


def tag_of(name: str) -> str:
    """Return the name of a scalar, such as `validation/loss` for `validation_loss`, and `step/tau` for `tau`."""
    start, _, rest = name.partition("_")
    return f"{start}/{rest}" if start in SETS else f"step/{name}"
