"""Errors that the lab raises for its user. Each message is one clear line, and the command prints that line alone."""

import importlib
from typing import Any


class UsageError(ValueError):
    """An argument, an option or a file that is not valid. Nothing has been written.

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
    """A run that could not continue. The message states the reason and the checkpoint from which it can be resumed.

    Examples
    --------
    >>> import tempfile
    >>> from kfgn.lab import Options, RunFailedError, train
    >>> options = Options("digits", "sgd", learning_rate=1e30, updates=5, patience=2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     try:
    ...         train(options, f"{folder}/run")
    ...     except RunFailedError as error:
    ...         print(str(error)[:46])
    the last 2 steps up to update 2 were rejected,
    """


class InterruptedRunError(RunFailedError):
    """A run that was asked to stop, and has written a checkpoint."""


class FileError(UsageError):
    """A file with an invalid content. The message names the file and the field, and states what was expected."""


class MissingLibraryError(UsageError):
    """A library of the extra `train` that is not installed."""


def library(name: str) -> Any:
    """Import a module of a library that the extra `train` installs. Raises `MissingLibraryError`."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise MissingLibraryError(f"{error.name} is not installed: pip install 'kfgn[train]'") from error
