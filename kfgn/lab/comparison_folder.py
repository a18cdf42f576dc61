"""Reading and writing of `comparison.json`, and the runs of a folder in the order of their comparison."""

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .decoding import checked, content_of, decoded
from .errors import FileError
from .files import resolved, write_atomically
from .options import Options
from .run import Run
from .run_folder import COMPARISON, CONFIGURATION, check_format, is_run, read_run
from .schema import FORMAT, Compared


class Comparison(NamedTuple):
    """The newest call of `compare` for a folder.

    methods: the methods in their order, such as "kfra" and "adam:0.01"
    options: the fields of the argument `options` by name
    """

    folder: Path
    methods: tuple[str, ...]
    options: dict[str, Any]

    @property
    def places(self) -> list[Path]:
        """The folders of the runs, in the order of the methods. A run that has not started has no folder yet."""
        return [self.folder / folder_of(method) for method in self.methods]


def folder_of(method: str) -> str:
    """Return the name of the folder of a run, such as adam-0.01 for the method "adam:0.01"."""
    return method.replace(":", "-")


def write_comparison(folder: Path, methods: Sequence[str], options: Options) -> None:
    """Write `comparison.json` into the folder, which is made if necessary. Raises an `OSError` that names the path."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"format": FORMAT, "methods": list(methods), "options": dataclasses.asdict(options)}
    write_atomically(folder / COMPARISON, (json.dumps(content, indent=2) + "\n").encode())


def read_comparison(folder: Path) -> Comparison | None:
    """Read `comparison.json`, or return None for a folder without this file. Raises `FileError` for an invalid file."""
    path = folder / COMPARISON
    if not path.exists():
        return None
    content = content_of(path)
    check_format(decoded(content, dict, path), path)
    found = decoded(content, Compared, path)
    checked(found["options"], Options, f"{path}: options")
    for method in found["methods"]:
        if not folder_of(method).isprintable() or Path(folder_of(method)).name != folder_of(method):
            raise FileError(f"{path}: methods: expected names of methods, got {method!r}")
    return Comparison(folder, tuple(found["methods"]), found["options"])


def runs_in(folder: Path) -> list[Run]:
    """Read the run in a folder. If the folder is not that of a run, read the runs at any depth below the folder.

    The runs of a comparison have the order of its methods. All other runs have the order of their names. If no run
    is found, but the folder or a folder below it is that of a comparison, the result is empty.

    Raises the errors of `read_run` for a damaged run, and if there is neither a run nor a comparison. Raises
    `FileError` for an invalid `comparison.json`, and `OSError` if the folder cannot be listed.
    """
    places = list(_folders(folder))
    found = [read_run(place) for place in places if is_run(place)]
    return found if found or any((place / COMPARISON).exists() for place in places) else [read_run(folder)]


def comparisons_in(folder: Path) -> list[Comparison]:
    """Read the comparisons in the folders that `_folders` yields, except the folders of runs."""
    places = [place for place in _folders(folder) if not is_run(place)]
    return [found for place in places if (found := read_comparison(place)) is not None]


def _folders(folder: Path) -> Iterator[Path]:
    """Yield the folder and the folders below it, but none below the folder of a run.

    Four kinds of folders below the folder are left out: hidden folders, folders in a folder that cannot be listed,
    folders without the permission to open their files, and folders whose `configuration.json` or `comparison.json`
    another program has written. Each folder is yielded once, even if several links lead to it.
    """
    visited: set[Path] = set()

    def walk(here: Path) -> Iterator[Path]:
        if not _is_folder(here) or (place := resolved(here)) in visited:
            return
        visited.add(place)
        if here != folder and not _can_be_read(here):
            return
        yield here
        if is_run(here):
            return
        try:
            inside = _ordered(here)
        except PermissionError:
            if here == folder:
                raise
            return
        for path in inside:
            if not path.name.startswith("."):
                yield from walk(path)

    yield from walk(folder)


def _is_folder(path: Path) -> bool:
    """True for a folder, and False for a link into a folder without the permission to open its files."""
    try:
        return path.is_dir()
    except PermissionError:
        return False


def _can_be_read(folder: Path) -> bool:
    """True if the files of the folder may be opened, and no other program has written one of its two JSON files."""
    try:
        (folder / CONFIGURATION).stat()
    except PermissionError:
        return False
    except OSError:
        pass  # such as a missing file
    return not any(_is_foreign(folder / name) for name in (CONFIGURATION, COMPARISON))


def _is_foreign(path: Path) -> bool:
    """Return True for a file that contains a JSON object without the field `format`.

    The lab writes this field into `configuration.json` and into `comparison.json`.
    """
    if not path.is_file():
        return False
    try:
        return "format" not in decoded(content_of(path), dict, path)
    except FileError:
        return False


def _ordered(folder: Path) -> list[Path]:
    """Return the subfolders of a folder.

    The runs of the folder's comparison come first, in the order of its methods. The other subfolders follow by name.
    """
    comparison = read_comparison(folder)
    first = [] if comparison is None else comparison.places
    inside = [path for path in folder.iterdir() if _is_folder(path)]
    return sorted(inside, key=lambda path: (first.index(path) if path in first else len(first), path))
