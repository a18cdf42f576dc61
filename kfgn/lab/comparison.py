"""Several methods on one task: the same start, batches, library and threads, one after the other."""

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from .._words import shown
from .errors import RunFailedError, UsageError
from .methods import METHODS, checked_method, make_optimiser
from .options import OF_THE_METHOD, Options, checked_instance, checked_path, usage
from .pictures import draw_losses
from .run_folder import Run, is_run
from .tasks import open_task
from .trainer import resume, train
from .watch import Watch, checked_watch

PICTURE = "comparison.png"


def compare(options: Options, methods: Sequence[str], out: str | Path, *, watch: Watch | None = None) -> list[Run]:
    """Train by each of the methods, in a folder of its name below `out`, and draw them together there.

    options: of every run; each method takes what it knows of `OF_THE_METHOD`, and `options.method` is not looked at.
    methods: names, or NAME:RATE for a first-order method with a learning rate of its own, in a folder NAME-RATE.
    What is there already of an earlier call is gone on with. Raises as `train` and `resume` do, before the first run
    if the options are at fault, and `UsageError` for an option that none of the methods takes.
    """
    folder = Path(usage(checked_path, "out", out))
    checked_instance("options", options, Options)
    methods, watch = _checked_methods(methods), checked_watch(watch)
    each = {name.replace(":", "-"): _for_method(options, name) for name in methods}
    for name in OF_THE_METHOD:
        value = getattr(options, name)
        if value is not None and all(getattr(one, name) != value for one in each.values()):
            raise UsageError(f"{name}: expected an option of one of {', '.join(methods)}, and none takes it")
    task = open_task(options.data, options.data_folder)
    for one in each.values():
        make_optimiser(task.network, one)
    runs = []
    for name, one in each.items():
        place = folder / name
        if is_run(place):
            runs.append(resume(place, _given(one), watch=watch, task=task))
        else:
            runs.append(train(one, place, watch=watch, task=task))
    try:
        draw_losses(runs, folder / PICTURE)
    except OSError as error:
        raise RunFailedError(f"{error.filename} could not be written: {error.strerror}") from error
    return runs


def _checked_methods(methods: Sequence[str]) -> list[str]:
    if not isinstance(methods, tuple | list) or not methods or not all(isinstance(name, str) for name in methods):
        raise UsageError(f"methods: expected a tuple or list of names such as 'kfra', got {shown(methods)}")
    return list(methods)


def _for_method(options: Options, asked: str) -> Options:
    name, colon, rate = asked.partition(":")
    takes = checked_method(name, "methods").takes
    without: dict[str, None] = {option: None for option in OF_THE_METHOD if option not in takes}
    one = dataclasses.replace(options, method=name, **without)  # type: ignore[arg-type]
    if not colon:
        return one
    if "learning_rate" not in takes:
        raise UsageError(f"methods: expected no learning rate for {name}, got {shown(asked)}")
    try:
        return dataclasses.replace(one, learning_rate=float(rate))
    except ValueError as error:
        raise UsageError(f"methods: expected a learning rate after the colon, got {shown(asked)}") from error


def _given(options: Options) -> dict[str, object]:
    """Without what is None, which the run has resolved."""
    return {name: value for name, value in dataclasses.asdict(options).items() if value is not None}


class Arrival(NamedTuple):
    """When a run first had a loss that was asked for: null where it never had."""

    updates: int | None
    seconds: float | None


def best_first_order(runs: Sequence[Run]) -> float | None:
    """The least final loss, at the weights or their average, that a first-order method came to; None without any."""
    finals = [
        loss
        for run in runs
        if METHODS[run.options["method"]].first_order
        for loss in (run.final(), run.final(averaged=True))
        if not math.isnan(loss)
    ]
    return min(finals, default=None)


def arrival(run: Run, loss: float) -> Arrival:
    """The first evaluation of the run with a loss, at the weights or their average, that is no larger."""
    for row in run.evaluations:
        found = [value for value in (row["train_loss"], row["train_loss_averaged"]) if value is not None]
        if found and min(found) <= loss:
            return Arrival(row["update"], row["seconds"])
    return Arrival(None, None)
