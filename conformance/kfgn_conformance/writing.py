"""Functions that write the files of a command."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from .output import print_error


def written(write: Callable[[Path], None], path: Path | None) -> bool:
    """Write a file if a path is given. If writing fails, print an error and return False."""
    try:
        if path is not None:
            write(path)
    except OSError as error:
        print_error(f"kfgn-check: error: {path} could not be written: {error.strerror}")
        return False
    return True


def write_whole(path: Path, text: str) -> None:
    """Write a text to a file, and replace an existing file only by the text in full.

    The function writes the text to a temporary file, which then replaces the existing file. A new file, a device, a
    pipe, and a file in a folder that accepts no new file are written directly, so an interruption may leave a part of
    the text. Raises `OSError` for a failure.
    """
    file = _resolved(path)  # a symbolic link stays a symbolic link
    temporary = file.with_name(f".kfgn-check-{os.getpid()}.tmp")
    try:
        new = temporary.open("x", encoding="utf-8") if file.is_file() else None
    except OSError:
        new = None
    if new is None:
        path.write_text(text, encoding="utf-8")
        return
    try:
        with new:
            new.write(text)
        temporary.chmod(file.stat().st_mode)
        temporary.replace(file)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def unwritable(file: Path) -> str:
    """Return the reason why a file cannot be written, or "" if the file can be written.

    A command calls this function for its output files before a long run.
    """
    try:
        parent, exists = _resolved(file).parent, os.path.lexists(file)
        if not parent.is_dir():
            return f"the folder {parent} does not exist"
        if file.is_fifo():  # a pipe is not tested, since its reader stops when the pipe is closed
            return ""
        with file.open("a"):
            pass
        if not exists:
            file.unlink()
    except OSError as error:
        return f"{file} could not be written: {error.strerror}"
    return ""


def _resolved(path: Path) -> Path:
    """Follow the links of a path, without `Path.resolve`, whose error for circular links is not an `OSError`."""
    return Path(os.path.realpath(path))


def is_folder(path: Path) -> bool:
    """True if the path is a folder. The result is False if the path cannot be read, such as a path that is too long."""
    try:
        return path.is_dir()
    except OSError:
        return False
