"""The command `kfgn-check`: compare implementations with the reference, or print the paper's equations."""

import argparse
import math
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from kfgn_reference import EQUATIONS

from .adapters.kfgn_port import TARGETS
from .decoding import FileError
from .equations import print_equation, print_table
from .expected import Expected, read_expected
from .implementation import Implementation
from .opening import open_implementations
from .options import parser
from .output import Output, UnwrittenError, print_error, standard_output
from .parallel import run_in_processes
from .problem_sets.standard import drawn, problem_set
from .reports import print_report, read_records, recorder, records, write_page, write_records
from .results import Report
from .runner import run
from .writing import is_folder, unwritable, written

PASSED, FAILED, USAGE, NOTHING_CHECKED, UNWRITTEN, INTERRUPTED = 0, 1, 2, 3, 4, 130


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
        print_error(f"kfgn-check: error: standard output could not be written: {error.strerror}")
        return UNWRITTEN
    except KeyboardInterrupt:
        print_error("kfgn-check: interrupted")
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

    folder = given.folder or golden.FOLDER
    if given.action == "regenerate":
        return _regenerate(options, folder)
    if not is_folder(folder):
        options.error(f"vectors: there is no folder {folder}")
    return _list(options, folder) if given.action == "list" else _verify(folder)


def _list(options: argparse.ArgumentParser, folder: Path) -> int:
    """Print a line for each golden vector in a folder."""
    from . import golden

    try:
        vectors = golden.load(folder)
    except FileError as error:
        options.error(f"vectors: {error}")
    for vector in vectors:
        flags = " ".join(vector.flags) or "-"
        Output().print(f"{vector.id}  {vector.equation}  {flags}  {vector.description}", soft_wrap=True)
    return PASSED


def _verify(folder: Path) -> int:
    """Print the faults of the golden vectors in a folder."""
    from . import golden

    print_line, faults = partial(Output().print, soft_wrap=True), 0
    for fault in golden.faults(folder):
        print_line(fault, style="red")
        faults += 1
    if not golden.CAN_CERTIFY:
        print_line("note: radii were not checked: pip install 'kfgn[exact]'", style="yellow")
    print_line(f"{folder}: {faults or 'no'} fault{'' if faults == 1 else 's'}")
    return FAILED if faults else PASSED


def _regenerate(options: argparse.ArgumentParser, folder: Path) -> int:
    """Write the golden vectors in a folder again."""
    from . import golden

    if not golden.CAN_CERTIFY:
        options.error("vectors regenerate: ball arithmetic needs python-flint: pip install 'kfgn[exact]'")
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
    is_written = _write(report, given)
    print_report(report, console)
    if not is_written:
        return UNWRITTEN
    if not report.checked:
        log.print("kfgn-check: nothing was checked", style="red")
        return NOTHING_CHECKED
    return PASSED if report.passed else FAILED


def _write(report: Report, given: argparse.Namespace) -> bool:
    """Write the files of a run, before anything is printed. Return False if a file could not be written."""
    lines = written(partial(write_records, report), given.jsonl)
    page = written(lambda path: write_page([records(report)], path), given.html)
    return lines and page


def _checked(options: argparse.ArgumentParser, given: argparse.Namespace) -> list[Expected]:
    """Return the expected failures. End the program with an error for invalid options."""
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
    """End the program with an error if the file of an option cannot be written."""
    if file is not None and (fault := unwritable(file)):
        options.error(f"{option}: {fault}")


def _all_usable(implementations: Sequence[Implementation], given: argparse.Namespace, log: Output) -> bool:
    """Return True if every adapter and required backend is usable, or print the reasons and return False."""
    usable = {each.name for each in implementations if each.adapter}
    reasons = {each.name: each.reason for each in implementations if each.adapter is None}
    missing = sorted(set(given.require) - usable)
    unusable = [name for name in (*missing, *given.adapter) if name in reasons]
    for name in unusable:
        log.print(f"{name}: not usable: {reasons[name]}", style="red")
    if missing:
        log.print(f"kfgn-check: required, but not usable or not selected: {', '.join(missing)}", style="red")
    return not (missing or unusable)
