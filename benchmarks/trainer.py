"""The step in the trainer: the time of a step of `kfgn.lab.train` over that of the same step in a bare loop.

A step of the trainer also selects its batch, reads its diagnostics from the device and writes them to a file. The
evaluations of the whole training set, which the trainer makes every few steps, are not part of a step.
"""

import statistics
import tempfile
from typing import Any

import numpy as np

import kfgn
from kfgn.lab import Options, Task, train

from .batch import Batch, batch
from .calls import library_of
from .rows import Row
from .settings import Settings
from .sizes import AUTOENCODER, Sizes
from .timing import ratio, repeated
from .work import STEPS, steps_of

SIZES = Sizes(AUTOENCODER, 1000)
QUICK = Sizes((20, 30, 10, 30, 20), 50)

DATAPOINTS = 3
"""The number of datapoints of the task, as a multiple of N. The trainer splits off 3 in 10 for validation and test."""


def step_in_trainer(settings: Settings) -> list[Row]:
    """Two rows for each backend: the step in a bare loop, and the step in the trainer."""
    rows = []
    for name in settings.backends:
        b = batch(library_of(name, settings.dtype), QUICK if settings.quick else SIZES)
        bare = steps_of(kfgn.GaussNewton(b.network), b)
        task = _task(b)
        bare(), _trained(b, task, settings)  # compile, and fill caches
        times = [
            (repeated(bare, 1, settings.time) / STEPS, _trained(b, task, settings)) for _ in range(settings.rounds)
        ]
        without, within = zip(*times, strict=True)
        rows += [
            Row("trainer", "KFRA step", name, statistics.median(without)),
            Row(
                "trainer",
                "KFRA step in the trainer",
                name,
                statistics.median(within),
                {"over bare step": ratio(within, without)},
            ),
        ]
    return rows


def _task(b: Batch) -> Task:
    """An autoencoder of random datapoints, whose batches have the shapes of b."""
    X = np.random.default_rng(0).random((DATAPOINTS * b.N, b.network.widths[0])).astype(b.library.dtype)
    return Task("random", b.network, X, X)


def _trained(b: Batch, task: Task, settings: Settings) -> float:
    """The mean time of the first steps of a run, from the record before them to the record of the last of them.

    The run has one step more, since the trainer evaluates the weights with its last step.
    """
    moments: dict[int, float] = {}

    def observe(record: dict[str, Any]) -> None:
        moments[record["update"]] = settings.time()

    options = Options(
        task.name,
        method="kfra",
        backend=b.library.name,
        dtype=b.library.dtype,
        updates=STEPS + 1,
        batch=b.N,
        evaluate_every=STEPS + 1,
    )
    with tempfile.TemporaryDirectory() as folder:
        train(options, folder, watch=observe, task=task)
    return (moments[STEPS] - moments[0]) / STEPS
