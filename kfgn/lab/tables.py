"""Tables of runs and of backends for the terminal."""

import math
from collections.abc import Sequence
from typing import Any

from ..backends import BACKENDS, BackendUnavailableError, open_backend
from .arrivals import arrival, best_first_order
from .early_stopping import early_stopping_of
from .errors import library
from .plain_text import escaped
from .run import SETS, Run
from .wording import names_of


def print_runs(runs: Sequence[Run], console: Any) -> None:
    """Print a table of runs, and a table of their final losses and accuracies on the training, validation and test set.

    If several runs include a first-order method, the table also shows when each run reached the best final loss of the
    first-order methods.
    """
    best = best_first_order(runs) if len(runs) > 1 else None
    same_data = len(runs) > 1 and len({run.options["data"] for run in runs}) == 1
    names = ["method"] if same_data else ["data", "method"]
    heads = ["run", *names, "updates", "seconds", "rejected"]
    heads += ["updates\nto best", "seconds\nto best"] if best is not None else []
    table = _table(*heads, left=1 + len(names))
    titles = names_of(runs)
    for title, run in zip(titles, runs, strict=True):
        row = [title, *(run.options[name] for name in names), str(run.updates), f"{run.seconds:.1f}", str(run.rejected)]
        if best is not None:
            updates, seconds = arrival(run, best)
            row += ["-" if updates is None else str(updates), "-" if seconds is None else f"{seconds:.1f}"]
        table.add_row(*map(escaped, row))
    console.print(table)
    console.print()
    console.print(_table_of_figures(titles, runs))
    if same_data:
        console.print(f"data set of all runs: {runs[0].options['data']}")
    for title, run in zip(titles, runs, strict=True):
        for note in notes_of(run):
            console.print(f"{title}: {note}", soft_wrap=True)
    if best is not None:
        console.print(f"best: the lowest final training loss of the first-order methods, {best:.5g}")


def notes_of(run: Run) -> list[str]:
    """Return sentences about a run that its rows need: the end by early stopping, and the update of the figures."""
    notes = []
    early = early_stopping_of(run.options, run.metrics)
    if early is not None and early.stops:
        notes.append(f"early stopping ended the run after update {run.updates}")
    if run.best_update is not None:
        notes.append(f"weights and figures are those of update {run.best_update}, with the lowest validation loss")
    elif run.evaluations and (t := run.evaluations[-1]["update"]) != run.updates:
        notes.append(f"the losses were computed after update {t}")
    return notes


def _table_of_figures(titles: Sequence[str], runs: Sequence[Run]) -> Any:
    """Return the table of losses and accuracies, with two rows per run: at the weights and at their average."""
    figures = [(Run.final, "loss", "{:.5g}"), (Run.accuracy, "accuracy", "{:.4f}")]
    columns = [
        (f"{name}\n{kind}", figure, name, form)
        for figure, kind, form in figures
        for name in SETS
        if any(not math.isnan(figure(run, name)) for run in runs) or (name, kind) == ("train", "loss")
    ]
    table = _table("run", "at the", *(head for head, *_ in columns), left=2)
    for title, run in zip(titles, runs, strict=True):
        for place, averaged in (("weights", False), ("average", True)):
            values = [(form, figure(run, name, averaged=averaged)) for _, figure, name, form in columns]
            row = ["-" if math.isnan(value) else form.format(value) for form, value in values]
            table.add_row(escaped("" if averaged else title), place, *row)
    return table


def print_backends(console: Any) -> None:
    """Print the version of every backend, or the reason why it is not usable on this machine."""
    table = _table("backend", "version", "usable", left=3)
    for name in BACKENDS:
        try:
            backend = open_backend(name)
        except BackendUnavailableError as error:
            table.add_row(name, "-", escaped(f"no: {error}"))
        else:
            table.add_row(name, backend.version, "yes")
    console.print(table)


def _table(*heads: str, left: int) -> Any:
    table = library("rich.table").Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for i, head in enumerate(heads):
        table.add_column(head, justify="left" if i < left else "right", no_wrap=head != "usable")
    return table
