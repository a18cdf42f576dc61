"""Files that a command writes, and a line for each that it cannot."""

from collections.abc import Callable
from pathlib import Path

from .output import tell


def written(write: Callable[[Path], None], path: Path | None) -> bool:
    """Whether there is nothing to write, or it could be written; a line says why it could not."""
    try:
        if path is not None:
            write(path)
    except OSError as error:
        tell(f"kfgn-check: error: {path} could not be written: {error.strerror}")
        return False
    return True


def unwritable(file: Path) -> str:
    """Why a file could not be written at the end of a run, as far as that shows at its beginning; or nothing."""
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
    """Whether there is a folder of that name, which may be too long for one."""
    try:
        return path.is_dir()
    except OSError:
        return False
