"""The command `kfgn`: train networks by the paper's methods, compare them, and look at runs."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from .._algebra.damping import INVERSIONS
from ..backends import BACKENDS, BackendUnavailableError
from .comparison import PICTURE, compare
from .data import DataUnavailableError
from .errors import RunFailedError, UsageError, library
from .files import resolved
from .methods import METHODS
from .options import DTYPES, Options, checked_path
from .output import Parser, UnwrittenError, standard_output, tell
from .pictures import LOSS, draw_losses, draw_run
from .progress import Progress
from .run_folder import is_run, runs_in
from .tables import print_backends, print_runs
from .tasks import TASKS
from .trainer import InterruptedRunError, resume, train

FINE, FAILED, USAGE, UNWRITTEN, INTERRUPTED = 0, 1, 2, 4, 130

GOES_ON = {"train": "--resume goes on from there", "compare": "the same command goes on from there"}

OPTIONS: dict[str, tuple[Callable[[str], Any], str, str]] = {
    "data": (str, "NAME", f"one of {', '.join(TASKS)}"),
    "method": (str, "NAME", f"one of {', '.join(METHODS)} (default: kfra)"),
    "backend": (str, "NAME", f"one of {', '.join(BACKENDS)} (default: numpy)"),
    "device": (str, "NAME", "cpu or cuda (default: the backend's first)"),
    "dtype": (str, "NAME", f"one of {', '.join(DTYPES)} (default: float32)"),
    "updates": (int, "N", "how many; this or --seconds, whichever is first"),
    "seconds": (float, "S", "how long, evaluations and writing aside"),
    "batch": (int, "N", "datapoints in a step (default: 1000; digits 256)"),
    "seed": (int, "N", "of start, batches and draws (default: 0)"),
    "samples": (int, "S", "for each datapoint: kfac, rp"),
    "average": (float, "X", "what the averaged curvature keeps of earlier batches: kflr, kfra, kfac, rp"),
    "inversion": (str, "NAME", f"of the damped blocks, one of {', '.join(INVERSIONS)}: the same"),
    "refresh": (int, "N", "compute the curvature every N steps: the same"),
    "tau": (float, "X", "start of the damping of the full matrix: second order"),
    "gamma": (float, "X", "start of the damping of the blocks: second order but hessian_free"),
    "eta": (float, "X", "weight of L2"),
    "learning_rate": (float, "X", "first order; sgd, momentum and nesterov need it"),
    "halving": (int, "N", "halve the learning rate every so many steps: first order"),
    "evaluate_every": (int, "N", "steps between evaluations on the whole training set (default: 50)"),
    "checkpoint_every": (int, "N", "steps between checkpoints (default: 50; and when 30 seconds are not saved)"),
    "patience": (int, "N", "rejected steps in a row that end the run (default: 20)"),
    "data_folder": (str, "FOLDER", "where the files of a data set are (default: KFGN_DATA, or downloaded)"),
}


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = Parser(
        prog="kfgn",
        description="Train networks by the methods of the paper and by those that it compares with.",
        epilog="Exit status: 0 done, 1 a run or a file failed, 2 wrong usage or a file that is not what it should be, "
        "4 standard output could not be written, 130 interrupted.",
    )
    commands = top.add_subparsers(dest="command", required=True)

    one = commands.add_parser("train", help="train a network", description="Train a network, or go on with its run.")
    _add_options(one)
    one.add_argument("--out", type=_path, required=True, metavar="FOLDER", help="the folder of the run, new or empty")
    one.add_argument("--resume", action="store_true", help="go on with the run in it, with the options it has")

    several = commands.add_parser(
        "compare",
        help="train it by several methods",
        description="Train a network by several methods from one start. What is there of an earlier call goes on.",
    )
    several.add_argument(
        "--methods",
        nargs="+",
        required=True,
        metavar="NAME[:RATE]",
        help=f"of {', '.join(METHODS)}; RATE is a learning rate of its own",
    )
    _add_options(several, without="method")
    several.add_argument("--out", type=_path, required=True, metavar="FOLDER", help="has a folder for each run")

    show = commands.add_parser(
        "show", help="print and redraw runs", description="Print runs, and redraw one's pictures or several together."
    )
    show.add_argument(
        "runs", nargs="+", type=Path, metavar="RUN", help="the folder of a run, or one that holds runs and comparisons"
    )
    show.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help=f"the picture (default: {LOSS} in the run's folder; {PICTURE} in the folder of several)",
    )

    commands.add_parser("backends", help="array libraries and devices that are usable here, and why others are not")
    return top


def _path(text: str) -> Path:
    """The path in an option, which must not be empty."""
    try:
        return Path(checked_path("path", text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _add_options(command: argparse.ArgumentParser, without: str = "") -> None:
    """Those of `Options`; what is not given is absent."""
    for field in fields(Options):
        if field.name != without:
            kind, metavar, text = OPTIONS[field.name]
            flag = "--" + field.name.replace("_", "-")
            command.add_argument(flag, type=kind, metavar=metavar, help=text, default=argparse.SUPPRESS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    try:
        with standard_output():
            return _run(vars(parser().parse_args(arguments)))
    except UnwrittenError as error:
        return _told(f"standard output could not be written: {error.strerror}", UNWRITTEN)


def _run(given: dict[str, Any]) -> int:
    commands = {"train": _train, "compare": _compare, "show": _show, "backends": _backends}
    command = given.pop("command")
    try:
        commands[command](given)
    except InterruptedRunError as error:
        return _told(f"{error}; {GOES_ON[command]}", INTERRUPTED)
    except RunFailedError as error:
        return _told(error, FAILED)
    except (UsageError, DataUnavailableError, BackendUnavailableError) as error:
        return _told(error, USAGE)
    except UnwrittenError:
        raise
    except OSError as error:
        return _told(f"{error.filename}: {error.strerror}" if error.filename else error, FAILED)
    except MemoryError as error:
        return _told(f"out of memory: {error}", FAILED)
    except KeyboardInterrupt:
        return _told("interrupted", INTERRUPTED)
    return FINE


def _told(what: object, status: int) -> int:
    tell(f"kfgn: {'' if status == INTERRUPTED else 'error: '}{what}")
    return status


def _terminals() -> tuple[Any, Any]:
    """Consoles on standard output and on standard error."""
    library("rich.console")
    from .terminal import Terminal

    return Terminal(), Terminal(stderr=True)


def _train(given: dict[str, Any]) -> None:
    console, log = _terminals()
    out, resumed = given.pop("out"), given.pop("resume")
    if not resumed and "data" not in given:
        raise UsageError(f"data: expected one of {', '.join(TASKS)}, got none")
    with Progress(log) as watch:
        run = resume(out, given, watch=watch) if resumed else train(Options(**given), out, watch=watch)
    print_runs([run], console)


def _compare(given: dict[str, Any]) -> None:
    console, log = _terminals()
    out, methods = given.pop("out"), given.pop("methods")
    if "data" not in given:
        raise UsageError(f"data: expected one of {', '.join(TASKS)}, got none")
    with Progress(log) as watch:
        runs = compare(Options(**given), methods, out, watch=watch)
    print_runs(runs, console)
    console.print(f"drawn: {out / PICTURE}", soft_wrap=True)


def _show(given: dict[str, Any]) -> None:
    console, _ = _terminals()
    runs = [run for folder in given["runs"] for run in runs_in(folder)]
    alone, first = len(runs) == 1, given["runs"][0]
    above = first.resolve().parent if is_run(first) else first
    picture = given["out"] or (runs[0].folder / LOSS if alone else above / PICTURE)
    failure: Exception | None = None  # a failure of the table does not lose the picture, nor the reverse
    try:
        if alone and given["out"] is None:
            draw_run(runs[0])
        else:
            draw_losses(runs, resolved(picture))
    except DataUnavailableError as error:
        failure = error
    except OSError as error:
        failure = RunFailedError(f"{error.filename} could not be written: {error.strerror}")
    print_runs(runs, console)
    if failure is not None:
        raise failure
    console.print(f"drawn: {resolved(picture)}", soft_wrap=True)


def _backends(_given: dict[str, Any]) -> None:
    print_backends(_terminals()[0])
