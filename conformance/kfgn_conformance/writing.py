"""Files that a command writes, and a line for each file that it cannot write."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from .output import tell


def written(write: Callable[[Path], None], path: Path | None) -> bool:
    """Write a file, if there is a path. Return False, and print one line, if that is impossible."""
    try:
        if path is not None:
            write(path)
    except OSError as error:
        tell(f"kfgn-check: error: {path} could not be written: {error.strerror}")
        return False
    return True


def write_whole(path: Path, text: str) -> None:
    """Put a text in the place of a file, which is the old or the new one in full if the program is ended meanwhile.

    A device or a pipe, and a file in a folder that takes no other, are written directly. Raises `OSError`.
    """
    file = _resolved(path)  # a link stays a link
    temporary = file.with_name(f".kfgn-check-{os.getpid()}.tmp")
    try:
        beside = temporary.open("x", encoding="utf-8") if file.is_file() else None
    except OSError:
        beside = None
    if beside is None:
        path.write_text(text, encoding="utf-8")
        return
    try:
        with beside:
            beside.write(text)
        temporary.chmod(file.stat().st_mode)
        temporary.replace(file)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def unwritable(file: Path) -> str:
    """Describe why a file cannot be written, before a long run begins; empty if it can be."""
    try:
        parent, there = _resolved(file).parent, os.path.lexists(file)
        if not parent.is_dir():
            return f"there is no folder {parent}"
        if file.is_fifo():  # whoever reads from it would take this for the end
            return ""
        with file.open("a"):
            pass
        if not there:
            file.unlink()
    except OSError as error:
        return f"{file} could not be written: {error.strerror}"
    return ""


def _resolved(path: Path) -> Path:
    """Follow the links of a path. `Path.resolve` raises what is no `OSError` for links in a circle."""
    return Path(os.path.realpath(path))


def is_folder(path: Path) -> bool:
    """Test for a folder, also where the name is too long for one."""
    try:
        return path.is_dir()
    except OSError:
        return False
