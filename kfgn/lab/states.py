"""The state of each run of a folder, complete or unfinished or missing, and the commands that continue the runs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .comparison_folder import Comparison
from .early_stopping import early_stopping_of
from .next_commands import compare_command, has_command, resume_command
from .run import Run


def stopped_early(run: Run) -> bool:
    """Return True if early stopping has ended the run."""
    early = early_stopping_of(run.options, run.metrics)
    return early is not None and early.stops


def state_of(run: Run, limits: Mapping[str, Any] | None = None) -> str:
    """Return "complete", or the part of an unfinished run that is done.

    limits: options with the limits `updates` and `seconds`; None for the limits of the run itself
    """
    limits = run.options if limits is None else limits
    updates, seconds = limits["updates"], limits["seconds"]
    by_updates, by_seconds = updates is not None, seconds is not None
    if stopped_early(run) or (by_updates and run.updates >= updates) or (by_seconds and run.seconds >= seconds):
        return "complete"
    done = [f"{run.updates} of {updates} updates"] if by_updates else []
    done += [f"{run.seconds:.3g} of {seconds:g} s"] if by_seconds else []
    return f"unfinished, {' and '.join(done)} done"


def lines_of_states(runs: Sequence[Run], comparisons: Sequence[Comparison]) -> list[str]:
    """Return lines about the comparisons and the other runs that are not complete, with the commands to continue."""
    by_folder = {run.folder: run for run in runs}
    lines = [line for comparison in comparisons for line in _of_comparison(comparison, by_folder)]
    compared = {place for comparison in comparisons for place in comparison.places}
    for folder, run in by_folder.items():
        if folder not in compared and (state := state_of(run)) != "complete":
            lines += [f"the run in {folder} is {state}", _how(resume_command(folder), run.options, "resume")]
    return lines


def _of_comparison(comparison: Comparison, runs: Mapping[Path, Run]) -> list[str]:
    """Return a line for each run of a comparison, and the command to continue, unless all runs are complete."""
    width = max((len(place.name) for place in comparison.places), default=0)
    states = {
        f"  {place.name:{width}}  ": state_of(runs[place], comparison.options) if place in runs else "missing"
        for place in comparison.places
    }
    if set(states.values()) <= {"complete"}:
        return []
    return [
        f"the comparison in {comparison.folder} is not complete:",
        *(name + state for name, state in states.items()),
        _how(compare_command(comparison), comparison.options, "compare"),
    ]


def _how(command: str, options: Mapping[str, Any], function: str) -> str:
    """Return the line with the command that continues a run. A task of the user's own program has no command."""
    return f"continue it: {command if has_command(options) else f'call kfgn.lab.{function} with its task'}"
