"""The command `kfgn-check`: compare implementations with the reference, or print the paper's equations."""

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from kfgn_reference import EQUATIONS

from .adapters.kfgn_port import DTYPES, TARGETS
from .decoding import FileError
from .equations import print_equation, print_table
from .expected import Expected, read_expected
from .implementation import Implementation
from .opening import open_implementations
from .output import Output, Parser, UnwrittenError, standard_output, tell
from .parallel import run_in_processes
from .problems.sets import drawn, problem_set
from .quantities import ROWS
from .reports import print_report, read_records, recorder, records, write_page, write_records
from .results import Report
from .runner import run
from .writing import is_folder, unwritable, written

PASSED, FAILED, USAGE, NOTHING_CHECKED, UNWRITTEN, INTERRUPTED = 0, 1, 2, 3, 4, 130


def parser() -> argparse.ArgumentParser:
    """Make the parser of the commands and their options."""
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
"""The commands of a parser, to which each function adds one."""


def _add_run(commands: "Commands[Parser]") -> None:
    run = commands.add_parser(
        "run",
        help="Compare kfgn, or adapters, with the reference. This is the default.",
        description="Compare kfgn on every usable backend and in both dtypes with the reference, on fixed problems, "
        "drawn problems and problems of real size.",
        epilog="Exit status: 0 if every answer passed, 1 if one did not, 2 for wrong usage or a required backend that "
        "is not usable, 3 if nothing was checked, 4 if a report or standard output could not be written.",
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
        help="Read expected failures from this TOML file. docs/adapters.md describes its format.",
    )
    run.add_argument(
        "--device", choices=sorted({device for _, device in TARGETS.values()}), help="Run only on this device."
    )
    run.add_argument("--dtype", choices=DTYPES, help="Run only in this dtype.")
    run.add_argument(
        "--quantity", nargs="+", metavar="NAME", choices=tuple(ROWS), default=ROWS, help="Run only these quantities."
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
        help="Share the work among this number of processes. The default is 1.",
    )
    run.add_argument(
        "--jsonl",
        type=_path,
        metavar="FILE",
        help="Write the report to this file too, as lines of JSON. Each row is written when it ends.",
    )
    run.add_argument(
        "--html", type=_path, metavar="FILE", help="Write the report to this file too, as a page for a browser."
    )


def _add_drawing(command: argparse.ArgumentParser, default: int, least: int) -> None:
    """Add the options of drawn problems."""
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
        help="Measure the accuracy of the reference itself.",
        description="Compare the reference in float64 with itself in ball arithmetic of 256 bits, on drawn problems.",
        epilog="Exit status: 0 if every ratio is at most 1, 1 if one is above, 3 if nothing was checked.",
    )
    _add_drawing(certify, default=200, least=1)


def _add_vectors(commands: "Commands[Parser]") -> None:
    vectors = commands.add_parser(
        "vectors",
        help="List, verify or regenerate the golden vectors: problems with certified values, for any language.",
        description="Golden vectors are files of JSON. docs/vectors.md describes them.",
        epilog="Exit status: 0 if every vector is right, 1 if one is wrong, 2 for wrong usage or a wrong file, 4 if a "
        "file or standard output could not be written.",
    )
    vectors.add_argument(
        "action",
        choices=("list", "verify", "regenerate"),
        help="Print a line for each vector, or compute their content again and compare, or write the files again in "
        "ball arithmetic.",
    )
    vectors.add_argument(
        "folder", nargs="?", type=_path, help="Use the files in this folder. The default is the folder in kfgn."
    )


def _add_equations(commands: "Commands[Parser]") -> None:
    equations = commands.add_parser(
        "equations",
        help="Print the paper's 71 equations.",
        description="Print the table of the paper's numbered equations, or one of them with the code that computes it.",
    )
    equations.add_argument("number", nargs="?", type=int, help="Print this equation in full.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or (given[0].startswith("-") and given[0] not in ("-h", "--help")):
        given = ["run", *given]
    options = parser()
    commands = {"run": _run, "equations": _equations, "certify": _certify, "vectors": _vectors, "report": _report}
    try:
        with standard_output():
            chosen = options.parse_args(given)
            return commands[chosen.command](options, chosen)
    except UnwrittenError as error:
        tell(f"kfgn-check: error: standard output could not be written: {error.strerror}")
        return UNWRITTEN
    except KeyboardInterrupt:
        tell("kfgn-check: interrupted")
        return INTERRUPTED


def _equations(options: argparse.ArgumentParser, given: argparse.Namespace) -> int:
    if given.number is None:
        print_table(Output())
    elif given.number in EQUATIONS:
        print_equation(given.number, Output())
    else:
        options.error(f"equations: expected a number from 1 to {len(EQUATIONS)}, got {given.number}")
    return PASSED


def _report(options: argparse.ArgumentParser, given: argparse.Namespace) -> int:
    _check_writable(options, "--html", given.html)
    try:
        reports = [read_records(path) for path in given.reports]
    except FileError as error:
        options.error(f"report: {error}")
    return PASSED if written(partial(write_page, reports), given.html) else UNWRITTEN


def _certify(_options: argparse.ArgumentParser, given: argparse.Namespace) -> int:
    from .certified import certify, print_accuracies

    console, log = Output(), Output(stderr=True)
    with log.progress() as show:
        accuracies = certify(drawn(given.examples, given.seed), lambda name: show(f"certifying {name}"))
    print_accuracies(accuracies, given.examples, console)
    if not all(accuracy.asked for accuracy in accuracies):
        return NOTHING_CHECKED
    return PASSED if all(accuracy.ratio <= 1 for accuracy in accuracies) else FAILED


def _vectors(options: argparse.ArgumentParser, given: argparse.Namespace) -> int:
    from . import golden

    folder, print_line = given.folder or golden.FOLDER, partial(Output().print, soft_wrap=True)
    if given.action != "regenerate" and not is_folder(folder):
        options.error(f"vectors: there is no folder {folder}")
    if given.action == "list":
        try:
            vectors = golden.load(folder)
        except FileError as error:
            options.error(f"vectors: {error}")
        for vector in vectors:
            print_line(f"{vector.id}  {vector.equation}  {' '.join(vector.flags) or '-'}  {vector.says}")
        return PASSED
    if given.action == "verify":
        faults = 0
        for fault in golden.faults(folder):
            print_line(fault, style="red")
            faults += 1
        if not golden.CAN_CERTIFY:
            print_line("note: radii were not checked: pip install 'kfgn[exact]'", style="yellow")
        print_line(f"{folder}: {faults or 'no'} fault{'' if faults == 1 else 's'}")
        return FAILED if faults else PASSED
    if not golden.CAN_CERTIFY:
        options.error("vectors regenerate: balls need python-flint: pip install 'kfgn[exact]'")
    with Output(stderr=True).progress() as show:

        def regenerate(into: Path) -> None:
            golden.regenerate(into, lambda name: show(f"certifying {name}"))

        return PASSED if written(regenerate, folder) else UNWRITTEN


def _run(options: argparse.ArgumentParser, given: argparse.Namespace) -> int:
    expected = _checked(options, given)
    targets = [
        target
        for target, (_, device) in TARGETS.items()
        if (target in given.backend if given.backend else not given.adapter) and given.device in (None, device)
    ]
    limit = None if given.in_process else given.limit
    opening = partial(open_implementations, tuple(targets), given.dtype, tuple(given.adapter), limit)
    implementations, console, log = opening(), Output(), Output(stderr=True)
    if not _all_usable(implementations, given, log):
        return USAGE
    problems, columns = problem_set(given.examples, given.seed), [each.column for each in implementations]
    with log.progress() as show:
        run_all = partial(run, implementations)
        if given.jobs > 1:
            run_all = partial(run_in_processes, given.jobs, columns, opening)
        report = run_all(
            problems,
            quantities=given.quantity,
            expected=expected,
            progress=lambda quantity: show(f"checking {quantity}"),
            ended=recorder(columns, problems, given.jsonl),
        )
    lost = _is_lost(report, given)
    print_report(report, console)
    if lost:
        return UNWRITTEN
    if not report.checked:
        log.print("kfgn-check: nothing was checked", style="red")
        return NOTHING_CHECKED
    return PASSED if report.passed else FAILED


def _is_lost(report: Report, given: argparse.Namespace) -> bool:
    """Write the files of a run, before anything is printed. Return True if one could not be written."""
    lines = written(partial(write_records, report), given.jsonl)
    page = written(lambda path: write_page([records(report)], path), given.html)
    return not (lines and page)


def _checked(options: argparse.ArgumentParser, given: argparse.Namespace) -> list[Expected]:
    """Return the expected failures. End the program for options that have no meaning."""
    for name in (*(given.backend or ()), *given.require):
        if name not in TARGETS:
            options.error(f"unknown backend {name!r}; known: {', '.join(TARGETS)}")
    _check_writable(options, "--jsonl", given.jsonl)
    _check_writable(options, "--html", given.html)
    if not 0 < given.limit < math.inf:
        options.error(f"--limit: expected a finite number of seconds above 0, got {given.limit:g}")
    try:
        return read_expected(given.expected) if given.expected is not None else []
    except FileError as error:
        options.error(f"--expected: {error}")


def _check_writable(options: argparse.ArgumentParser, option: str, file: Path | None) -> None:
    """End the program for a file that cannot be written."""
    if file is not None and (fault := unwritable(file)):
        options.error(f"{option}: {fault}")


def _path(text: str) -> Path:
    """Convert the text of an option to a path, which must not be empty."""
    if not text or "\0" in text:
        raise argparse.ArgumentTypeError(f"expected a path, got {text!r}")
    return Path(text)


def _whole(least: int | None) -> Callable[[str], int]:
    """Return a function that reads an integer of 32 bits, of at least `least` if that is given."""

    def integer(text: str) -> int:
        number = int(text)
        if least is not None and number < least:
            raise argparse.ArgumentTypeError(f"expected {least} or more, got {text}")
        if not -(2**31) <= number < 2**31:
            raise argparse.ArgumentTypeError(f"expected an integer of 32 bits, got {text[:20]}...")
        return number

    return integer


def _all_usable(implementations: Sequence[Implementation], given: argparse.Namespace, log: Output) -> bool:
    """True if every adapter and every required backend is usable. The others are printed with the reason."""
    usable = {each.name for each in implementations if each.adapter}
    reasons = {each.name: each.reason for each in implementations if each.adapter is None}
    missing = sorted(set(given.require) - usable)
    unusable = [name for name in (*missing, *given.adapter) if name in reasons]
    for name in unusable:
        log.print(f"{name}: not usable: {reasons[name]}", style="red")
    if missing:
        log.print(f"kfgn-check: required, but not usable or not selected: {', '.join(missing)}", style="red")
    return not (missing or unusable)
