"""Training with the paper's optimiser in a bare loop, on a machine that lacks the packages of the trainer.

    python -m benchmarks.training --task mnist --backend torch-cuda --updates 200

The first lines have the loss of some updates, and the last line has the time of an update. The loop waits for the
device where it prints a line, before the first timed update and after the last update, and nowhere else. The data are
on the device before the first update.
"""

import argparse
import time
from collections.abc import Iterator
from typing import Any

import kfgn
from kfgn.lab.batches import Batches
from kfgn.lab.initialisation import initial_weights
from kfgn.lab.task import Task
from kfgn.lab.tasks import TASKS, open_task

from .calls import library_of
from .libraries import Library

LINES = 10
"""The number of lines with a loss."""

WARM = 20
"""The number of updates before the timed updates: one period of every heuristic of the optimiser."""


def training(task: Task, library: Library, updates: int, seed: int = 0) -> Iterator[str]:
    """The lines of a run with KFRA. Raises `RuntimeError` if a step is rejected."""
    optimiser = kfgn.GaussNewton(task.network)
    batches = Batches(len(task.X), task.batch or 256, seed)
    X = library.asarray(task.X)
    Y = X if task.Y is task.X else library.asarray(task.Y)
    with library.scope():
        state = optimiser.init(tuple(map(library.asarray, initial_weights(task.network, seed))))
        start = time.perf_counter()
        for t in range(1, updates + 1):
            rows = library.asarray(batches(t))
            state, info = optimiser.step(state, _rows(X, rows), _rows(Y, rows))
            if t == WARM:
                library.wait(state)
                start = time.perf_counter()
            if t == 1 or t % max(1, updates // LINES) == 0:
                yield f"update {t}: loss {float(info.loss):.4f}"
        library.wait(state)
        seconds = time.perf_counter() - start
        if rejected := int(state.counts.rejected):
            raise RuntimeError(f"steps: expected {updates} accepted steps, got {updates - rejected}")
    if updates > WARM:
        yield f"{1000 * seconds / (updates - WARM):.2f} ms per update after update {WARM}, on {library.name}"


def _rows(x: Any, rows: Any) -> Any:
    return x[rows, ...]


def main(argv: list[str] | None = None) -> None:
    """Train, and print the lines."""
    p = argparse.ArgumentParser(prog="python -m benchmarks.training", description="Train, and print the loss.")
    p.add_argument("--task", choices=TASKS, default="mnist", help="The task of kfgn.lab (default: mnist).")
    p.add_argument("--backend", default="torch", help="The backend (default: torch).")
    p.add_argument("--updates", type=int, default=200, help="The number of updates (default: 200).")
    given = p.parse_args(argv)
    for line in training(open_task(given.task), library_of(given.backend, "float32"), given.updates):
        print(line, flush=True)  # noqa: T201  (the result)


if __name__ == "__main__":
    main()
