"""Errors that the lab raises for its user. Each message is one line, which the command prints without a traceback."""

import importlib
from pathlib import Path
from typing import Any


class UsageError(ValueError):
    """Raised for an argument, an option or a file that is not valid.

    Examples
    --------
    >>> from kfgn.lab import Options, UsageError
    >>> try:
    ...     Options("digits", updates=0)
    ... except UsageError as error:
    ...     print(error)
    updates: expected a positive integer, got 0
    """


class RunFailedError(RuntimeError):
    """Raised if a run cannot continue, or if a file of the run cannot be written. The message states the reason.

    Examples
    --------
    >>> import tempfile
    >>> from kfgn.lab import Options, RunFailedError, train
    >>> options = Options("digits", "sgd", learning_rate=1e30, updates=5, max_rejected=2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     try:
    ...         train(options, f"{folder}/run")
    ...     except RunFailedError as error:
    ...         print(str(error)[:31])
    the last 2 steps up to update 2
    """


class InterruptedRunError(RunFailedError):
    """Raised when a run has stopped on request and has written a checkpoint."""


class RejectedStepsError(RunFailedError):
    """Raised if too many consecutive steps of a run were rejected. `compare` continues with its other runs."""


class PictureError(RunFailedError):
    """Raised if a picture cannot be written. All files of the run except pictures have been written before.

    folder: the folder whose pictures are drawn again by `kfgn show FOLDER --draw`
    """

    def __init__(self, message: str, folder: Path) -> None:
        super().__init__(message)
        self.folder = folder


class FileError(UsageError):
    """Raised for a file that cannot be read or has invalid content. The message names the file."""


class MissingLibraryError(UsageError):
    """Raised if a library of the extra `train` or `tensorboard` is not installed.

    If a library that only data sets need, such as pooch, is missing, a `DataUnavailableError` is raised instead.
    """


def library(name: str, extra: str = "train") -> Any:
    """Import a module. Raises `MissingLibraryError` if the library of the module is missing.

    extra: the extra of kfgn that installs the library
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise MissingLibraryError(f"{error.name} is not installed: pip install 'kfgn[{extra}]'") from error
