"""Files that are there in full or not at all."""

import contextlib
import os
from pathlib import Path

TEMPORARY = ".tmp"
"""The suffix of a file that is not there yet."""


def resolved(path: Path) -> Path:
    """Follow the links of a path. `Path.resolve` raises what is no `OSError` for links in a circle."""
    return Path(os.path.realpath(path))


def write_atomically(path: Path, content: bytes) -> None:
    """Put a file in the place of what was there. After a crash at any moment it is the old one or the new one.

    Raises `OSError` that names the file; the old one is then untouched.
    """
    temporary = path.with_name(path.name + TEMPORARY)
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise OSError(error.errno, error.strerror, str(path)) from error


def _sync_folder(folder: Path) -> None:
    """Make a rename last, where the system can open a folder."""
    with contextlib.suppress(PermissionError, IsADirectoryError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
