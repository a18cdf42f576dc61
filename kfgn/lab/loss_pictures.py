"""A picture of the losses and accuracies of one run, and a picture that compares the losses of several runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .arrivals import arrival, best_first_order
from .early_stopping import lower_of
from .errors import library
from .figures import (
    FIRST_ORDER,
    INK,
    SECOND_ORDER,
    add_legend,
    colours_of,
    label_decades,
    new_figure,
    plain,
    save,
    set_title,
)
from .methods import METHODS
from .metrics import Record
from .plain_text import escaped
from .run import Run
from .wording import best_loss_in_words, data_of, labels_of, words_of

CLOSE = 0.1
"""The relative difference up to which the lowest losses of runs count as close to each other.

If the lowest losses of all runs of a data set are close to each other, the picture shows each loss minus the lowest of
these losses.
"""

STAR: dict[str, Any] = {"marker": "*", "markersize": 14, "markeredgecolor": "white", "zorder": 5, "linestyle": ""}
"""The style of the star at the first evaluation that reaches the best loss of the first-order methods."""

X_LABELS = {"update": "updates", "seconds": "seconds of training"}
COLOURS_OF_SETS = {"train": FIRST_ORDER[0], "validation": SECOND_ORDER[0], "test": SECOND_ORDER[1]}
NAMES_OF_SETS = {"train": "training", "validation": "validation", "test": "test"}


def draw_losses(runs: Sequence[Run], path: Path, labels: Sequence[str] | None = None) -> None:
    """Draw the losses and accuracies of one run, or compare the losses of several runs.

    A picture of several runs has one row of axes per data set.

    labels: the labels of the runs in the legend. If None, each label describes the method of its run, the learning rate
            and the halving of the rate, and also the folder if labels would be equal. With labels, a single run is
            drawn in the layout for several runs.
    """
    if len(runs) == 1 and labels is None:
        _draw_one(runs[0], path)
    else:
        _draw_several(runs, path, _labels(runs) if labels is None else labels)


def _draw_one(run: Run, path: Path) -> None:
    """Draw losses and, for a classifier, accuracies against updates. Crosses show the final values on the test set."""
    kinds = ["loss", "accuracy"] if "train_accuracy" in (run.evaluations or [{}])[-1] else ["loss"]
    figure = new_figure(5.5 * len(kinds), 4.3)
    panels = np.ravel(figure.subplots(1, len(kinds)))
    for axes, kind in zip(panels, kinds, strict=True):
        if kind == "loss":
            batches = {"color": "#999999", "alpha": 0.5, "linewidth": 0.7, "label": "each batch"}
            axes.plot(*_curve(run.metrics[1:], "update", "loss"), **batches)
            label_decades(axes)
        for name in ("train", "validation"):
            _draw_set(axes, run, f"{name}_{kind}", color=COLOURS_OF_SETS[name], label=NAMES_OF_SETS[name])
        _draw_test(axes, run, kind)
        if run.best_update is not None:
            kept = "weights that are kept: lowest validation loss"
            axes.axvline(run.best_update, color=INK, linewidth=0.9, linestyle=":", label=kept)
        plain(axes, "updates", kind)
    drawn = {label: handle for axes in panels for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    add_legend(figure, handles=drawn.values(), labels=drawn.keys(), loc="outside lower center", ncols=5)
    set_title(figure, f"{data_of(run.options)}, {words_of(run)}; dashed: average of the weights")
    save(figure, path)


def _draw_set(axes: Any, run: Run, name: str, *, color: str, label: str) -> None:
    """Draw the loss or the accuracy `name` on one set: a curve at the weights, and a curve at their average."""
    records = [record for record in run.evaluations if name in record]
    for suffix, style, shown in (("", "-", label), ("_averaged", "--", None)):
        if records:
            points = _curve(records, "update", name + suffix)
            axes.plot(*points, color=color, linestyle=style, label=shown, marker=".", markersize=4)


def _draw_test(axes: Any, run: Run, kind: str) -> None:
    """Draw a cross for the loss or the accuracy on the test set, at the update whose weights the run keeps.

    The cross for the average of the weights is thinner.
    """
    last = run.metrics[-1] if run.metrics else {}
    x = run.updates if run.best_update is None else run.best_update
    for suffix, width, shown in (("", 1.8, NAMES_OF_SETS["test"]), ("_averaged", 0.8, None)):
        if (value := last.get(f"test_{kind}{suffix}")) is not None:
            style = {"marker": "x", "markersize": 6, "markeredgewidth": width, "linestyle": "", "zorder": 4}
            axes.plot([x], [value], color=COLOURS_OF_SETS["test"], label=shown, **style)


def _by_data(runs: Sequence[Run]) -> dict[str, list[int]]:
    """Return the indices of the runs of each data set."""
    chosen: dict[str, list[int]] = {}
    for i, run in enumerate(runs):
        chosen.setdefault(data_of(run.options), []).append(i)
    return chosen


def _labels(runs: Sequence[Run]) -> list[str]:
    """Return a label for each run. Two runs of one data set in different folders have different labels."""
    labels = dict.fromkeys(range(len(runs)), "")
    for chosen in _by_data(runs).values():
        labels.update(zip(chosen, labels_of([runs[i] for i in chosen]), strict=True))
    return list(labels.values())


def _draw_several(runs: Sequence[Run], path: Path, labels: Sequence[str]) -> None:
    by_data, colours = _by_data(runs), colours_of(runs, labels)
    held_out = any("validation_loss" in record for run in runs for record in run.evaluations)
    columns = 3 if held_out else 2
    figure = new_figure(5 * columns, 4.2 * len(by_data))
    grid = figure.subplots(len(by_data), columns, squeeze=False)
    for row, (data, chosen) in zip(grid, by_data.items(), strict=True):
        _draw_row(row, [(runs[i], labels[i], colours[i]) for i in chosen])
        row[0].set_title(escaped(data), loc="left", fontweight="bold", parse_math=False)
    lines = {label: line for axes in grid[:, 0] for line, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    shown = sorted(lines, key=lambda label: label not in labels)  # runs first, then reference lines and stars
    handles = [_without_run(lines[label]) for label in shown]
    add_legend(figure, handles=handles, labels=shown, loc="outside lower center", ncols=columns)
    set_title(figure, "solid: at the weights; dashed: at the average of the weights")
    save(figure, path)


def _without_run(line: Any) -> Any:
    """Return the line for the legend. A star of the legend is grey, since it belongs to no single run."""
    if line.get_marker() != STAR["marker"]:
        return line
    return library("matplotlib.lines").Line2D([], [], color="#999999", **STAR)


def _draw_row(row: Any, group: Sequence[tuple[Run, str, str]]) -> None:
    """Draw the training loss against updates and against seconds, and the validation loss if there is one."""
    runs = [run for run, *_ in group]
    best = best_first_order(runs)
    for axes, x, name in zip(
        row, ("update", "seconds", "update"), ("train_loss", "train_loss", "validation_loss"), strict=False
    ):
        floor = floor_of(runs, name)
        for run, label, color in group:
            _draw_curves(axes, run, x, name, floor, color=color, label=label)
        if best is not None and name == "train_loss":
            _mark_arrivals(axes, group, x, best, floor)
        label_decades(axes)
        kind = f"{NAMES_OF_SETS[name.removesuffix('_loss')]} loss"
        plain(axes, X_LABELS[x], f"{kind} above {floor:.4g},\nthe lowest of all runs" if floor else kind)


def floor_of(runs: Sequence[Run], name: str) -> float:
    """Return the lowest loss if the lowest losses of all runs are close to each other, and otherwise 0.

    The result is also 0 if fewer than two runs have a finite loss.
    """
    lowest = [min(found) for run in runs if (found := [lower_of(r, name) for r in run.evaluations if name in r])]
    finite = [loss for loss in lowest if np.isfinite(loss)]
    if len(finite) < 2 or max(finite) - min(finite) > CLOSE * abs(min(finite)):
        return 0.0
    return min(finite)


def _draw_curves(axes: Any, run: Run, x: str, name: str, floor: float, *, color: str, label: str) -> None:
    records = [record for record in run.evaluations if name in record]
    for suffix, style, shown in (("", {"linewidth": 1.6}, label), ("_averaged", {"linestyle": "--"}, None)):
        # without markers, the curve of a run with only one evaluation would be invisible
        options = {"color": color, "marker": ".", "markersize": 3, "linewidth": 1.0, **style}
        axes.plot(*_curve(records, x, name + suffix, floor), label=shown, **options)


def _mark_arrivals(axes: Any, group: Sequence[tuple[Run, str, str]], x: str, best: float, floor: float) -> None:
    """Draw a line at the best final loss of the first-order methods, and a star where a second-order run reaches it.

    Stars may lie close together, so a legend inside the axes contains the update or the time of each star. Nothing is
    drawn if the best loss is the floor, since a logarithmic axis has no zero.
    """
    if best <= floor:
        return
    words = best_loss_in_words([run for run, *_ in group])
    axes.axhline(best - floor, color=INK, linewidth=0.9, linestyle=":", label=words)
    places, texts = [], []
    for run, label, color in group:
        reached = arrival(run, best)
        if reached.updates is None or METHODS[run.options["method"]].first_order:
            continue
        record = next(record for record in run.evaluations if record["update"] == reached.updates)
        place, loss = float(record[x]), lower_of(record, "train_loss") - floor
        loss = loss if loss > 0 else best - floor
        places += axes.plot([place], [loss], color=color, label="first evaluation that reaches this loss", **STAR)
        texts.append(f"{label}: {f'{place:.0f} updates' if x == 'update' else f'{place:.3g} s'}")
    if places:
        add_legend(axes, handles=places, labels=texts, loc="best", frameon=True, edgecolor="none")


def _curve(records: list[Record], x: str, y: str, floor: float = 0.0) -> tuple[list[float], list[float]]:
    """Return the field x of each record, and its field y minus the floor.

    A field y that is None or at most the floor becomes a gap in the curve.
    """
    values = [np.nan if record[y] is None else record[y] - floor for record in records]
    return [record[x] for record in records], [value if value > 0 else np.nan for value in values]
