"""What the lab raises for its user. Each message is one clear line, and the command prints no more than that."""

import importlib
from typing import Any


class UsageError(ValueError):
    """What was asked for cannot be done as it was asked."""


class RunFailedError(RuntimeError):
    """A run could not go on; the message says why, and from which checkpoint it can be resumed."""


class FileError(UsageError):
    """A file that is not what it should be. The message names the file and the field, and states what was expected."""


class MissingLibraryError(UsageError):
    """A library of the extra `train` is not installed."""


def library(name: str) -> Any:
    """The module of that name, of a library that comes with the extra `train`; `MissingLibraryError` without it."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise MissingLibraryError(f"{error.name} is not installed: pip install 'kfgn[train]'") from error
