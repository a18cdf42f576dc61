"""The pictures of docs/experiments, drawn from the recorded evaluations.

    python benchmarks/redraw.py docs/experiments/mnist docs/experiments/curves docs/experiments/faces
    python benchmarks/redraw.py docs/experiments/mnist --readme docs/experiments/mnist/readme.png

Each folder of a run has `configuration.json`, and `evaluations.jsonl` with the lines of `metrics.jsonl` that have an
evaluation.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from headline import full_runs, labels

from kfgn.lab import Run
from kfgn.lab.arrivals import arrival, best_first_order
from kfgn.lab.early_stopping import lower_of
from kfgn.lab.figures import FIRST_ORDER, INK, SECOND_ORDER, new_figure, plain, save
from kfgn.lab.loss_pictures import draw_losses

LOWEST, HIGHEST = 50.0, 100.0
"""The range of losses in the picture of the README."""


def recorded(folder: Path) -> Run:
    """Read a recorded run, of any format of run folders."""
    configuration = json.loads((folder / "configuration.json").read_text())
    lines = (folder / "evaluations.jsonl").read_text().splitlines()
    return Run(folder, configuration, [json.loads(line) for line in lines])


def draw_readme(adam: Run, kfra: Run, path: Path) -> None:
    """Draw KFRA against the best Adam: the loss over the training set against minutes."""
    figure = new_figure(8.3, 3.9)
    axes = figure.subplots()
    loss = best_first_order([adam])
    assert loss is not None
    axes.axhline(loss, color=INK, linewidth=0.9, linestyle=":")
    reached = []
    for run, color in zip((adam, kfra), (FIRST_ORDER[0], SECOND_ORDER[0]), strict=True):
        minutes = [record["seconds"] / 60 for record in run.evaluations]
        axes.plot(minutes, [lower_of(record, "train_loss") for record in run.evaluations], color=color, linewidth=2.4)
        seconds = arrival(run, loss).seconds
        assert seconds is not None
        reached.append(seconds / 60)
        axes.plot(reached[-1:], [loss], marker="o", markersize=8, color=color, markeredgecolor="white", zorder=5)
    _annotate(axes, loss, *reached)
    axes.set(yscale="log", ylim=(LOWEST, HIGHEST), xlim=(0, 20.5), xticks=range(0, 21, 5))
    axes.set_yticks([50, 60, 70, 80, 90, 100], ["50", "60", "70", "80", "90", "100"])
    axes.minorticks_off()
    plain(axes, "minutes of training on two CPU cores", "loss over the training set of MNIST")
    save(figure, path)


def _annotate(axes: Any, loss: float, slow: float, fast: float) -> None:
    """Name the curves, and draw the difference of the times that they need to reach the best loss of Adam."""
    bold = {"fontsize": 12, "fontweight": "bold"}
    axes.text(5.9, 60.2, "Adam, the best rate, halved at each quarter", color=FIRST_ORDER[0], **bold)
    axes.text(0.25, 55.2, "KFRA", color=SECOND_ORDER[0], **bold)
    arrow = {"arrowstyle": "<->", "color": INK, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (fast, loss * 0.975), (slow, loss * 0.975), arrowprops=arrow)
    text = f"KFRA reaches the final loss of Adam {slow / fast:.1f} times sooner"
    axes.text((slow + fast) / 2, loss * 0.965, text, color=INK, ha="center", va="top", fontsize=11)


def main() -> None:
    """Draw the pictures."""
    parser = argparse.ArgumentParser(description="Draw the pictures of recorded experiments again.")
    parser.add_argument("folders", nargs="+", type=Path, help="Folders of the experiments of headline.py.")
    parser.add_argument("--readme", type=Path, help="Draw KFRA against the best Adam of the first folder in this file.")
    given = parser.parse_args()
    for folder in given.folders:
        runs = [recorded(place.parent) for place in sorted(folder.glob("*/evaluations.jsonl"))]
        shown = full_runs(runs)
        draw_losses(shown, folder / "headline.png", labels(shown))
        if given.readme and folder == given.folders[0]:
            draw_readme(shown[0], shown[-1], given.readme)


if __name__ == "__main__":
    main()
