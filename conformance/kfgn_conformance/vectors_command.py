"""The command `kfgn-check vectors`: list, verify or regenerate golden vectors."""

import argparse
from functools import partial
from pathlib import Path

from .decoding import FileError
from .output import Output
from .statuses import FAILED, PASSED, UNWRITTEN
from .writing import is_folder, written


def vectors(options: argparse.ArgumentParser, given: argparse.Namespace) -> int:
    """Run the command on the given folder, by default the folder of kfgn's own vectors. Return the exit status."""
    from . import golden

    folder = given.folder or golden.FOLDER
    if given.action == "regenerate":
        return _regenerate(options, folder)
    if not is_folder(folder):
        options.error(f"vectors: expected a folder, got {folder}")
    return _list(options, folder) if given.action == "list" else _verify(folder)


def _list(options: argparse.ArgumentParser, folder: Path) -> int:
    """Print a line for each golden vector in a folder."""
    from . import golden

    try:
        vectors = golden.load(folder)
    except FileError as error:
        options.error(f"vectors: {error}")
    for vector in vectors:
        flags = " ".join(vector.flags) or "-"
        Output().print(f"{vector.id}  {vector.equation}  {flags}  {vector.description}", soft_wrap=True)
    return PASSED


def _verify(folder: Path) -> int:
    """Print the faults of the golden vectors in a folder."""
    from . import golden

    print_line, faults = partial(Output().print, soft_wrap=True), 0
    for fault in golden.faults(folder):
        print_line(fault, style="red")
        faults += 1
    if not golden.CAN_CERTIFY:
        print_line("note: radii were not checked: pip install 'kfgn[exact]'", style="yellow")
    print_line(f"{folder}: {faults or 'no'} fault{'' if faults == 1 else 's'}")
    return FAILED if faults else PASSED


def _regenerate(options: argparse.ArgumentParser, folder: Path) -> int:
    """Compute the golden vectors again, and write their files into a folder."""
    from . import golden

    if not golden.CAN_CERTIFY:
        options.error("vectors regenerate: ball arithmetic needs python-flint: pip install 'kfgn[exact]'")
    with Output(stderr=True).progress() as show:

        def regenerate(into: Path) -> None:
            golden.regenerate(into, lambda name: show(f"certifying {name}"))

        return PASSED if written(regenerate, folder) else UNWRITTEN
