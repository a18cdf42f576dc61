"""Comparison of methods on one task, by one run per method.

`compare` trains the runs one after the other in one process. All runs have the same initial weights, batches, array
library and number of threads.
"""

import contextlib
import dataclasses
from collections.abc import Sequence
from pathlib import Path

from .._words import shown
from .arguments import check_instance, checked_path, with_usage_error
from .comparison_folder import folder_of, write_comparison
from .errors import PictureError, RejectedStepsError, RunFailedError, UsageError
from .loss_pictures import draw_losses
from .methods import checked_method
from .options import METHOD_OPTIONS, Options
from .own_data import task_of
from .run import Run
from .run_folder import check_new, is_run, read_run
from .setup import set_up
from .task import Task
from .trainer import resume, set_up_to_resume, train
from .watch import Callbacks, Watch, checked_watch

PICTURE = "comparison.png"


def compare(
    options: Options,
    methods: Sequence[str],
    out: str | Path,
    *,
    watch: Callbacks = None,
    task: Task | None = None,
) -> list[Run]:
    """Train a network by several methods, and draw their losses in one picture.

    Parameters
    ----------
    options : Options
        The options of every run. A method ignores the options that it does not have. `options.method` is not used.
    methods : tuple or list of str
        Names of methods in `METHODS`. A learning rate may follow the name of a first-order method, as in "adam:0.01".
    out : path
        The folder of the comparison. `compare` makes a subfolder for the run of each method, for example `kfra` or
        `adam-0.01`. `compare` also writes the picture `comparison.png`, and the file `comparison.json` with the methods
        and options of this call. Unfinished runs of an earlier call are resumed, and finished runs are kept.
    watch : Watch, function, or list of them, optional
        Callbacks that observe the runs. A function is called with the record of each update.
    task : Task, optional
        The network and the data. With task=None, `options.data` names the task.

    Returns
    -------
    list of Run
        The runs, in the order of the methods.

    Raises
    ------
    UsageError
        An argument is not valid, or none of the methods uses an option that was given. `compare` checks its arguments
        before it writes a file into `out`. Missing files of the data set may be downloaded earlier. A `UsageError` is
        also raised if a run of an earlier call cannot be resumed with these arguments, or if another process trains in
        the folder of a run.
    DataUnavailableError, BackendUnavailableError
        The data or the backend cannot be opened.
    RunFailedError
        A run could not continue or was interrupted, or a file could not be written. If too many steps of a run were
        rejected, or if one of its pictures could not be written, `compare` trains by the other methods before it raises
        the error.

    Examples
    --------
    >>> import tempfile
    >>> from kfgn.lab import Options, compare
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     runs = compare(Options("digits", updates=2), ["kfra", "adam:0.01"], folder)
    >>> [run.folder.name for run in runs]
    ['kfra', 'adam-0.01']
    >>> runs[0].final() < runs[1].final()
    True
    """
    folder = Path(with_usage_error(checked_path, "out", out))
    check_instance("options", options, Options)
    _check_place(folder)
    methods, watch = _checked_methods(methods), checked_watch(watch)
    each = {folder_of(name): _for_method(options, name) for name in methods}
    for name in METHOD_OPTIONS:
        value = getattr(options, name)
        if value is not None and all(getattr(one, name) != value for one in each.values()):
            users = f"none of {', '.join(methods)} uses this value"
            raise UsageError(f"{name}: expected no value, since {users}, got {value}")
    if task is None:
        task = task_of(options, watch.on_preparation)
    else:
        check_instance("task", task, Task)
    for name, one in each.items():  # errors in the options are raised before the first run
        if is_run(folder / name):
            set_up_to_resume(folder / name, _given(one), task, watch)
        else:
            check_new(folder / name)
            set_up(one, task)
    runs: list[Run] = []
    rejected: list[RejectedStepsError] = []
    pictures: list[PictureError] = []
    try:
        write_comparison(folder, methods, options)
        for name, one in each.items():
            try:
                runs.append(_trained(folder / name, one, watch, task))
            except RejectedStepsError as error:
                rejected.append(error)
                runs.append(read_run(folder / name))
            except PictureError as error:
                pictures.append(error)
                runs.append(read_run(folder / name))
        draw_losses(runs, folder / PICTURE)
    except PictureError as error:
        pictures.append(error)
    except OSError as error:
        raise RunFailedError(f"{error.filename} could not be written: {error.strerror}") from error
    message = "; ".join(map(str, (*rejected, *pictures)))
    if rejected:
        raise RejectedStepsError(message)
    if pictures:
        raise PictureError(message, folder if len(pictures) > 1 else pictures[0].folder)
    return runs


def _check_place(folder: Path) -> None:
    """Raise `UsageError` for the folder of a run, whose files would be mixed with those of the comparison."""
    if is_run(folder):
        raise UsageError(f"out: {folder} is the folder of a run; choose another folder")


def _trained(folder: Path, options: Options, watch: Watch, task: Task) -> Run:
    """Resume the run in the folder, or start the run."""
    if is_run(folder):
        return resume(folder, _given(options), watch=watch, task=task)
    return train(options, folder, watch=watch, task=task)


def _checked_methods(methods: Sequence[str]) -> list[str]:
    if not isinstance(methods, tuple | list) or not methods or not all(isinstance(name, str) for name in methods):
        raise UsageError(f"methods: expected a tuple or list of names such as 'kfra', got {shown(methods)}")
    names = [_with_number(name) for name in methods]
    for name, plain in zip(methods, names, strict=True):
        if names.count(plain) > 1:
            raise UsageError(f"methods: expected each method once, got {shown(name)} {names.count(plain)} times")
    return list(methods)


def _with_number(name_and_rate: str) -> tuple[str, float | str]:
    """Return the name of a method and its learning rate as a number, so that adam:0.1 and adam:0.10 are equal."""
    name, _, rate = name_and_rate.partition(":")
    with contextlib.suppress(ValueError):  # another check reports a rate that is not a number
        return name, float(rate)
    return name, rate


def _for_method(options: Options, name_and_rate: str) -> Options:
    """Return the options for one method and its learning rate. An option that the method does not have is None."""
    name, colon, rate = name_and_rate.partition(":")
    known = checked_method(name, "methods").options
    without: dict[str, None] = {option: None for option in METHOD_OPTIONS if option not in known}
    one = dataclasses.replace(options, method=name, **without)  # type: ignore[arg-type]
    if not colon:
        return one
    if "learning_rate" not in known:
        raise UsageError(f"methods: expected no learning rate for {name}, got {shown(name_and_rate)}")
    try:
        return dataclasses.replace(one, learning_rate=float(rate))
    except ValueError as error:
        raise UsageError(f"methods: expected a learning rate after the colon, got {shown(name_and_rate)}") from error


def _given(options: Options) -> dict[str, object]:
    """Return the options that are not None.

    In the configuration of a started run, defaults have replaced None, so `resume` would refuse None as a change.
    """
    return {name: value for name, value in dataclasses.asdict(options).items() if value is not None}
