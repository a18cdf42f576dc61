"""The commands of `kfgn-check` and their options."""

import argparse
from collections.abc import Callable
from pathlib import Path

from .adapters.kfgn_port import DTYPES, TARGETS
from .output import Parser
from .quantities import ROWS


def parser() -> argparse.ArgumentParser:
    """Make the parser of the command line."""
    top = Parser(
        prog="kfgn-check",
        description="Compare implementations with the reference, or print the paper's equations.",
        epilog="Without a command, kfgn-check does the same as kfgn-check run.",
    )
    commands = top.add_subparsers(dest="command", required=True)
    _add_run(commands)
    _add_report(commands)
    _add_certify(commands)
    _add_vectors(commands)
    _add_equations(commands)
    return top


Commands = argparse._SubParsersAction
"""The type of the commands of a parser, to which each function `_add_...` of this module adds a command."""


def _add_run(commands: "Commands[Parser]") -> None:
    run = commands.add_parser(
        "run",
        help="Compare kfgn, or adapters, with the reference. This is the default.",
        description="Compare kfgn on every usable backend and in both dtypes with the reference, on fixed problems, "
        "drawn problems and problems of real size.",
        epilog="Exit status: 0 if every answer passed, 1 if an answer did not pass, 2 for wrong usage or a required "
        "backend that is not usable, 3 if nothing was checked, 4 if a report or standard output could not be written. "
        "The status is 130 for an interrupted run, which reports the rows that had ended.",
    )
    names = ", ".join(TARGETS)
    run.add_argument("--backend", nargs="+", metavar="NAME", help=f"Run only these backends: {names}.")
    run.add_argument(
        "--adapter",
        nargs="+",
        metavar="MODULE:NAME",
        default=[],
        help="Compare these implementations with the reference, instead of kfgn's backends.",
    )
    run.add_argument(
        "--limit",
        type=float,
        default=60.0,
        metavar="S",
        help="Allow an adapter this number of seconds for an answer. The default is 60.",
    )
    run.add_argument(
        "--in-process", action="store_true", help="Run adapters in this process without a limit, for a debugger."
    )
    run.add_argument(
        "--expected",
        type=_path,
        metavar="FILE",
        help="Read expected failures from this TOML file, whose format is described in docs/adapters.md.",
    )
    run.add_argument(
        "--device", choices=sorted({device for _, device in TARGETS.values()}), help="Run only on this device."
    )
    run.add_argument("--dtype", choices=DTYPES, help="Run only in this dtype.")
    run.add_argument(
        "--quantity", nargs="+", metavar="NAME", choices=tuple(ROWS), default=ROWS, help="Run only these quantities."
    )
    run.add_argument(
        "--problem",
        nargs="+",
        metavar="PATTERN",
        help="Run only the problems whose id matches one of these patterns, such as 'case-*-tanh', and all of them on "
        "every backend. The report lists the ids.",
    )
    run.add_argument(
        "--thorough",
        action="store_true",
        help="Run every problem on every backend. By default some problems are left out for PyTorch, array-api-strict "
        "and JAX, and the report says which. JAX compiles many more programs in a thorough run.",
    )
    run.add_argument(
        "--require", nargs="+", metavar="NAME", default=[], help="Fail if one of these backends is not usable."
    )
    _add_drawing(run, default=15, least=0)
    run.add_argument(
        "--jobs",
        type=_whole(1),
        default=1,
        metavar="N",
        help="Share the work among this number of processes, or fewer if less memory is free. The default is 1.",
    )
    run.add_argument(
        "--jsonl",
        type=_path,
        metavar="FILE",
        help="Write the report to this file too, as lines of JSON. The line of a row is written when the row ends.",
    )
    run.add_argument(
        "--html", type=_path, metavar="FILE", help="Write the report to this file too, as a page for a browser."
    )


def _add_drawing(command: argparse.ArgumentParser, default: int, least: int) -> None:
    """Add the options for drawn problems: their number and the seed."""
    command.add_argument(
        "--examples",
        type=_whole(least),
        default=default,
        metavar="N",
        help=f"Draw this number of problems. The default is {default}.",
    )
    command.add_argument(
        "--seed", type=_whole(None), default=0, help="Draw the problems with this seed. The default is 0."
    )


def _add_report(commands: "Commands[Parser]") -> None:
    report = commands.add_parser(
        "report",
        help="Put the reports of several runs on one page.",
        description="Put reports that were written with --jsonl on one page of HTML, with their columns side by side.",
        epilog="Exit status: 0 if the page was written, 2 for wrong usage or a file that is not a report, 4 if the "
        "page could not be written.",
    )
    report.add_argument("reports", nargs="+", type=_path, metavar="JSONL", help="Read these reports.")
    report.add_argument("--html", type=_path, metavar="FILE", required=True, help="Write the page to this file.")


def _add_certify(commands: "Commands[Parser]") -> None:
    certify = commands.add_parser(
        "certify",
        help="Measure the accuracy of the reference.",
        description="Compare the reference in float64 with the reference in ball arithmetic of 256 bits, on drawn "
        "problems.",
        epilog="Exit status: 0 if every ratio error / tolerance is at most 1, 1 if a ratio is above 1, 3 if nothing "
        "was checked.",
    )
    _add_drawing(certify, default=200, least=1)


def _add_vectors(commands: "Commands[Parser]") -> None:
    vectors = commands.add_parser(
        "vectors",
        help="List, verify or regenerate the golden vectors: problems with certified values, for any language.",
        description="Golden vectors are files of JSON, whose format is described in docs/vectors.md.",
        epilog="Exit status: 0 if every vector is right, 1 if a vector is wrong, 2 for wrong usage or a wrong file, 4 "
        "if a file or standard output could not be written.",
    )
    vectors.add_argument(
        "action",
        choices=("list", "verify", "regenerate"),
        help="list: print a line for each vector. verify: compute the vectors again, and compare them with the files. "
        "regenerate: write the files again in ball arithmetic.",
    )
    vectors.add_argument(
        "folder", nargs="?", type=_path, help="Use the files in this folder. The default is the folder in kfgn."
    )


def _add_equations(commands: "Commands[Parser]") -> None:
    equations = commands.add_parser(
        "equations",
        help="Print the paper's 71 equations.",
        description="Print a table of the paper's numbered equations, or one equation with the code of its functions.",
    )
    equations.add_argument("number", nargs="?", type=int, help="Print this equation in full.")


def _path(text: str) -> Path:
    """Convert the text of an option to a path, which must not be empty."""
    if not text or "\0" in text:
        raise argparse.ArgumentTypeError(f"expected a path, got {text!r}")
    return Path(text)


def _whole(least: int | None) -> Callable[[str], int]:
    """Return a function that reads an integer of 32 bits, with the lower bound `least` unless that is None."""

    def integer(text: str) -> int:
        number = int(text)
        if least is not None and number < least:
            raise argparse.ArgumentTypeError(f"expected {least} or more, got {text}")
        if not -(2**31) <= number < 2**31:
            raise argparse.ArgumentTypeError(f"expected an integer of 32 bits, got {text[:20]}...")
        return number

    return integer
