"""Tables of runs and of backends for the terminal."""

import io
import math
import textwrap
from collections.abc import Sequence
from typing import Any

from ..backends import BACKENDS, BackendUnavailableError, open_backend
from .arrivals import arrival, best_first_order
from .early_stopping import average_is_best
from .errors import library
from .plain_text import escaped
from .run import SETS, Run
from .states import stopped_early
from .wording import best_loss_in_words, data_of, names_of, note_on_eta, note_on_rates

SHORTEST = 12
"""The smallest width, in characters, of the first column, in which long names of runs are folded."""


def print_runs(runs: Sequence[Run], console: Any) -> None:
    """Print a table of runs, and a table of their final losses and accuracies on the training, validation and test set.

    If there is more than one run, all runs have the same data set, and at least one run has a first-order method, the
    table of runs also shows when each run reached the best final loss of the first-order methods.
    """
    same_data = len(runs) > 1 and len({data_of(run.options) for run in runs}) == 1
    best = best_first_order(runs) if same_data else None
    titles = names_of(runs)
    _print_table(_table_of_runs(titles, runs, best, same_data=same_data), console)
    for table in _tables_of_figures(titles, runs, console):
        console.print()
        _print_table(table, console)
    console.print("average: the running average of the weights, equation (44)")
    if same_data:
        console.print(f"data set of all runs: {data_of(runs[0].options)}")
    for title, run in zip(titles, runs, strict=True):
        for note in _notes(run):
            console.print(f"{title}: {note}", soft_wrap=True)
    if same_data and (note := note_on_eta(runs)):
        console.print(f"note: {note}", soft_wrap=True)
    if best is not None:
        title, by = next(pair for pair in zip(titles, runs, strict=True) if best_first_order([pair[1]]) == best)
        line = f"{best_loss_in_words(runs)}: {best:.5g}, the lowest final training loss, by the run {title}"
        console.print(line, soft_wrap=True)
        if note := note_on_rates(by, runs):
            console.print(f"note: {note}", soft_wrap=True)


def _print_table(table: Any, console: Any) -> None:
    """Print a table. A terminal that is too narrow breaks the lines, so that no name and no number is left out."""
    for i, column in enumerate(table.columns):
        longest = max(len(line) for cell in (column.header, *column.cells) for line in str(cell).split("\n"))
        column.min_width = longest if i else min(SHORTEST, longest)
    needed = sum(column.min_width + 1 for column in table.columns) - 1
    if needed <= console.width:
        console.print(table)
        return
    text = library("rich.console").Console(file=io.StringIO(), width=needed)
    text.print(table)
    for line in text.file.getvalue().splitlines():
        console.print(line.rstrip(), soft_wrap=True)


def _table_of_runs(titles: Sequence[str], runs: Sequence[Run], best: float | None, *, same_data: bool) -> Any:
    """Return the table of the runs, with the length and the number of rejected updates of each run.

    Unless `best` is None, the table also shows when each run reached the loss `best`.

    The column of the data set is left out if there is more than one run and all runs have the same data set. The column
    of the method is left out if the title of each run begins with the method of the run.
    """
    named = all(title.startswith(run.options["method"]) for title, run in zip(titles, runs, strict=True))
    names = [name for name, known in (("data", same_data), ("method", named)) if not known]
    heads = ["run", *names, "updates", "seconds", "rejected updates"]
    if best is not None:
        heads += [f"{unit} until {best_loss_in_words(runs)}" for unit in ("updates", "seconds")]
    table = _table(*("\n".join(textwrap.wrap(head, 12)) for head in heads), left=1 + len(names))
    for title, run in zip(titles, runs, strict=True):
        words = {"data": data_of(run.options), "method": run.options["method"]}
        row = [title, *(words[name] for name in names), str(run.updates), f"{run.seconds:.1f}", str(run.rejected)]
        if best is not None:
            updates, seconds = arrival(run, best)
            row += ["-" if updates is None else str(updates), "-" if seconds is None else f"{seconds:.1f}"]
        table.add_row(*map(escaped, row))
    return table


def _notes(run: Run) -> list[str]:
    """Return notes on a run, such as the update to which its weights and losses belong if it is not the last update."""
    notes = [] if run.evaluations else ["no evaluation was written yet"]
    if stopped_early(run):
        notes.append(f"early stopping ended the run after update {run.updates}")
    if run.best_update not in (None, run.updates):
        place = " at the average of the weights" if average_is_best(run.options, run.metrics) else ""
        lowest = f"with the lowest validation loss{place}"
        notes.append(f"weights, losses and accuracies are those of update {run.best_update}, {lowest}")
    elif run.best_update is None and run.evaluations and (t := run.evaluations[-1]["update"]) != run.updates:
        notes.append(f"the losses were computed after update {t}")
    return notes


def _tables_of_figures(titles: Sequence[str], runs: Sequence[Run], console: Any) -> list[Any]:
    """Return a table of losses and accuracies, or a table of each kind if the terminal is too narrow for both."""
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
    rows = [_row_of_backend(name) for name in BACKENDS]
    heads = ("backend", "version", "usable")
    if not console.is_terminal:  # one backend per line, for other programs
        widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
        for row in (heads, *rows):
            line = " ".join(f"{word:{width}}" for word, width in zip(row, widths, strict=True))
            console.print(line.rstrip(), soft_wrap=True)
        return
    table = _table(*heads, left=3)
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _row_of_backend(name: str) -> tuple[str, str, str]:
    try:
        backend = open_backend(name)
    except BackendUnavailableError as error:
        return name, "-", escaped(f"no: {error}")
    return name, backend.version, "yes"


def _table(*heads: str, left: int) -> Any:
    table = library("rich.table").Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for i, head in enumerate(heads):
        # in a narrow terminal, long names are folded before numbers are cut
        justify: Any = "left" if i < left else "right"
        table.add_column(head, justify=justify, no_wrap=i >= left, overflow="fold" if i < left else "ellipsis")
    return table
