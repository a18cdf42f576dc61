"""The pictures of a run: losses, dampings with step sizes, and the reconstructions of an autoencoder."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .figures import SECOND_ORDER, label_decades, new_figure, plain, save, set_title
from .loss_pictures import draw_losses
from .methods import DAMPING_OPTIONS, METHODS
from .options import Options
from .own_data import NPZ, task_of
from .run import Run
from .splitting import split
from .task import Task
from .tasks import TASKS
from .wording import data_of, words_of

LOSS, DAMPING, RECONSTRUCTIONS = "loss.png", "damping.png", "reconstructions.png"
DOTS = ("rho", "step_size")
"""The metrics that are drawn as dots, since a line between two dots would show values that no update has."""

SHOWN = 10
"""The largest number of images whose reconstructions are drawn."""


def draw_run(run: Run, task: Task | None = None) -> list[Path]:
    """Draw the pictures of a run in the folder of the run, and return their paths.

    task: the task of the run; None to load the task that the options name

    Raises `PictureError` if a picture cannot be written, and the errors of `task_of` if the task cannot be loaded.
    """
    drawn = [run.folder / LOSS]
    draw_losses([run], drawn[0])
    if not METHODS[run.options["method"]].first_order and run.updates:
        drawn.append(run.folder / DAMPING)
        _draw_damping(run, drawn[-1])
    network = run.network()
    if network.widths[0] == network.widths[-1] and run.updates and run.configuration["data"]["shape"] is not None:
        task = _named_task(run) if task is None else task
        if task is not None and task.reconstructs:
            drawn.append(run.folder / RECONSTRUCTIONS)
            _draw_reconstructions(run, task, drawn[-1])
    return drawn


def _named_task(run: Run) -> Task | None:
    """Load the task that the options of a run name. Return None if the run was trained on other data.

    A program may pass its own task to `train`, with any name for its data.
    """
    options = Options(**run.options)
    if options.data not in (*TASKS, NPZ):
        return None
    task = task_of(options)
    return task if split(task, options).digest() == run.configuration["data"]["sha256"] else None


def _draw_damping(run: Run, path: Path) -> None:
    """Draw tau, gamma, rho and |alpha| against updates.

    An update has no dot for rho if the update does not adapt tau, or if rho is not finite. A damping that the method
    does not use has a text instead of a curve.
    """
    figure = new_figure(10, 5.5)
    records = run.metrics[1:]
    unused = set(DAMPING_OPTIONS).difference(METHODS[run.options["method"]].options)
    panels = {
        "tau": ("tau, damping of the full matrix", True),
        "gamma": ("gamma, damping of the blocks", True),
        "rho": ("rho, reduction ratio (42)", False),
        "step_size": ("|alpha|, step size (40)", True),
    }
    for axes, (name, (label, logarithmic)) in zip(figure.subplots(2, 2, sharex=True).flat, panels.items(), strict=True):
        found = [(record["update"], record[name]) for record in records if record[name] is not None]
        if name in unused:
            axes.text(
                0.5, 0.5, f"{run.options['method']} has no {name}", ha="center", va="center", transform=axes.transAxes
            )
            axes.set_axis_off()
            continue
        values = [abs(value) if name == "step_size" else value for _, value in found]
        style = {"linestyle": "", "marker": ".", "markersize": 3} if name in DOTS else {"drawstyle": "steps-mid"}
        axes.plot([t for t, _ in found], values, color=SECOND_ORDER[0], linewidth=1.2, **style)
        if logarithmic and any(value > 0 for value in values):
            label_decades(axes)
        if name == "rho":
            axes.axhline(1, color="#999999", linewidth=0.8, linestyle=":")
        plain(axes, "updates" if name in ("rho", "step_size") else "", label)
    set_title(figure, f"{data_of(run.options)}, {words_of(run)}: dampings, reduction ratio and step size")
    save(figure, path)


def _draw_reconstructions(run: Run, task: Task, path: Path) -> None:
    """Draw ten images, or all images if there are fewer, above their reconstructions.

    The images are the first test images of a task with its own test set, and the first images of any other task.
    """
    images, row = (task.X, "images") if task.test is None else (task.test[0], "test images")
    images = images[:SHOWN]
    assert task.shape is not None
    figure = new_figure(len(images) + 1.4, 2.7)
    grid = figure.subplots(2, len(images), squeeze=False)
    shades = {"cmap": "gray", "vmin": float(images.min()), "vmax": float(images.max())}
    for axes_of_row, pictures, label in zip(grid, (images, _outputs(run, images)), (row, "outputs"), strict=True):
        for axes, picture in zip(axes_of_row, pictures, strict=True):
            axes.imshow(picture.reshape(task.shape), **shades)
            axes.set(xticks=[], yticks=[], frame_on=False)
        axes_of_row[0].set_ylabel(label, rotation=0, ha="right", va="center", labelpad=8)
    updates = run.updates if run.best_update is None else run.best_update
    set_title(figure, f"{data_of(run.options)}, {words_of(run)}, after {updates} updates")
    save(figure, path)


def _outputs(run: Run, images: NDArray[Any]) -> NDArray[Any]:
    """Return the reconstruction of each image: h_L, or the probabilities for the Bernoulli objective.

    The probabilities are 1/2 + tanh(h_L / 2) / 2.
    """
    h = run.outputs(images)
    return np.asarray(0.5 + 0.5 * np.tanh(h / 2) if run.network().objective == "bernoulli" else h)
