"""The lines after the tables: the files that a command has written, and the next commands."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .checkpoint import BEST, checkpoints
from .comparison_folder import Comparison
from .early_stopping import average_is_best
from .metrics import METRICS
from .next_commands import compare_command, has_command, resume_command, show_command, twice_as_long
from .pictures import DAMPING, LOSS, RECONSTRUCTIONS
from .run import SETS, Run
from .states import FAILED, state_of, stopped_early
from .tensorboard import EVENTS
from .wording import data_of


def lines_of_run(run: Run, before: int | None = None) -> list[str]:
    """Return lines about a run that has ended: its folder and files, and how to show, continue and read the run.

    before: the number of updates of a resumed run before it was resumed; None for a new run
    """
    pictures = [name for name in (LOSS, DAMPING, RECONSTRUCTIONS) if (run.folder / name).exists()]
    files = {
        "weights": _place_of_weights(run),
        "metrics": METRICS,
        "pictures": ", ".join(pictures),
        "events": EVENTS if (run.folder / EVENTS).exists() else "",
    }
    lines = [f"the run was already complete after update {run.updates}"] if before == run.updates else []
    lines += [f"the run is in {run.folder}:"]
    lines += [f"  {kind:8}  {names}" for kind, names in files.items() if names]
    lines.append(f"show it: {show_command(run.folder)}")
    if has_command(run.options):
        lines.append(f"continue it: {resume_command(run.folder, _further(run))}")
    averaged = "averaged=True" if average_is_best(run.options, run.metrics) else ""
    return [*lines, f"in Python: kfgn.lab.read_run({str(run.folder)!r}).weights({averaged})"]


def _place_of_weights(run: Run) -> str:
    """Return the name of the newest checkpoint and, if early stopping keeps earlier weights, the names of their arrays.

    The result is empty if there is no checkpoint.
    """
    names = [path.name for path in checkpoints(run.folder)[:1]]
    if names and run.best_update not in (None, run.updates):
        return f"{names[0]}, whose arrays {BEST}.weights.* are those of update {run.best_update}"
    return "".join(names)


def _further(run: Run) -> dict[str, Any]:
    """Return the doubled limits of a run: `early_stopping` if it ended the run, otherwise `updates` and `seconds`."""
    if stopped_early(run):
        return {"early_stopping": 2 * run.options["early_stopping"]}
    return twice_as_long(run.options)


def lines_of_comparison(comparison: Comparison, runs: Sequence[Run], picture: Path) -> list[str]:
    """Return the folder, the runs and the picture of a comparison, and the commands that show and continue it.

    The command that continues the comparison leaves out the methods that have failed, since they would fail again.
    """
    kept = [m for m, run in zip(comparison.methods, runs, strict=True) if not state_of(run).startswith(FAILED)]
    options = {**comparison.options, **twice_as_long(comparison.options)}
    longer = comparison._replace(methods=tuple(kept), options=options)
    names = ", ".join(place.name for place in comparison.places)
    return [
        f"the comparison is in {comparison.folder}, with a folder for each run: {names}",
        *([f"picture: {picture}"] if picture.exists() else []),
        f"show it: {show_command(comparison.folder)}",
        *([f"continue it: {compare_command(longer)}"] if kept else []),
    ]


def summary_of(run: Run) -> dict[str, Any]:
    """Return a summary of a run for JSON: values such as its length, its state, and its final losses and accuracies.

    A loss or accuracy that is missing or not finite is None.
    """
    figures = {
        f"{name}_{kind}{suffix}": figure(run, name, averaged=bool(suffix))
        for kind, figure in (("loss", Run.final), ("accuracy", Run.accuracy))
        for name in SETS
        for suffix in ("", "_averaged")
    }
    return {
        "folder": str(run.folder),
        "data": data_of(run.options),
        **{name: run.options[name] for name in ("method", "learning_rate", "seed")},
        "state": state_of(run),
        "updates": run.updates,
        "seconds": run.seconds,
        "rejected": run.rejected,
        "best_update": run.best_update,
        **{name: None if math.isnan(value) else value for name, value in figures.items()},
    }


def print_lines(lines: Sequence[str], console: Any) -> None:
    """Print a blank line and the lines. Long lines are not wrapped, so that a command can be copied."""
    if lines:
        console.print()
    for line in lines:
        console.print(line, soft_wrap=True)
