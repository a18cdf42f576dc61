"""The command-line options of `kfgn`, and their help texts."""

import argparse
from dataclasses import fields
from pathlib import Path
from typing import Any

from .. import __version__
from .comparison import PICTURE
from .methods import METHODS
from .option_groups import GROUPS, path_of
from .options import Options
from .output import Parser, PrintVersion

EXAMPLES = """examples:
  kfgn train --data digits --updates 200 --out runs/a
  kfgn train --resume --updates 400 --out runs/a
  kfgn train --npz mine.npz --widths 20 50 3 --objective categorical --updates 200 --out runs/b
  kfgn compare --data digits --methods kfra kfac adam:0.01 --updates 200 --out runs/c
  kfgn show runs/c
  kfgn train --help"""
"""First commands for a new user, which work in this order in a new folder. The user supplies the file mine.npz."""

STATUS = """exit status:
  0 success, 1 a run failed or a file could not be written, 2 wrong usage or an invalid file,
  4 standard output could not be written, 130 interrupted"""

METHOD_DEFAULTS = "A method uses its own defaults for options that are not given."


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = Parser(
        prog="kfgn",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Train networks by the methods of the paper, and by other methods for comparison.",
        epilog=f"{EXAMPLES}\n\n{STATUS}",
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
    commands = top.add_subparsers(dest="command", title="commands", metavar="COMMAND")
    _add_train(commands)
    _add_compare(commands)
    _add_show(commands)
    description = "List the array libraries and devices that are usable on this machine, and why the others are not."
    commands.add_parser("backends", help=description, description=description)
    return top


def _add_train(commands: Any) -> None:
    command = commands.add_parser(
        "train",
        help="Train a network.",
        usage="kfgn train (--data NAME | --npz FILE) (--updates N | --seconds S) --out FOLDER [OPTION ...]",
        description="Train a network in a new folder, or resume a run.",
    )
    groups = _add_options(command)
    files = groups["files"]
    out = "Write the run into this folder, which must be new or empty unless --resume is given."
    files.add_argument("--out", type=path_of, required=True, metavar="FOLDER", help=out)
    resume = "Continue the run in the folder. The options of the run need not be repeated."
    files.add_argument("--resume", action="store_true", help=resume)


def _add_compare(commands: Any) -> None:
    command = commands.add_parser(
        "compare",
        help="Train a network by several methods.",
        usage="kfgn compare (--data NAME | --npz FILE) --methods NAME[:RATE] ... \n"
        "                    (--updates N | --seconds S) --out FOLDER [OPTION ...]",
        description="Train a network by several methods from the same initial weights and on the same batches. "
        "Unfinished runs of an earlier call are resumed.",
    )
    groups = _add_options(command, without="method")
    groups["run"].add_argument(
        "--methods",
        nargs="+",
        required=True,
        metavar="NAME[:RATE]",
        help=f"Train by each of these methods. NAME is one of {', '.join(METHODS)}. RATE is the learning rate of a "
        "first-order method.",
    )
    out = "Write the comparison into this folder, in which each run has a folder."
    groups["files"].add_argument("--out", type=path_of, required=True, metavar="FOLDER", help=out)


def _add_show(commands: Any) -> None:
    command = commands.add_parser(
        "show",
        help="Print the results of runs, and draw their pictures if asked.",
        description="Print the results of runs. Nothing is written, unless --draw or --out is given.",
    )
    folder = "Read the run in this folder, or the runs and comparisons in it."
    command.add_argument("runs", nargs="+", type=Path, metavar="RUN", help=folder)
    pictures = command.add_argument_group("pictures")
    draw = (
        "Draw pictures. A single run has its pictures in its own folder. Several runs have one picture, "
        f"{PICTURE}, in the folder that contains the first run."
    )
    pictures.add_argument("--draw", action="store_true", help=draw)
    picture = "Draw one picture of the losses of all runs, write it to this file, and draw no other picture."
    pictures.add_argument("--out", type=Path, metavar="FILE", help=picture)


def _add_options(command: argparse.ArgumentParser, without: str = "") -> dict[str, Any]:
    """Add the options of `GROUPS`, except the option `without`, to a command, and return the groups of its parser.

    An option of `GROUPS` that the user does not give is absent from the parsed options.
    """
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
    progress.add_argument("--quiet", action="store_true", help="Print results and warnings, but no progress.")
    tensorboard = "Write the metrics for TensorBoard in the subfolder tensorboard of the run's folder."
    progress.add_argument("--tensorboard", action="store_true", help=tensorboard)
    return groups
