"""The command-line options of `kfgn`, and their help texts."""

import argparse
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from .. import __version__
from .comparison import PICTURE
from .methods import METHODS
from .option_groups import GROUPS, path_of
from .options import Options
from .output import Parser, PrintVersion

TRAIN_EXAMPLES = """  kfgn train --data digits --updates 200 --out runs/a
  kfgn train --resume --updates 400 --out runs/a
  kfgn train --npz mine.npz --widths 20 50 3 --objective categorical --updates 200 --out runs/b"""
COMPARE_EXAMPLE = "  kfgn compare --data digits --methods kfra kfac adam:0.01 --updates 200 --out runs/c"
SHOW_EXAMPLES = """  kfgn show runs/c
  kfgn show runs/c --draw"""

EXAMPLES = f"""examples:
{TRAIN_EXAMPLES}
{COMPARE_EXAMPLE}
  kfgn show runs/c
  kfgn train --help"""
"""Commands for a new user. The commands work in this order in a new folder, if the user supplies the file mine.npz."""

STATUS = """exit status:
  0    success
  1    a run failed, a file could not be written, a folder could not be read,
       or the memory did not suffice
  2    wrong usage, an invalid file, missing data, a missing library,
       or an unusable backend
  4    standard output could not be written
  130  interrupted"""

METHOD_DEFAULTS = (
    "A method uses its own defaults for options that are not given. The file configuration.json in the folder of a run "
    "has the values of all options."
)

REQUIRED_FOLDER = {"type": path_of, "required": True, "metavar": "FOLDER"}


class Help(argparse.HelpFormatter):
    """A formatter that wraps every text, except the examples and the exit statuses."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if text.startswith("examples:") else super()._fill_text(text, width, indent)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = Parser(
        prog="kfgn",
        formatter_class=Help,
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
    description = "Print the version of every backend (an array library on a device), or why the backend is not usable."
    commands.add_parser("backends", help=description, description=description)
    return top


def _add_train(commands: Any) -> None:
    command = _add(
        commands,
        "train",
        "Train a network by one method.",
        "Train a network by one method, and write its weights, metrics and pictures into a new folder. "
        "With --resume, continue a run. Ctrl-C ends the run after its present update and writes a checkpoint. A second "
        "Ctrl-C ends the run at once.",
        TRAIN_EXAMPLES,
        usage="kfgn train (--data NAME | --npz FILE) (--updates N | --seconds S)\n"
        "                  --out FOLDER [OPTION ...]\n"
        "       kfgn train --resume --out FOLDER [--updates N] [--seconds S]",
    )
    out = "Write the run into this folder, which must be new or empty unless --resume is given."
    resume = (
        "Continue the run in the folder of --out, with the options of that run. A new --updates or --seconds replaces "
        "both of these limits. To continue a run that has ended, give a higher value of the limit that has ended it: "
        "--updates, --seconds or --early-stopping."
    )
    own = {"--out": {**REQUIRED_FOLDER, "help": out}, "--resume": {"action": "store_true", "help": resume}}
    _add_options(command, own)


def _add_compare(commands: Any) -> None:
    command = _add(
        commands,
        "compare",
        "Train a network by several methods, and compare the results.",
        "Train a network by several methods, one after the other, from the same initial weights and on the "
        "same batches. The same command continues a comparison that Ctrl-C has interrupted: finished runs are kept. "
        "The default of --eta is 1e-5 for second-order methods and 0 for first-order methods, so give --eta for a fair "
        "comparison.",
        COMPARE_EXAMPLE,
        usage="kfgn compare (--data NAME | --npz FILE) --methods NAME[:RATE] ...\n"
        "                    (--updates N | --seconds S) --out FOLDER [OPTION ...]",
    )
    methods = (
        f"Train by each of these methods. NAME is one of {', '.join(METHODS)}. RATE is the learning rate of a "
        "first-order method, as in adam:0.01."
    )
    out = f"Write the comparison into this folder: a folder for each run, the picture {PICTURE}, and comparison.json."
    names = {"nargs": "+", "required": True, "metavar": "NAME[:RATE]", "help": methods}
    _add_options(command, {"--methods": names, "--out": {**REQUIRED_FOLDER, "help": out}}, without="method")


def _add_show(commands: Any) -> None:
    command = _add(
        commands,
        "show",
        "Print the results of runs, and draw their pictures on request.",
        "Print the lengths, losses and accuracies of runs, the states of the runs that are not complete, and the "
        "commands that continue these runs. Nothing is written, unless --draw or --out is given.",
        SHOW_EXAMPLES,
    )
    folder = "Read the run or the comparison in this folder, or all runs and comparisons below it."
    command.add_argument("runs", nargs="+", type=Path, metavar="FOLDER", help=folder)
    summary = (
        "Print one line of JSON instead of tables: a list with one object per run. The object has values such as the "
        "length, the state, and the final losses and accuracies."
    )
    command.add_argument("--json", action="store_true", help=summary)
    pictures = command.add_argument_group("pictures")
    draw = (
        "Draw pictures. A single run has its pictures in its own folder. Several runs have one picture, "
        f"{PICTURE}, in the first FOLDER, or next to this folder if it is the folder of a run."
    )
    pictures.add_argument("--draw", action="store_true", help=draw)
    picture = "Draw one picture of the losses of all runs, write it to this PNG file, and draw no other picture."
    pictures.add_argument("--out", type=Path, metavar="FILE", help=picture)


def _add(commands: Any, name: str, summary: str, description: str, examples: str, **options: Any) -> Any:
    """Add a command, and return its parser."""
    return commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=f"examples:\n{examples}",
        formatter_class=Help,
        **options,
    )


def _add_options(command: argparse.ArgumentParser, own: Mapping[str, Any], without: str = "") -> None:
    """Add the options of `GROUPS` to a command and, next to --data, the options `own` of the command.

    The option with the name `without` is left out. An option of `GROUPS` that the user does not give is absent from the
    parsed options.
    """
    defaults = {field.name: field.default for field in fields(Options)}
    for title, options in GROUPS.items():
        group = command.add_argument_group(title, METHOD_DEFAULTS if title == "all methods" else None)
        for name, option in options.items():
            if name != without:
                known = name == "data" or defaults[name] is None
                text = option.help if known else _with_default(option.help, defaults[name])
                flag = "--" + name.replace("_", "-")
                several: dict[str, Any] = {"nargs": "+"} if option.several else {}
                group.add_argument(
                    flag, type=option.type, metavar=option.metavar, help=text, default=argparse.SUPPRESS, **several
                )
            if name == "data":
                for own_flag, settings in own.items():
                    group.add_argument(own_flag, **settings)
    progress = command.add_argument_group("progress")
    progress.add_argument("--quiet", action="store_true", help="Print results and warnings, but no progress.")
    tensorboard = "Write the metrics for TensorBoard into the subfolder tensorboard of the run's folder."
    progress.add_argument("--tensorboard", action="store_true", help=tensorboard)


def _with_default(text: str, default: object) -> str:
    """Add the default of an option to the first sentence of its help text."""
    first, *others = text.removesuffix(".").split(". ")
    return ". ".join([f"{first} (default: {default})", *others]) + "."
