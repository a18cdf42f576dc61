"""Files that a command writes, and a line for each file that it cannot write."""

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


def unwritable(file: Path) -> str:
    """Describe why a file cannot be written, before a long run begins; empty if it can be."""
    try:
        parent, there = file.resolve().parent, file.exists()
        if not parent.is_dir():
            return f"there is no folder {parent}"
        with file.open("a"):
            pass
        if not there:
            file.unlink()
    except OSError as error:
        return f"{file} could not be written: {error.strerror}"
    return ""


def is_folder(path: Path) -> bool:
    """Test for a folder, also where the name is too long for one."""
    try:
        return path.is_dir()
    except OSError:
        return False
