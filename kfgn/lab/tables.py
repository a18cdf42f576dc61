"""Tables of runs and of backends for the terminal."""

import math
import textwrap
from collections.abc import Sequence
from typing import Any

from ..backends import BACKENDS, BackendUnavailableError, open_backend
from .arrivals import arrival, best_first_order
from .errors import library
from .plain_text import escaped
from .run import SETS, Run
from .states import stopped_early
from .wording import best_loss_in_words, names_of


def print_runs(runs: Sequence[Run], console: Any) -> None:
    """Print a table of runs, and a table of their final losses and accuracies on the training, validation and test set.

    If several runs of one data set include a first-order method, the table also shows when each run reached the best
    final loss of the first-order methods.
    """
    same_data = len(runs) > 1 and len({run.options["data"] for run in runs}) == 1
    best = best_first_order(runs) if same_data else None
    titles = names_of(runs)
    console.print(_table_of_runs(titles, runs, best, same_data=same_data))
    for table in _tables_of_figures(titles, runs, console):
        console.print()
        console.print(table)
    console.print("average: the running average of the weights, equation (44)")
    if same_data:
        console.print(f"data set of all runs: {runs[0].options['data']}")
    for title, run in zip(titles, runs, strict=True):
        for note in _notes(run):
            console.print(f"{title}: {note}", soft_wrap=True)
    if best is not None:
        by = next(title for title, run in zip(titles, runs, strict=True) if best_first_order([run]) == best)
        line = f"{best_loss_in_words(runs)}: {best:.5g}, the lowest final training loss, by the run {by}"
        console.print(line, soft_wrap=True)


def _table_of_runs(titles: Sequence[str], runs: Sequence[Run], best: float | None, *, same_data: bool) -> Any:
    """Return the table of the lengths of the runs, and of their arrivals at the loss `best` unless it is None.

    The columns of the data set and of the method are left out if they would repeat the same words.
    """
    named = all(title.startswith(run.options["method"]) for title, run in zip(titles, runs, strict=True))
    names = [name for name, known in (("data", same_data), ("method", named)) if not known]
    heads = ["run", *names, "updates", "seconds", "rejected updates"]
    if best is not None:
        heads += [f"{unit} until {best_loss_in_words(runs)}" for unit in ("updates", "seconds")]
    table = _table(*("\n".join(textwrap.wrap(head, 12)) for head in heads), left=1 + len(names))
    for title, run in zip(titles, runs, strict=True):
        row = [title, *(run.options[name] for name in names), str(run.updates), f"{run.seconds:.1f}", str(run.rejected)]
        if best is not None:
            updates, seconds = arrival(run, best)
            row += ["-" if updates is None else str(updates), "-" if seconds is None else f"{seconds:.1f}"]
        table.add_row(*map(escaped, row))
    return table


def _notes(run: Run) -> list[str]:
    """Return sentences about a run that its rows need: the end by early stopping, and the update of the figures."""
    notes = []
    if stopped_early(run):
        notes.append(f"early stopping ended the run after update {run.updates}")
    if run.best_update not in (None, run.updates):
        notes.append(f"weights and figures are those of update {run.best_update}, with the lowest validation loss")
    elif run.best_update is None and run.evaluations and (t := run.evaluations[-1]["update"]) != run.updates:
        notes.append(f"the losses were computed after update {t}")
    return notes


def _tables_of_figures(titles: Sequence[str], runs: Sequence[Run], console: Any) -> list[Any]:
    """Return a table of losses and accuracies, or a table for each of them if the terminal is too narrow."""
    figures = {"loss": (Run.final, "{:.5g}"), "accuracy": (Run.accuracy, "{:.4f}")}
    columns = [
        (name, kind)
        for kind, (figure, _) in figures.items()
        for name in SETS
        if any(not math.isnan(figure(run, name)) for run in runs) or (name, kind) == ("train", "loss")
    ]

    def table(*kinds: str) -> Any:
        chosen = [(name, *figures[kind]) for name, kind in columns if kind in kinds]
        made = _table("run", "at the", *(f"{name}\n{kind}" for name, kind in columns if kind in kinds), left=2)
        for title, run in zip(titles, runs, strict=True):
            for place, averaged in (("weights", False), ("average", True)):
                values = [(form, figure(run, name, averaged=averaged)) for name, figure, form in chosen]
                row = ["-" if math.isnan(value) else form.format(value) for form, value in values]
                made.add_row(escaped("" if averaged else title), place, *row)
        return made

    whole = table(*figures)
    wide = console.measure(whole, options=console.options.update(width=1000)).maximum > console.width
    return [table(kind) for kind in dict.fromkeys(kind for _, kind in columns)] if wide else [whole]


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
        # in a narrow terminal, long names are folded before numbers are cut
        justify: Any = "left" if i < left else "right"
        table.add_column(head, justify=justify, no_wrap=i >= left, overflow="fold" if i < left else "ellipsis")
    return table
