"""The command `kfgn`: train networks, compare methods, and show runs and backends."""

import contextlib
import json
import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..backends import BackendUnavailableError
from .command_errors import in_words_of_the_command
from .command_line import parser
from .comparison import PICTURE, compare
from .comparison_folder import Comparison, comparisons_in, read_comparison, runs_in
from .data import DataUnavailableError
from .errors import InterruptedRunError, PictureError, RejectedStepsError, RunFailedError, UsageError, library
from .files import resolved
from .loss_pictures import draw_losses
from .next_commands import compare_command, resume_command, show_command
from .options import Options
from .output import UnwrittenError, print_error, standard_output
from .own_data import NPZ
from .pictures import draw_run
from .progress import progress_on
from .results import lines_of_comparison, lines_of_run, print_lines, summary_of
from .run import Run
from .run_folder import is_run, read_run
from .states import lines_of_states
from .tables import print_backends, print_runs
from .tasks import TASKS
from .tensorboard import TensorBoard
from .trainer import resume, train
from .watch import Watch

DONE, FAILED, USAGE, UNWRITTEN, INTERRUPTED = 0, 1, 2, 4, 130
"""The exit statuses."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command `kfgn`, and return the exit status."""
    try:
        with standard_output():
            return _run(vars(parser().parse_args(arguments)))
    except KeyboardInterrupt:  # for example, a second Ctrl-C while the message about the first is printed
        _ignore_interrupts()
        return INTERRUPTED
    except UnwrittenError as error:
        if error.reader_left:
            return DONE
        return _failed(f"standard output could not be written: {error.strerror}", UNWRITTEN)


def _run(given: dict[str, Any]) -> int:
    commands = {"train": _train, "compare": _compare, "show": _show, "backends": _backends}
    command = given.pop("command")
    if command is None:
        parser().print_help()
        return DONE
    out: Any = given.get("out")
    try:
        commands[command](given)
    except InterruptedRunError as error:
        return _failed(f"{error}{_how_to_continue(command, out)}", INTERRUPTED)
    except RejectedStepsError as error:
        return _failed(f"{error}; to show the results: {show_command(out)}", FAILED)
    except PictureError as error:
        advice = "" if command == "show" else f"; to draw it: {show_command(error.folder)} --draw"
        return _failed(f"{error}{advice}", FAILED)
    except RunFailedError as error:
        return _failed(error, FAILED)
    except (UsageError, DataUnavailableError, BackendUnavailableError) as error:
        return _failed(in_words_of_the_command(str(error)), USAGE)
    except UnwrittenError:
        raise
    except OSError as error:
        return _failed(f"{error.filename}: {error.strerror}" if error.filename else error, FAILED)
    except MemoryError as error:
        return _failed(f"out of memory: {error}", FAILED)
    except KeyboardInterrupt:
        _ignore_interrupts()
        return _failed(f"stopped{_how_to_continue(command, out)}", INTERRUPTED)
    return DONE


def _ignore_interrupts() -> None:
    """Ignore further signals of Ctrl-C, so that the command ends with its own exit status."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _how_to_continue(command: str, out: Path | None) -> str:
    """Return the end of a message: the command that continues the run or the comparison, or "" if none was started."""
    if command == "train" and out is not None and is_run(out):
        return f"; to continue: {resume_command(out)}"
    with contextlib.suppress(UsageError):  # `compare` was stopped before it replaced a damaged file
        if command == "compare" and out is not None and (comparison := read_comparison(out)) is not None:
            return f"; to continue: {compare_command(comparison)}"
    return ""


def _failed(reason: object, status: int) -> int:
    """Print the reason of a failure, and return the exit status."""
    print_error(f"kfgn: {'' if status == INTERRUPTED else 'error: '}{reason}")
    return status


def _terminals() -> tuple[Any, Any]:
    """Return consoles on standard output and on standard error."""
    library("rich.console")
    from .terminal import Terminal

    return Terminal(), Terminal(stderr=True)


def _name_data(given: dict[str, Any]) -> None:
    """Set the option `data` to "npz" if --npz is given.

    Raises `UsageError` unless exactly one of --data and --npz is given.
    """
    if "npz" in given:
        if "data" in given:
            raise UsageError(f"data, npz: expected only one of them, got {given['data']} and {given['npz']}")
        given["data"] = NPZ
    if "data" not in given:
        raise UsageError(f"data: expected one of {', '.join(TASKS)}, or an .npz file, got none")


def _watches(given: dict[str, Any]) -> list[Watch]:
    """Return a list that contains the watch for TensorBoard if --tensorboard is given, and that is empty otherwise."""
    return [TensorBoard()] if given.pop("tensorboard") else []


class _Start(Watch):
    """A watch that remembers the number of updates with which a run started."""

    updates: int | None = None

    def on_start(self, options: Options, updates: int, seconds: float, folder: Path) -> None:  # noqa: ARG002
        """Remember the number."""
        self.updates = updates


def _train(given: dict[str, Any]) -> None:
    console, log = _terminals()
    out, resumed, watches = given.pop("out"), given.pop("resume"), _watches(given)
    start, failure = _Start(), None
    if not resumed:
        _name_data(given)
    with progress_on(log, quiet=given.pop("quiet")) as progress:
        watch = [progress, start, *watches]
        try:
            run = resume(out, given, watch=watch) if resumed else train(Options(**given), out, watch=watch)
        except PictureError as error:
            failure, run = error, read_run(out)
    print_runs([run], console)
    print_lines(lines_of_run(run, start.updates if resumed else None), console)
    if failure is not None:  # the results are printed before the error
        raise failure


def _compare(given: dict[str, Any]) -> None:
    console, log = _terminals()
    out, methods, watches = given.pop("out"), given.pop("methods"), _watches(given)
    _name_data(given)
    failure: RunFailedError | None = None  # the tables of all runs are printed before the error
    with progress_on(log, quiet=given.pop("quiet"), several=True) as progress:
        try:
            compare(Options(**given), methods, out, watch=[progress, *watches])
        except (RejectedStepsError, PictureError) as error:
            failure = error
    comparison = _comparison(out)
    runs = [read_run(place) for place in comparison.places]
    print_runs(runs, console)
    print_lines(lines_of_comparison(comparison, runs, out / PICTURE), console)
    if failure is not None:
        raise failure


def _comparison(out: Path) -> Comparison:
    """Return the comparison that `compare` has written into a folder."""
    comparison = read_comparison(out)
    assert comparison is not None
    return comparison


def _show(given: dict[str, Any]) -> None:
    console, _ = _terminals()
    runs = [run for folder in given["runs"] for run in runs_in(folder)]
    comparisons = [comparison for folder in given["runs"] for comparison in comparisons_in(folder)]
    failure: Exception | None = None  # the results are printed even if a picture cannot be drawn
    drawn: list[Path] = []
    try:
        drawn = _drawn(runs, given) if runs and (given["draw"] or given["out"]) else []
    except (DataUnavailableError, UsageError, PictureError) as error:
        failure = error
    if given["json"]:
        console.print(json.dumps([summary_of(run) for run in runs]), soft_wrap=True)
    elif runs:
        print_runs(runs, console)
    if not given["json"]:
        print_lines(lines_of_states(runs, comparisons), console)
    if failure is not None:
        raise failure
    if given["json"]:
        return
    for path in drawn:
        console.print(f"picture: {resolved(path)}", soft_wrap=True)


def _drawn(runs: Sequence[Run], given: dict[str, Any]) -> list[Path]:
    """Draw all pictures of a single run, or one picture of the losses of all runs, and return the paths.

    With several runs or with --out, only the picture of the losses is drawn.
    """
    if len(runs) == 1 and given["out"] is None:
        return draw_run(runs[0])
    first = given["runs"][0]
    common = first.resolve().parent if is_run(first) else first
    path = resolved(given["out"] or common / PICTURE)
    draw_losses(runs, path)
    return [path]


def _backends(_given: dict[str, Any]) -> None:
    print_backends(_terminals()[0])
