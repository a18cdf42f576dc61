"""Writing of files, completely or not at all."""

import contextlib
import os
from pathlib import Path

TEMPORARY = ".tmp"
"""The suffix of a file that is not complete yet."""


def resolved(path: Path) -> Path:
    """Follow the symbolic links of a path, without the `RuntimeError` of `Path.resolve` for a cycle of links."""
    return Path(os.path.realpath(path))


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file. After a crash or an error, the file has either the old content or the new content.

    Raises an `OSError` that names the file.
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
    """Make the renaming of a file durable, on systems that can open a folder."""
    with contextlib.suppress(PermissionError, IsADirectoryError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
