"""A lock that lets only one process train in a folder."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from .errors import UsageError, library

LOCK = ".lock"
"""The name of the lock file.

The file may remain after a run. The lock ends when the process that holds the lock ends, or earlier.
"""


def is_locked(folder: Path) -> bool:
    """Return True if a process trains in the folder. Nothing is written.

    The result is False if the user has no permission to lock the file.
    """
    filelock = library("filelock")
    if not (folder / LOCK).is_file():
        return False
    try:
        with filelock.FileLock(folder / LOCK, timeout=0):
            return False
    except filelock.Timeout:
        return True
    except OSError:  # the user has no permission to lock the file
        return False


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Make the folder if it does not exist, and lock the folder.

    Raises `UsageError` if another process holds the lock, and `OSError` if the folder or the lock cannot be made.
    """
    filelock = library("filelock")
    folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        raise UsageError(f"{folder}: another process is training in this folder") from error
    try:
        yield
    finally:
        lock.release()
