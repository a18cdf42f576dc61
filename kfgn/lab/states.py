"""The state of each run of a folder, such as complete or unfinished, and the commands that continue the runs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .checkpoint import checkpoints, update_of
from .comparison_folder import Comparison, folder_of
from .early_stopping import early_stopping_of
from .lock import is_locked
from .next_commands import compare_command, has_command, resume_command
from .run import Run

TRAINED = "being trained"
"""The first words of the state of a run in whose folder a process trains."""

FAILED = "failed"
"""The first word of the state of a run that ended because too many consecutive updates were rejected."""


def stopped_early(run: Run) -> bool:
    """Return True if early stopping has ended the run."""
    early = early_stopping_of(run.options, run.metrics)
    return early is not None and early.stops


def _has_failed(run: Run) -> bool:
    """Return True if the run ended with an error because too many consecutive updates were rejected."""
    limit = run.options["max_rejected"]
    last = run.metrics[1:][-limit:]
    return len(last) == limit and not any(record["ok"] for record in last)


def state_of(run: Run, limits: Mapping[str, Any] | None = None) -> str:
    """Return "complete", the reason of a failure, or the progress of a run that has not ended.

    limits: options with the limits `updates` and `seconds`; None for the limits of the run itself
    """
    limits = run.options if limits is None else limits
    updates, seconds = limits["updates"], limits["seconds"]
    by_updates, by_seconds = updates is not None, seconds is not None
    if stopped_early(run) or (by_updates and run.updates >= updates) or (by_seconds and run.seconds >= seconds):
        return "complete"
    done = [f"{run.updates} of {updates} updates"] if by_updates else []
    done += [f"{run.seconds:.3g} of {seconds:g} s"] if by_seconds else []
    if is_locked(run.folder):
        return f"{TRAINED}, {' and '.join(done)} done"
    if _has_failed(run):
        return f"{FAILED}, its last {run.options['max_rejected']} updates were rejected"
    saved = checkpoints(run.folder)
    t = update_of(saved[0]) if saved else 0
    place = "" if t >= run.updates else f", continues from {f'update {t}' if t else 'the start'}"
    return f"unfinished, {' and '.join(done)} done{place}"


def lines_of_states(runs: Sequence[Run], comparisons: Sequence[Comparison]) -> list[str]:
    """Return lines about incomplete comparisons, and about incomplete runs that belong to no comparison.

    The lines contain the commands that continue these comparisons and runs.
    """
    by_folder = {run.folder: run for run in runs}
    lines = [line for comparison in comparisons for line in _of_comparison(comparison, by_folder)]
    compared = {place for comparison in comparisons for place in comparison.places}
    for folder, run in by_folder.items():
        if folder not in compared and (state := state_of(run)) != "complete":
            failed = state.startswith(FAILED)
            lines.append(f"the run in {folder} {'has' if failed else 'is'} {state}")
            over = failed or state.startswith(TRAINED)
            lines += [] if over else [_how(resume_command(folder), run.options, "resume")]
    return lines


def _of_comparison(comparison: Comparison, runs: Mapping[Path, Run]) -> list[str]:
    """Return a line for each run of an incomplete comparison, and the command that continues the comparison.

    The result is empty if all runs are complete. The command leaves out the methods that have failed, since they would
    fail again. There is no command if a process trains one of the runs, or if each run is complete or has failed.
    """
    states = {
        method: state_of(runs[place], comparison.options) if place in runs else "missing"
        for method, place in zip(comparison.methods, comparison.places, strict=True)
    }
    if set(states.values()) <= {"complete"}:
        return []
    width = max(len(method) for method in states)
    lines = [f"the comparison in {comparison.folder} is not complete:"]
    lines += [f"  {folder_of(method):{width}}  {state}" for method, state in states.items()]
    if any(state.startswith(TRAINED) for state in states.values()):
        return lines
    others = tuple(method for method, state in states.items() if not state.startswith(FAILED))
    if any(states[method] != "complete" for method in others):
        command = compare_command(comparison._replace(methods=others))
        lines.append(_how(command, comparison.options, "compare"))
    return lines


def _how(command: str, options: Mapping[str, Any], function: str) -> str:
    """Return the line with the command that continues a run or a comparison.

    The command `kfgn` cannot open a task that the user's own program has defined. For such a task, the line names the
    function of `kfgn.lab` to call.
    """
    return f"continue it: {command if has_command(options) else f'call kfgn.lab.{function} with its task'}"
