"""Pictures of runs: how the loss fell, and what an autoencoder makes of its images."""

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
from .plain import plain
from .run_folder import Run
from .tasks import Task, open_task

LOSS, RECONSTRUCTIONS = "loss.png", "reconstructions.png"
SHOWN = 10
"""Images above their reconstructions."""


def draw_run(run: Run, task: Task | None = None) -> None:
    """The pictures of a run, in its folder; task: that of the run, if it is open already. Raises `OSError`."""
    draw_losses([run], run.folder / LOSS)
    if run.network().widths[0] == run.network().widths[-1] and run.updates:
        task = task or open_task(run.options["data"], run.options["data_folder"])
        _draw_reconstructions(run, task, run.folder / RECONSTRUCTIONS)


def draw_losses(runs: Sequence[Run], path: Path) -> None:
    """The loss over the whole training set against updates and against seconds, one colour to a run.

    Solid at the weights, dashed at their average; for a single run also the losses of its batches, pale.
    """
    figure = library("matplotlib.figure").Figure(figsize=(11, 4.5), layout="constrained")
    alike = len({run.options["data"] for run in runs}) == 1
    for axes, by, label in zip(
        figure.subplots(1, 2, sharey=True), ("update", "seconds"), ("updates", "seconds of training"), strict=True
    ):
        for i, run in enumerate(runs):
            if len(runs) == 1:
                axes.plot(
                    *_curve(run.metrics[1:], by, "loss"), color=f"C{i}", alpha=0.3, linewidth=0.8, label="batches"
                )
            name = "at the weights" if len(runs) == 1 else _title(run, with_data=not alike)
            points = {"color": f"C{i}", "marker": ".", "markersize": 4}  # a line alone hides that there is but one
            axes.plot(*_curve(run.evaluations, by, "train_loss"), **points, label=name)
            average = "at their average" if len(runs) == 1 else None
            axes.plot(*_curve(run.evaluations, by, "train_loss_averaged"), **points, linestyle="--", label=average)
        axes.set_yscale("log")
        axes.set_xlabel(label)
        axes.grid(visible=True, which="both", alpha=0.2)
    figure.axes[0].set_ylabel("loss" if len(runs) == 1 else "loss over the training set")
    for text in figure.axes[0].legend().get_texts():
        text.set_parse_math(False)
    if len(runs) == 1:
        _entitle(figure, f"{_title(runs[0])}; over the training set, and of its batches")
    else:
        _entitle(figure, f"{runs[0].options['data'] if alike else 'several data sets'}; dashed: averaged parameters")
    _save(figure, path)


def _curve(rows: list[dict[str, Any]], by: str, of: str) -> tuple[list[float], list[float]]:
    """What is null, or 0 on a logarithmic axis, is a gap."""
    return [row[by] for row in rows], [row[of] or np.nan for row in rows]


def _title(run: Run, *, with_data: bool = True) -> str:
    options = run.options
    data = f"{options['data']}, " if with_data else ""
    rate = "" if options["learning_rate"] is None else f", rate {options['learning_rate']:g}"
    halving = "" if options["halving"] is None else f", halved every {options['halving']}"
    return plain(f"{data}{options['method']}{rate}{halving}")


def _draw_reconstructions(run: Run, task: Task, path: Path) -> None:
    """The first images, above what the network makes of them."""
    images = task.X[:SHOWN]
    outputs = _outputs(run, images)
    figure = library("matplotlib.figure").Figure(figsize=(SHOWN, 2.6), layout="constrained")
    grid = figure.subplots(2, len(images))
    shades = {"cmap": "gray", "vmin": float(images.min()), "vmax": float(images.max())}
    for row, pictures in zip(grid, (images, outputs), strict=True):
        for axes, picture in zip(row, pictures, strict=True):
            axes.imshow(picture.reshape(task.shape), **shades)
            axes.set_axis_off()
    _entitle(figure, f"{_title(run)}: images, and what the weights of the last checkpoint make of them")
    _save(figure, path)


def _outputs(run: Run, images: NDArray[Any]) -> NDArray[Any]:
    """h_L of each image, for Bernoulli the probabilities: 1/2 + tanh(h_L / 2) / 2."""
    weights = run.weights()
    backend = open_backend("numpy")
    h = forward(backend.xp, run.network(), weights, images.astype(weights[0].dtype)).outputs
    return np.asarray(0.5 + 0.5 * np.tanh(h / 2) if run.network().objective == "bernoulli" else h)


def _entitle(figure: Any, title: str) -> None:
    """Set the title of a figure as plain text, where $ does not begin a formula."""
    figure.suptitle(plain(title), parse_math=False)


def _save(figure: Any, path: Path) -> None:
    content = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a character that the font lacks becomes a box
        figure.savefig(content, format="png", dpi=120)
    write_atomically(path, content.getvalue())
