"""Command lines that continue or show a run or a comparison, and that the user can copy into a shell."""

import shlex
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from .comparison_folder import Comparison
from .options import Options
from .own_data import NPZ
from .tasks import TASKS


def show_command(folder: Path) -> str:
    """Return the command that shows a run or a comparison again."""
    return shlex.join(["kfgn", "show", str(folder)])


def resume_command(folder: Path, limits: Mapping[str, Any] | None = None) -> str:
    """Return the command that continues a run. The dictionary `limits` has the new values of options by name."""
    return shlex.join(["kfgn", "train", "--resume", *_flags(limits or {}), "--out", str(folder)])


def compare_command(comparison: Comparison) -> str:
    """Return the command that starts or continues a comparison, with its methods and its options."""
    given = {**comparison.options, "method": None}
    if given["npz"] is not None:
        given["data"] = None
    words = ["kfgn", "compare", *_flags(given), "--methods", *comparison.methods, "--out", str(comparison.folder)]
    return shlex.join(words)


def has_command(options: Mapping[str, Any]) -> bool:
    """Return True if the command `kfgn` can continue a run: the option `data` is in `TASKS`, or is "npz"."""
    return options["data"] in (*TASKS, NPZ)


def twice_as_long(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the limits of a run, doubled."""
    return {name: 2 * options[name] for name in ("updates", "seconds") if options[name] is not None}


def _flags(given: Mapping[str, Any]) -> list[str]:
    """Return the options that differ from their defaults, as words of a command line."""
    words = []
    for field in fields(Options):
        value = given.get(field.name)
        if value is not None and value != field.default:
            words += ["--" + field.name.replace("_", "-")]
            words += [str(each) for each in (value if isinstance(value, list | tuple) else [value])]
    return words
