"""The command `kfgn-check`: hold kfgn's port against the reference on every backend, or read the paper's equations."""

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from kfgn_reference import EQUATIONS

from .adapters.kfgn_port import DTYPES, TARGETS
from .columns import columns_of
from .decoding import FileError
from .equations import print_equation, print_table
from .expected import Expected, read_expected
from .output import Output, Parser, UnwrittenError, standard_output, tell
from .parallel import run_in_processes
from .problems.standard import drawn, problem_set
from .quantities import ROWS
from .reports import print_report, read_records, recorder, records, write_page, write_records
from .run import Column, Report, run
from .writing import is_folder, unwritable, written

PASSED, FAILED, USAGE, NOTHING_CHECKED, UNWRITTEN, INTERRUPTED = 0, 1, 2, 3, 4, 130


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = Parser(
        prog="kfgn-check",
        description="Compare kfgn on every usable backend and dtype with the reference; read the paper's equations.",
        epilog="kfgn-check alone, or with options of `run`, is kfgn-check run.",
    )
    commands = top.add_subparsers(dest="command", required=True)
    checks = commands.add_parser(
        "run",
        help="run the checks (the default)",
        description="Compare kfgn on every usable backend and dtype with the reference: fixed, drawn, real problems.",
        epilog="Exit status: 0 all passed, 1 something did not, 2 wrong usage or a required backend is not usable, "
        "3 nothing was checked, 4 a report or standard output could not be written.",
    )
    names = ", ".join(TARGETS)
    checks.add_argument("--backend", nargs="+", metavar="NAME", help=f"only these: {names}")
    checks.add_argument(
        "--adapter",
        nargs="+",
        metavar="MODULE:NAME",
        default=[],
        help="compare these implementations with the reference, in the place of kfgn's backends",
    )
    checks.add_argument(
        "--limit", type=float, default=60.0, metavar="S", help="seconds that an adapter has for an answer (default: 60)"
    )
    checks.add_argument(
        "--in-process", action="store_true", help="run adapters in this process, without a limit, for a debugger"
    )
    checks.add_argument("--expected", type=_path, metavar="FILE", help="known failures, as TOML: docs/adapters.md")
    checks.add_argument(
        "--device", choices=sorted({device for _, device in TARGETS.values()}), help="only on this device"
    )
    checks.add_argument("--dtype", choices=DTYPES, help="only in this dtype")
    checks.add_argument(
        "--quantity", nargs="+", metavar="NAME", choices=tuple(ROWS), default=ROWS, help="only these rows of the table"
    )
    checks.add_argument("--require", nargs="+", metavar="NAME", default=[], help="fail if one of these is not usable")
    checks.add_argument(
        "--examples", type=_whole(0), default=15, metavar="N", help="number of drawn problems (default: 15)"
    )
    checks.add_argument("--seed", type=_whole(None), default=0, help="seed of the drawn problems (default: 0)")
    checks.add_argument(
        "--jobs", type=_whole(1), default=1, metavar="N", help="number of processes that share the work (default: 1)"
    )
    checks.add_argument(
        "--jsonl",
        type=_path,
        metavar="FILE",
        help="also write the report to FILE, as lines of JSON, each row when it ends",
    )
    checks.add_argument(
        "--html", type=_path, metavar="FILE", help="also write the report to FILE, as a page for a browser"
    )
    report = commands.add_parser(
        "report",
        help="reports of several runs on one page",
        description="Draw reports that were written with --jsonl on one page of HTML, their columns side by side.",
        epilog="Exit status: 0 drawn, 2 wrong usage or a file that is no report, 4 the page could not be written.",
    )
    report.add_argument("reports", nargs="+", type=_path, metavar="JSONL", help="reports")
    report.add_argument("--html", type=_path, metavar="FILE", required=True, help="the page")
    certify = commands.add_parser(
        "certify",
        help="the accuracy of the reference itself",
        description="Compare the reference in float64 with itself in ball arithmetic of 256 bits, on drawn problems.",
        epilog="Exit status: 0 all ratios at most 1, 1 one above, 3 nothing was checked.",
    )
    certify.add_argument(
        "--examples", type=_whole(1), default=200, metavar="N", help="number of drawn problems (default: 200)"
    )
    certify.add_argument("--seed", type=_whole(None), default=0, help="seed of the drawn problems (default: 0)")
    vectors = commands.add_parser(
        "vectors",
        help="golden vectors: problems with certified values, for any language",
        description="Golden vectors, as JSON, described in docs/vectors.md.",
        epilog="Exit status: 0 all are right, 1 one is wrong, 2 wrong usage or a wrong file, 4 as for run.",
    )
    vectors.add_argument(
        "action",
        choices=("list", "verify", "regenerate"),
        help="print a line for each; recompute their content; or write them again, in ball arithmetic",
    )
    vectors.add_argument("folder", nargs="?", type=_path, help="folder of the files (default: the one in kfgn)")
    equations = commands.add_parser(
        "equations",
        help="the paper's 71 equations",
        description="The table of the paper's numbered equations, or one of them with the code that computes it.",
    )
    equations.add_argument("number", nargs="?", type=int, help="this one in full")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
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
            print_line(f"{vector.id}  {vector.equation}  {' '.join(vector.flags) or '-'}  {vector.description}")
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
    known = _checked(options, given)
    targets = [
        target
        for target, (_, device) in TARGETS.items()
        if (target in given.backend if given.backend else not given.adapter) and given.device in (None, device)
    ]
    limit = None if given.in_process else given.limit
    open_columns = partial(columns_of, tuple(targets), given.dtype, tuple(given.adapter), limit)
    columns, console, log = open_columns(), Output(), Output(stderr=True)
    if not _all_usable(columns, given, log):
        return USAGE
    problems = problem_set(given.examples, given.seed)
    ended = recorder(columns, problems, given.jsonl)
    with log.progress() as show:

        def progress(quantity: str) -> None:
            show(f"checking {quantity}")

        if given.jobs == 1:
            report = run(columns, problems, progress, ended, given.quantity)
        else:
            report = run_in_processes(given.jobs, columns, open_columns, problems, progress, ended, given.quantity)
    report.expect(known)
    lost = not _write(report, given)
    print_report(report, console)
    if lost:
        return UNWRITTEN
    if not report.checked:
        log.print("kfgn-check: nothing was checked", style="red")
        return NOTHING_CHECKED
    return PASSED if report.passed else FAILED


def _write(report: Report, given: argparse.Namespace) -> bool:
    """Write the files of a run, before anything is printed. Return False if one could not be written."""
    lines = written(partial(write_records, report), given.jsonl)
    page = written(lambda path: write_page([records(report)], path), given.html)
    return lines and page


def _checked(options: argparse.ArgumentParser, given: argparse.Namespace) -> list[Expected]:
    """Return the known failures. End the program for options that have no meaning."""
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
    """The path in an option, which must not be empty."""
    if not text or "\0" in text:
        raise argparse.ArgumentTypeError(f"expected a path, got {text!r}")
    return Path(text)


def _whole(least: int | None) -> Callable[[str], int]:
    """A reader of integers of 32 bits, from `least` if that is given."""

    def integer(text: str) -> int:
        number = int(text)
        if least is not None and number < least:
            raise argparse.ArgumentTypeError(f"expected {least} or more, got {text}")
        if not -(2**31) <= number < 2**31:
            raise argparse.ArgumentTypeError(f"expected an integer of 32 bits, got {text[:20]}...")
        return number

    return integer


def _all_usable(columns: Sequence[Column], given: argparse.Namespace, log: Output) -> bool:
    """True if every adapter and every required backend is usable; the others are printed."""
    usable = {column.name for column in columns if column.adapter}
    reasons = {column.name: column.reason for column in columns if column.adapter is None}
    missing = sorted(set(given.require) - usable)
    unusable = [name for name in (*missing, *given.adapter) if name in reasons]
    for name in unusable:
        log.print(f"{name}: not usable: {reasons[name]}", style="red")
    if missing:
        log.print(f"kfgn-check: required, but not usable or not asked for: {', '.join(missing)}", style="red")
    return not (missing or unusable)
