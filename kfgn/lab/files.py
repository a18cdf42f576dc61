"""Files that are written completely or not at all."""

import contextlib
import os
from pathlib import Path

TEMPORARY = ".tmp"
"""The suffix of a file that is not complete yet."""


def resolved(path: Path) -> Path:
    """Follow the links of a path. For a circle of links `Path.resolve` raises an error that is not an `OSError`."""
    return Path(os.path.realpath(path))


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file. After a crash at any moment the path has the old content or the new content.

    Raises an `OSError` that names the file. The old content is then unchanged.
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
    """Make a rename durable, on systems that can open a folder."""
    with contextlib.suppress(PermissionError, IsADirectoryError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
