"""The commands of `kfgn-check` and their options."""

import argparse
import math
from collections.abc import Callable
from pathlib import Path

from .adapters.kfgn_port import DTYPES, TARGETS, VERSION
from .adapters.naming import is_name
from .output import Parser, PrintVersion
from .quantities import ROWS

Group = argparse._ActionsContainer
"""The type of a group of options, or of a command without groups."""


def parser() -> argparse.ArgumentParser:
    """Make the parser of the command line."""
    top = Parser(
        prog="kfgn-check",
        description="Compare implementations of K-FAC, KFLR, KFRA and related methods with the reference, or print the "
        "paper's equations. Without a command, kfgn-check does the same as kfgn-check run.",
        epilog=examples(
            ("", "Compare kfgn on every usable backend with the reference."),
            (
                "--adapter mine:Mine",
                "Compare your implementation, by the adapter Mine in mine.py.",
            ),
            ("equations KFRA", "Print the equations of a method."),
            ("run --help", "Print all options of a run."),
        ),
    )
    top.add_argument(
        "--version",
        action=PrintVersion,
        nargs=0,
        const=f"kfgn-check {VERSION}",
        default=argparse.SUPPRESS,
        help="Print the version and exit.",
    )
    commands = top.add_subparsers(dest="command", required=True)
    _add_run(commands)
    _add_report(commands)
    _add_certify(commands)
    _add_vectors(commands)
    _add_equations(commands)
    return top


Commands = argparse._SubParsersAction
"""The type of the object to which each function `_add_...` of this module adds a command."""


def examples(*lines: tuple[str, str], after: str = "") -> str:
    """Return the end of a help text: examples, and further paragraphs.

    lines: the arguments and the purpose of each example
    after: the further paragraphs
    """
    shown = "".join(f"  # {purpose}\n  kfgn-check{' ' * bool(given)}{given}\n" for given, purpose in lines)
    return f"examples:\n{shown}" + (f"\n{after}" if after else "")


def _add_run(commands: "Commands[Parser]") -> None:
    run = commands.add_parser(
        "run",
        help="Compare kfgn, or adapters, with the reference. This is the default.",
        description="Compare kfgn on every usable backend and in both dtypes with the reference, on fixed problems, "
        "drawn problems and problems of real size. With --adapter, compare other implementations.",
        epilog=examples(
            ("--backend numpy torch", "Compare kfgn on two backends."),
            (
                "--adapter mine:Mine --quantity kfac_blocks --dtype float64",
                "Compare one quantity of the class Mine in mine.py.",
            ),
            ("--adapter mine:Mine --examples 0 --jobs 2", "Compare all its quantities, without drawn problems."),
            ("--adapter mine:Mine --problem 'case-*-tanh' --in-process", "Look at some problems with a debugger."),
            ("--jsonl report.jsonl --html report.html", "Write the report as lines of JSON and as a web page."),
            after=f"Quantities: {', '.join(ROWS)}.\n\n"
            "Exit status: 0 if every answer passed, 1 if an answer did not pass, 2 for wrong usage or a required "
            "backend that is not usable, 3 if nothing was checked, 4 if a report or standard output could not be "
            "written. The status is 130 for an interrupted run, which reports the rows that had ended.",
        ),
    )
    _add_implementations(run.add_argument_group("what to check"))
    _add_problems(run.add_argument_group("problems"))
    _add_processes(run.add_argument_group("limits and processes"))
    _add_reports(run.add_argument_group("reports"))


def _add_implementations(group: Group) -> None:
    """Add the options that select implementations, dtypes and quantities."""
    group.add_argument(
        "--backend",
        nargs="+",
        metavar="NAME",
        choices=tuple(TARGETS),
        help=f"Run only these backends of kfgn: {', '.join(TARGETS)}.",
    )
    group.add_argument(
        "--adapter",
        nargs="+",
        type=_adapter,
        metavar="MODULE:NAME",
        default=[],
        help="Compare these implementations with the reference, instead of kfgn's backends. An adapter is a class in a "
        "module, or a program: 'exec:COMMAND'.",
    )
    group.add_argument(
        "--device", choices=sorted({device for _, device in TARGETS.values()}), help="Run only on this device."
    )
    group.add_argument("--dtype", choices=DTYPES, help="Run only in this dtype.")
    group.add_argument(
        "--quantity",
        nargs="+",
        metavar="NAME",
        choices=tuple(ROWS),
        default=ROWS,
        help="Run only these quantities, which are the rows of the table.",
    )
    group.add_argument(
        "--require",
        nargs="+",
        metavar="NAME",
        choices=tuple(TARGETS),
        default=[],
        help="Fail if one of these backends is not usable.",
    )


def _add_problems(group: Group) -> None:
    """Add the options that select the problems."""
    group.add_argument(
        "--problem",
        nargs="+",
        metavar="PATTERN",
        help="Run only the problems whose id matches one of these patterns, such as 'case-*-tanh'. Every backend "
        "runs all these problems. The report lists the ids.",
    )
    group.add_argument(
        "--thorough",
        action="store_true",
        help="Run every problem on every backend. By default some problems are left out for PyTorch, array-api-strict "
        "and JAX, and the report says which. JAX compiles many more programs in a thorough run.",
    )
    _add_drawing(group, default=15, least=0)


def _add_processes(group: Group) -> None:
    """Add the options on time limits and processes."""
    group.add_argument(
        "--jobs",
        type=_whole(1),
        default=1,
        metavar="N",
        help="Share the work among this number of processes, or fewer if less memory is free. The default is 1.",
    )
    group.add_argument(
        "--limit",
        type=_seconds,
        default=60.0,
        metavar="S",
        help="Allow an adapter this number of seconds for an answer. The default is 60.",
    )
    group.add_argument(
        "--in-process", action="store_true", help="Run adapters in this process without a limit, for a debugger."
    )


def _add_reports(group: Group) -> None:
    """Add the options on expected failures and on the files of the report."""
    group.add_argument(
        "--jsonl",
        type=_path,
        metavar="FILE",
        help="Write the report to this file too, as lines of JSON. The line of a row is written when the row ends.",
    )
    group.add_argument(
        "--html", type=_path, metavar="FILE", help="Write the report to this file too, as a page for a browser."
    )
    group.add_argument(
        "--expected",
        type=_path,
        metavar="FILE",
        help="Read expected failures from this TOML file, whose format is described in docs/adapters.md.",
    )


def _add_drawing(command: Group, default: int, least: int) -> None:
    """Add the options for drawn problems: their number and the seed."""
    command.add_argument(
        "--examples",
        type=_whole(least),
        default=default,
        metavar="N",
        help=f"Draw this number of problems. The default is {default}.",
    )
    command.add_argument(
        "--seed", type=_whole(None), default=0, metavar="N", help="Draw the problems with this seed. The default is 0."
    )


def _add_report(commands: "Commands[Parser]") -> None:
    report = commands.add_parser(
        "report",
        help="Put the reports of several runs on one page.",
        description="Put reports that were written with --jsonl on one page of HTML, with their columns side by side.",
        epilog=examples(
            ("report cpu.jsonl gpu.jsonl --html page.html", "Put the reports of two machines on one page."),
            after="Exit status: 0 if the page was written, 2 for wrong usage or a file that is not a report, 4 if the "
            "page could not be written.",
        ),
    )
    report.add_argument("reports", nargs="+", type=_path, metavar="JSONL", help="Read these reports.")
    report.add_argument("--html", type=_path, metavar="FILE", required=True, help="Write the page to this file.")


def _add_certify(commands: "Commands[Parser]") -> None:
    certify = commands.add_parser(
        "certify",
        help="Measure the accuracy of the reference.",
        description="Compare the reference in float64 with the reference in ball arithmetic of 256 bits, on drawn "
        "problems.",
        epilog=examples(
            ("certify --examples 20", "Measure the accuracy on 20 drawn problems."),
            after="Exit status: 0 if every ratio error / tolerance is at most 1, 1 if a ratio is above 1, 3 if nothing "
            "was checked.",
        ),
    )
    _add_drawing(certify, default=200, least=1)


def _add_vectors(commands: "Commands[Parser]") -> None:
    vectors = commands.add_parser(
        "vectors",
        help="List, verify or regenerate the golden vectors: problems with certified values, for any language.",
        description="Golden vectors are files of JSON, whose format is described in docs/vectors.md.",
        epilog=examples(
            ("vectors list", "Print a line for each vector that ships with kfgn."),
            ("vectors verify my_vectors", "Compare the vectors of a folder with the reference."),
            after="Exit status: 0 if every vector is right, 1 if a vector is wrong, 2 for wrong usage or a wrong file, "
            "4 if a file or standard output could not be written.",
        ),
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
        description="Print a table of the paper's numbered equations, or some equations in full with the code of their "
        "functions. A search that finds several equations prints their table.",
        epilog=examples(
            ("equations 26", "Print equation 26 with its code."),
            ("equations 26-31", "Print six equations."),
            ("equations kfra_blocks", "Find the equations of a quantity, a method or a function."),
            ("equations damping", "Find a word of a title, in upper or lower case."),
            ("equations C.1", "Find the equations of a section."),
        ),
    )
    equations.add_argument(
        "equations",
        nargs="*",
        metavar="EQUATION",
        help="Print these equations: a number, a range, a section, a name or a word of a title.",
    )


def _path(text: str) -> Path:
    """Convert the text of an option to a path, which must not be empty."""
    if not text or "\0" in text:
        raise argparse.ArgumentTypeError(f"expected a path, got {text!r}")
    return Path(text)


def _adapter(text: str) -> str:
    """Return the name of an adapter, which must have the form of a name."""
    if not is_name(text):
        raise argparse.ArgumentTypeError(f"expected package.module:Adapter or exec:COMMAND, got {text}")
    return text


def _seconds(text: str) -> float:
    """Convert the text of an option to a number of seconds."""
    try:
        number = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"expected a number of seconds, got {text}") from error
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"expected a finite number of seconds above 0, got {text}")
    return number


def _whole(least: int | None) -> Callable[[str], int]:
    """Return a function that reads an integer of 32 bits, with the lower bound `least` unless that is None."""

    def integer(text: str) -> int:
        try:
            number = int(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"expected an integer, got {text}") from error
        if least is not None and number < least:
            raise argparse.ArgumentTypeError(f"expected {least} or more, got {text}")
        if not -(2**31) <= number < 2**31:
            raise argparse.ArgumentTypeError(f"expected an integer of 32 bits, got {text[:20]}...")
        return number

    return integer
