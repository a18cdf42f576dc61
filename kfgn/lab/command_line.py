"""The command-line options of `kfgn`, and their help texts."""

import argparse
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

from .. import __version__
from .._algebra.damping import INVERSIONS
from .._network.objectives import OBJECTIVES
from ..backends import BACKENDS
from .arguments import checked_path
from .comparison import PICTURE
from .methods import METHODS
from .options import DTYPES, Options
from .output import Parser, PrintVersion
from .tasks import TASKS


class Option(NamedTuple):
    """The type, the metavariable and the help text of a command-line option.

    The parser adds the default to the help text.

    several: True for an option with one or more values
    """

    type: Callable[[str], Any]
    metavar: str
    help: str
    several: bool = False


def path_of(text: str) -> Path:
    """Return the value of an option as a path. The path must not be empty."""
    try:
        return Path(checked_path("path", text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


GROUPS: dict[str, dict[str, Option]] = {
    "run": {
        "data": Option(str, "NAME", f"The data set and the network: one of {', '.join(TASKS)}."),
        "method": Option(str, "NAME", f"The training method: one of {', '.join(METHODS)}."),
        "backend": Option(str, "NAME", f"The array library and device: one of {', '.join(BACKENDS)}."),
        "dtype": Option(str, "NAME", f"The dtype of weights and data: one of {', '.join(DTYPES)}."),
        "seed": Option(int, "N", "The seed of the initial weights, the batches and the sampled labels."),
    },
    "your own data and network": {
        "npz": Option(
            path_of,
            "FILE",
            "Train on the arrays X and Y of this .npz file instead of --data. The file may also have X_validation, "
            "Y_validation, X_test and Y_test. Without Y the network reconstructs X.",
        ),
        "widths": Option(
            int,
            "N",
            "The number of inputs and of the units of each layer, such as --widths 784 256 10. The option replaces the "
            "network of --data, and --npz requires it.",
            several=True,
        ),
        "transfers": Option(
            str,
            "NAME",
            "The transfer functions of the hidden layers, or one name for all of them (default: tanh).",
            several=True,
        ),
        "objective": Option(str, "NAME", f"The objective, which --npz requires: one of {', '.join(OBJECTIVES)}."),
    },
    "files": {
        "checkpoint_every": Option(
            int, "N", "Write a checkpoint every N updates, and after 30 seconds of training without a checkpoint."
        ),
        "data_folder": Option(
            str,
            "FOLDER",
            "The folder of the data files. By default the environment variable KFGN_DATA names the folder. Without the "
            "variable, files are downloaded into a cache.",
        ),
    },
    "length": {
        "updates": Option(int, "N", "Stop after N updates. At least one of --updates and --seconds is required."),
        "seconds": Option(
            float, "S", "Stop after S seconds of training, not counting evaluations and the writing of files."
        ),
        "batch": Option(int, "N", "The number of datapoints of an update (default: 1000, or 256 for digits)."),
        "early_stopping": Option(
            int,
            "N",
            "Stop when N consecutive evaluations have brought no lower validation loss. The validation loss is the "
            "lower one of the losses at the weights and at their average.",
        ),
        "max_rejected": Option(int, "N", "Stop with an error after N consecutive rejected updates."),
    },
    "evaluation": {
        "evaluate_every": Option(int, "N", "Evaluate the whole training set and the validation set every N updates."),
        "validation_fraction": Option(
            float,
            "X",
            "Split off this part of the data for validation (default: 0.1). The data sets mnist, mnist-odd, curves and "
            "faces have their own validation set.",
        ),
        "test_fraction": Option(
            float,
            "X",
            "Split off this part of the data for the test after the last update (default: 0.2). The data sets mnist, "
            "mnist-odd, curves and faces have their own test set.",
        ),
        "split_seed": Option(int, "N", "The seed of the split into training, validation and test data."),
    },
    "regularisation": {
        "eta": Option(float, "X", "The weight of L2 regularisation, for every method."),
    },
    "Kronecker-factored methods (kflr, kfra, kfac, rp)": {
        "samples": Option(int, "S", "The number of samples per datapoint, for kfac and rp."),
        "average": Option(float, "X", "The largest weight of earlier batches in the running average of the factors."),
        "inversion": Option(str, "NAME", f"The inversion of the damped blocks: one of {', '.join(INVERSIONS)}."),
        "refresh": Option(int, "N", "Compute the factors and their inverses only every N updates."),
    },
    "second-order methods (kflr, kfra, kfac, rp, hessian_free, hessian_free_blocks)": {
        "tau": Option(float, "X", "The initial damping tau of the full matrix."),
        "gamma": Option(float, "X", "The initial damping gamma of the blocks, for every method except hessian_free."),
    },
    "first-order methods (sgd, momentum, nesterov, adam)": {
        "learning_rate": Option(float, "X", "The learning rate, which every method except adam requires."),
        "halving": Option(int, "N", "Halve the learning rate every N updates."),
    },
}
"""The command-line options of `train` and `compare` by group. Every option has the name of a field of `Options`."""

METHOD_DEFAULTS = "A method uses its own defaults for options that are not given."


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = Parser(
        prog="kfgn",
        description="Train networks by the methods of the paper, and by other methods for comparison.",
        epilog="Exit status: 0 success; 1 a run failed or a file could not be written; 2 wrong usage or an invalid "
        "file; 4 standard output could not be written; 130 interrupted.",
    )
    version = f"kfgn {__version__}"
    top.add_argument(
        "--version",
        action=PrintVersion,
        nargs=0,
        const=version,
        default=argparse.SUPPRESS,
        help="Print the version and exit.",
    )
    commands = top.add_subparsers(dest="command", required=True)
    _add_train(commands)
    _add_compare(commands)
    _add_show(commands)
    description = "List the array libraries and devices that are usable on this machine, and why the others are not."
    commands.add_parser("backends", help=description, description=description)
    return top


def _add_train(commands: Any) -> None:
    command = commands.add_parser(
        "train", help="Train a network.", description="Train a network in a new folder, or resume a run."
    )
    groups = _add_options(command)
    files = groups["files"]
    out = "The folder of the run, which must be new or empty unless --resume is given."
    files.add_argument("--out", type=path_of, required=True, metavar="FOLDER", help=out)
    resume = "Continue the run in the folder. The options of the run need not be repeated."
    files.add_argument("--resume", action="store_true", help=resume)


def _add_compare(commands: Any) -> None:
    command = commands.add_parser(
        "compare",
        help="Train a network by several methods.",
        description="Train a network by several methods from the same initial weights and on the same batches. "
        "Unfinished runs of an earlier call are resumed.",
    )
    groups = _add_options(command, without="method")
    groups["run"].add_argument(
        "--methods",
        nargs="+",
        required=True,
        metavar="NAME[:RATE]",
        help=f"The training methods: names from {', '.join(METHODS)}. RATE is the learning rate of NAME.",
    )
    out = "The folder of the comparison, in which each run has a folder."
    groups["files"].add_argument("--out", type=path_of, required=True, metavar="FOLDER", help=out)


def _add_show(commands: Any) -> None:
    command = commands.add_parser(
        "show",
        help="Print the results of runs, and draw their pictures if asked.",
        description="Print the results of runs. Nothing is written, unless --draw or --out is given.",
    )
    folder = "The folder of a run, or a folder that contains runs and comparisons."
    command.add_argument("runs", nargs="+", type=Path, metavar="RUN", help=folder)
    pictures = command.add_argument_group("pictures")
    draw = f"Draw the pictures of one run in its folder, or {PICTURE} in the common folder of several runs."
    pictures.add_argument("--draw", action="store_true", help=draw)
    picture = "Draw the losses of all runs in this file instead."
    pictures.add_argument("--out", type=Path, metavar="FILE", help=picture)


def _add_options(command: argparse.ArgumentParser, without: str = "") -> dict[str, Any]:
    """Add the options by group, and return the groups. The parsed options contain only the options that are given."""
    defaults = {field.name: field.default for field in fields(Options)}
    groups = {}
    for title, options in GROUPS.items():
        description = METHOD_DEFAULTS if "methods" in title else None
        groups[title] = group = command.add_argument_group(title, description)
        for name, option in options.items():
            if name != without:
                known = name == "data" or defaults[name] is None
                text = option.help if known else f"{option.help[:-1]} (default: {defaults[name]})."
                flag = "--" + name.replace("_", "-")
                several: dict[str, Any] = {"nargs": "+"} if option.several else {}
                group.add_argument(
                    flag, type=option.type, metavar=option.metavar, help=text, default=argparse.SUPPRESS, **several
                )
    groups["progress"] = progress = command.add_argument_group("progress")
    progress.add_argument("--quiet", action="store_true", help="Print no progress. Results and warnings are printed.")
    tensorboard = "Write the metrics for TensorBoard in the subfolder tensorboard of the run's folder."
    progress.add_argument("--tensorboard", action="store_true", help=tensorboard)
    return groups
