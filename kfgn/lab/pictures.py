"""Pictures of runs: losses against updates and time, and the reconstructions of an autoencoder."""

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._linearisation.passes import forward
from ..backends import open_backend
from .errors import library
from .files import write_atomically
from .metrics import Record
from .plain_text import escaped
from .run import Run
from .tasks import Task, open_task

LOSS, RECONSTRUCTIONS = "loss.png", "reconstructions.png"
SHOWN = 10
"""The number of images whose reconstructions are drawn."""


def draw_run(run: Run, task: Task | None = None) -> None:
    """Draw the pictures of a run in the folder of the run. Raises `OSError` if a picture cannot be written.

    task: the task of the run; None to load the task that the options name
    """
    draw_losses([run], run.folder / LOSS)
    if run.network().widths[0] == run.network().widths[-1] and run.updates:
        task = task or open_task(run.options["data"], run.options["data_folder"])
        _draw_reconstructions(run, task, run.folder / RECONSTRUCTIONS)


def draw_losses(runs: Sequence[Run], path: Path) -> None:
    """Draw the loss over the whole training set against updates and against seconds, each run in its own colour.

    Solid lines show the loss at the weights, and dashed lines the loss at their average. For a single run, pale lines
    show the loss of each batch.
    """
    figure = library("matplotlib.figure").Figure(figsize=(11, 4.5), layout="constrained")
    single, same_data = len(runs) == 1, len({run.options["data"] for run in runs}) == 1
    for axes, x in zip(figure.subplots(1, 2, sharey=True), ("update", "seconds"), strict=True):
        for i, run in enumerate(runs):
            label = "at the weights" if single else _title(run, with_data=not same_data)
            if single:
                batches = {"color": f"C{i}", "alpha": 0.3, "linewidth": 0.8, "label": "batches"}
                axes.plot(*_curve(run.metrics[1:], x, "loss"), **batches)
            _draw_evaluations(axes, run, x, color=f"C{i}", labels=(label, "at their average" if single else None))
        axes.set_yscale("log")
        axes.set_xlabel({"update": "updates", "seconds": "seconds of training"}[x])
        axes.grid(visible=True, which="both", alpha=0.2)
    figure.axes[0].set_ylabel("loss" if single else "loss over the training set")
    for text in figure.axes[0].legend().get_texts():
        text.set_parse_math(False)
    if single:
        _set_title(figure, f"{_title(runs[0])}: loss over the training set, and loss of each batch")
    else:
        _set_title(figure, f"{runs[0].options['data'] if same_data else 'several data sets'}; dashed: averaged weights")
    _save(figure, path)


def _draw_evaluations(axes: Any, run: Run, x: str, *, color: str, labels: tuple[str, str | None]) -> None:
    """Draw the loss over the training set, as a solid line at the weights and a dashed line at their average."""
    # a line without markers would not show a single evaluation
    points = {"color": color, "marker": ".", "markersize": 4}
    for y, label, style in zip(("train_loss", "train_loss_averaged"), labels, ("-", "--"), strict=True):
        axes.plot(*_curve(run.evaluations, x, y), **points, linestyle=style, label=label)


def _curve(records: list[Record], x: str, y: str) -> tuple[list[float], list[float]]:
    """Return the fields x and y of records.

    A y that is None, or 0 on the logarithmic axis, becomes a gap in the curve.
    """
    return [record[x] for record in records], [record[y] or np.nan for record in records]


def _title(run: Run, *, with_data: bool = True) -> str:
    options = run.options
    data = f"{options['data']}, " if with_data else ""
    rate = "" if options["learning_rate"] is None else f", learning rate {options['learning_rate']:.4g}"
    halving = "" if options["halving"] is None else f", halved every {options['halving']} updates"
    return escaped(f"{data}{options['method']}{rate}{halving}")


def _draw_reconstructions(run: Run, task: Task, path: Path) -> None:
    """Draw the first images of the data set above their reconstructions."""
    images = task.X[:SHOWN]
    outputs = _outputs(run, images)
    figure = library("matplotlib.figure").Figure(figsize=(SHOWN, 2.6), layout="constrained")
    grid = figure.subplots(2, len(images))
    shades = {"cmap": "gray", "vmin": float(images.min()), "vmax": float(images.max())}
    for row, pictures in zip(grid, (images, outputs), strict=True):
        for axes, picture in zip(row, pictures, strict=True):
            axes.imshow(picture.reshape(task.shape), **shades)
            axes.set_axis_off()
    _set_title(figure, f"{_title(run)}: images, and their reconstructions by the last checkpoint")
    _save(figure, path)


def _outputs(run: Run, images: NDArray[Any]) -> NDArray[Any]:
    """Return h_L of each image or, for the Bernoulli objective, the probabilities 1/2 + tanh(h_L / 2) / 2."""
    weights = run.weights()
    backend = open_backend("numpy")
    h = forward(backend.xp, run.network(), weights, images.astype(weights[0].dtype)).outputs
    return np.asarray(0.5 + 0.5 * np.tanh(h / 2) if run.network().objective == "bernoulli" else h)


def _set_title(figure: Any, title: str) -> None:
    """Set the title of a figure as plain text, in which $ does not start a formula."""
    figure.suptitle(escaped(title), parse_math=False)


def _save(figure: Any, path: Path) -> None:
    content = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # the font lacks a character
        figure.savefig(content, format="png", dpi=120)
    write_atomically(path, content.getvalue())
