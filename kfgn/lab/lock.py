"""One process at a time trains in a folder."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from .errors import UsageError, library

LOCK = ".lock"
"""Stays when the run has ended; a process that ended, however it did, holds it no more."""


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Make the folder, if it is not there, and hold it. `UsageError` if another process does; raises `OSError`."""
    filelock = library("filelock")
    folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        raise UsageError(f"{folder}: another process is training there") from error
    try:
        yield
    finally:
        lock.release()
