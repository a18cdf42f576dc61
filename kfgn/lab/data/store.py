"""Where the files of a data set come from: a folder that is named, or pooch's cache, into which they are downloaded."""

import hashlib
import importlib
import os
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from ..._words import shown

Folder: TypeAlias = str | os.PathLike[str] | None
"""The folder that holds the files, None for the one of the environment or else the cache."""

FOLDER_VARIABLE = "KFGN_DATA"
"""The environment variable that names the folder."""


class DataUnavailableError(OSError):
    """A file is missing, damaged or not to be downloaded, or a library is; the message says what would help."""


class DataFile(NamedTuple):
    """A file of a data set.

    names:   what it may be called in the folder, the download by the last of them
    urls:    where it is served, to be tried in turn
    served:  SHA-256 of the file as it is served
    content: SHA-256 of what it holds, however that is packed
    """

    names: tuple[str, ...]
    urls: tuple[str, ...]
    served: str
    content: str


def checked_folder(folder: Folder) -> Folder:
    """The folder, unchanged: `TypeError` if it is no path."""
    if folder is not None and not isinstance(folder, str | os.PathLike):
        raise TypeError(f"folder: expected a path or None, got {shown(folder)}")
    return folder


def locate(file: DataFile, folder: Folder = None) -> Path:
    """The path of a file, which is downloaded if no folder is named and the cache does not have it.

    Its content is not looked at, unless it is downloaded. Raises `DataUnavailableError`.
    """
    named = folder or os.environ.get(FOLDER_VARIABLE)
    try:
        root = Path(named or library("pooch", "downloads").os_cache("kfgn")).expanduser()
        paths = [root / name for name in file.names]
        for path in paths:
            if path.is_file():
                return path
    except DataUnavailableError:
        raise
    except (OSError, RuntimeError) as error:  # the name is too long, or its home folder is unknown
        reason = getattr(error, "strerror", None) or error
        raise DataUnavailableError(f"{named}: expected a folder that can be read: {reason}") from error
    if named:
        raise DataUnavailableError(
            f"no such file: expected {_either(paths)}; with no folder named, neither by argument nor by "
            f"{FOLDER_VARIABLE}, it would be downloaded"
        )
    return _download(file, paths)


def _download(file: DataFile, paths: list[Path]) -> Path:
    pooch = library("pooch", "downloads")
    target = paths[-1]
    failures = []
    for url in file.urls:
        try:
            return Path(pooch.retrieve(url, known_hash=file.served, fname=target.name, path=target.parent))
        except (OSError, ValueError) as error:  # the network's or the disk's, and pooch's for a wrong hash
            failures.append(f"{url}: {_reason(error)}")
    raise DataUnavailableError(
        f"{target.name} could not be downloaded ({'; '.join(failures)}): place it by hand as {_either(paths)}, or in a "
        f"folder that {FOLDER_VARIABLE} names"
    )


def _reason(error: OSError | ValueError) -> str:
    """Describe a failed download in a few words. The class names are those of requests, which pooch uses."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status is not None:
        return f"the server answered with status {status}"
    if "Timeout" in kinds:
        return "no answer in time"
    if "ConnectionError" in kinds:
        return "no connection"
    if isinstance(error, ValueError) and "hash" in str(error):
        return "another file is served there, of another SHA-256"
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__


def check_content(file: DataFile, path: Path, content: bytes) -> None:
    """Raise `DataUnavailableError` unless the content of the file has the expected hash."""
    found = hashlib.sha256(content).hexdigest()
    if found != file.content:
        raise DataUnavailableError(
            f"{path} is damaged, or another file; delete or replace it: expected content of SHA-256 {file.content}, "
            f"got {found}"
        )


def library(name: str, use: str) -> Any:
    """The module of that name, of a library that comes with the extra `train`; `DataUnavailableError` without it."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise DataUnavailableError(f"{error.name}, for {use}, is not installed: pip install 'kfgn[train]'") from error


def _either(paths: list[Path]) -> str:
    return " or ".join(map(str, paths))
