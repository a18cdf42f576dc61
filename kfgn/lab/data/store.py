"""The files of data sets, in a named folder or in pooch's cache, into which missing files are downloaded."""

import hashlib
import importlib
import os
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from ..._words import shown

Folder: TypeAlias = str | os.PathLike[str] | None
"""The folder of the data files. None means the folder that KFGN_DATA names, or the cache if KFGN_DATA is not set."""

FOLDER_VARIABLE = "KFGN_DATA"
"""The environment variable that names the folder."""


class DataUnavailableError(OSError):
    """Raised if a data file is missing or damaged or cannot be downloaded, or if a library is not installed."""


class DataFile(NamedTuple):
    """A file of a data set.

    names:   the possible paths of the file in the folder; a downloaded file gets the last path
    urls:    the addresses of the file, which are tried in order
    served:  the SHA-256 of the downloaded file, which may be packed
    content: the SHA-256 of the unpacked content
    """

    names: tuple[str, ...]
    urls: tuple[str, ...]
    served: str
    content: str


def checked_folder(folder: Folder) -> Folder:
    """Return the folder unchanged. Raises `TypeError` if the folder is neither a path nor None."""
    if folder is not None and not isinstance(folder, str | os.PathLike):
        raise TypeError(f"folder: expected a path or None, got {shown(folder)}")
    return folder


def locate(file: DataFile, folder: Folder = None) -> Path:
    """Return the path of a file. The file is downloaded if no folder is named and the file is not in the cache.

    The content of an existing file is not checked. Raises `DataUnavailableError` if the file is missing in a named
    folder, if the folder cannot be read, or if the download fails.
    """
    named = folder or os.environ.get(FOLDER_VARIABLE)
    try:
        root = Path(named or library("pooch", "a download").os_cache("kfgn")).expanduser()
        paths = [root / name for name in file.names]
        for path in paths:
            if path.is_file():
                return path
    except DataUnavailableError:
        raise
    except (OSError, RuntimeError) as error:  # the path is too long, or the home folder for ~ is unknown
        reason = getattr(error, "strerror", None) or error
        raise DataUnavailableError(f"{named}: expected a folder that can be read: {reason}") from error
    if named:
        raise DataUnavailableError(
            f"no such file: expected {_either(paths)}; a missing file is downloaded only if neither an argument nor "
            f"{FOLDER_VARIABLE} names a folder"
        )
    return _download(file, paths)


def _download(file: DataFile, paths: list[Path]) -> Path:
    pooch = library("pooch", "a download")
    target = paths[-1]
    failures = []
    for url in file.urls:
        try:
            return Path(pooch.retrieve(url, known_hash=file.served, fname=target.name, path=target.parent))
        except (OSError, ValueError) as error:  # errors of the network or disk, or of pooch for a wrong hash
            failures.append(f"{url}: {_reason(error)}")
    raise DataUnavailableError(
        f"{target.name} could not be downloaded ({'; '.join(failures)}): place it by hand as {_either(paths)}, or in a "
        f"folder that {FOLDER_VARIABLE} names"
    )


def _reason(error: OSError | ValueError) -> str:
    """Describe a failed download in a few words.

    The names of errors are those of requests, the HTTP library of pooch.
    """
    kinds = {kind.__name__ for kind in type(error).__mro__}
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status is not None:
        return f"the server answered with status {status}"
    if "Timeout" in kinds:
        return "no answer in time"
    if "ConnectionError" in kinds:
        return "no connection"
    if isinstance(error, ValueError) and "hash" in str(error):
        return "the served file has a wrong SHA-256"
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__


def check_content(file: DataFile, path: Path, content: bytes) -> None:
    """Raise `DataUnavailableError` unless the unpacked content of the file has the expected hash."""
    found = hashlib.sha256(content).hexdigest()
    if found != file.content:
        raise DataUnavailableError(
            f"{path} is damaged or a different file; delete or replace it: expected content of SHA-256 {file.content}, "
            f"got {found}"
        )


def library(name: str, use: str) -> Any:
    """Import a module.

    use: the purpose of the module, in words for the error message, such as "a download"

    Raises `DataUnavailableError` if the library of the module is missing. The extra `train` installs the library.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise DataUnavailableError(
            f"{error.name}, which {use} needs, is not installed: pip install 'kfgn[train]'"
        ) from error


def _either(paths: list[Path]) -> str:
    return " or ".join(map(str, paths))
