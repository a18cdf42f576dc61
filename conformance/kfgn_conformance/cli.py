"""The command `kfgn-check`, with its subcommands `run`, `equations`, `certify`, `vectors`, `report` and `mistakes`."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import monotonic

from .adapter_notes import further_for, with_notes_on_adapters
from .adapters.kfgn_port import TARGETS
from .consistent import consistent
from .decoding import FileError
from .equation_search import SearchError
from .equations import print_found, print_table
from .expected import Expected, read_expected
from .implementation import Implementation
from .mistakes_command import mistakes
from .opening import open_implementations
from .options import parser
from .output import Output, UnwrittenError, print_error, standard_output
from .parallel import run_in_processes
from .plain import counted
from .pools import affordable
from .problem_sets.standard import PatternError, check_patterns, drawn, problem_set, selected
from .problems.problem import Problem
from .quantities import ROWS
from .reports import UNFINISHED, print_report, print_summary, read_records, recorder, records, write_page, write_records
from .results import Column, Report, Row, report_of
from .runner import rows_for, run
from .statuses import FAILED, INTERRUPTED, NOTHING_CHECKED, PASSED, UNWRITTEN, USAGE
from .vectors_command import vectors
from .verdicts import BAD, NOT_RUN
from .writing import unwritable, written

Ended = Callable[[str, Row], None]
"""A function that is called with the name and the results of a row (one quantity) when the row is complete."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or (given[0].startswith("-") and given[0] not in ("-h", "--help", "--version")):
        given = ["run", *given]
    options = parser()
    commands = {
        "run": _run,
        "equations": _equations,
        "certify": _certify,
        "vectors": vectors,
        "report": _report,
        "mistakes": mistakes,
    }
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
    if not given.equations:
        print_table(Output())
        return PASSED
    try:
        print_found(given.equations, Output())
    except SearchError as error:
        options.error(f"equations: {error}")
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
    with log.announcements() as announce:
        problems = drawn(given.examples, given.seed, announce)
    with log.progress() as show:
        accuracies = certify(problems, lambda name: show(f"certifying {name}"))
    print_accuracies(accuracies, given.examples, console)
    if not all(accuracy.asked for accuracy in accuracies):
        return NOTHING_CHECKED
    return PASSED if all(accuracy.ratio <= 1 for accuracy in accuracies) else FAILED


def _run(options: argparse.ArgumentParser, given: argparse.Namespace) -> int:
    start = monotonic()
    expected = _checked(options, given)
    targets = [
        target
        for target, (_, device) in TARGETS.items()
        if (target in given.backend if given.backend else not given.adapter) and given.device in (None, device)
    ]
    limit = None if given.in_process else given.limit
    thorough = given.thorough or given.problem is not None
    opening = partial(open_implementations, tuple(targets), given.dtype, tuple(given.adapter), limit, thorough=thorough)
    implementations, console, log = opening(), Output(), Output(stderr=True)
    if not _all_usable(implementations, given, log):
        return USAGE
    columns = [each.column for each in implementations]
    problems = _problems(given, columns, log)
    jobs = affordable(given.jobs)
    if jobs < given.jobs:
        log.print(
            f"kfgn-check: --jobs: the number of processes is {jobs} instead of {given.jobs}, since more may need over "
            "half of the free memory"
        )
    run_all = partial(run_in_processes, jobs, columns, opening) if jobs > 1 else partial(run, implementations)
    rows: dict[str, Row] = {}

    def compared(problems: Sequence[Problem]) -> Report:
        rows.clear()
        record = recorder(columns, problems, given.jsonl)
        ended = _on_ended(rows, rows_for(problems, given.quantity), record, columns, log, start)
        with log.progress() as show:
            return run_all(
                problems,
                quantities=given.quantity,
                expected=expected,
                progress=lambda quantity: show(f"checking {quantity}"),
                ended=ended,
            )

    try:
        report = compared(problems)
        whole = given.problem is None and given.expected is None  # either option excludes added problems
        if whole and (added := further_for(given.adapter, report)):
            log.print_to_pipe(f"kfgn-check: running again with {counted(len(added), 'added problem')}")
            problems += added
            report = compared(problems)
    except KeyboardInterrupt:
        return _interrupted(columns, problems, rows, expected, given)
    if given.problem is None and given.adapter:
        report = with_notes_on_adapters(report)
    is_written = _write(report, given)
    print_report(report, console)
    if not is_written:
        return UNWRITTEN
    if not report.checked:
        log.print("kfgn-check: nothing was checked", style="red")
        return NOTHING_CHECKED
    print_summary(report, console)
    return PASSED if report.passed else FAILED


def _problems(given: argparse.Namespace, columns: Sequence[Column], log: Output) -> list[Problem]:
    """Return the problems of a run."""
    offered = {
        name for each in columns if each.description for name in each.description.quantities if name in given.quantity
    }
    with log.announcements() as announce:
        if given.problem is None:
            return list(problem_set(given.examples, given.seed, announce, offered))
        return selected(given.problem, given.examples, given.seed, announce)


def _on_ended(
    rows: dict[str, Row], names: Sequence[str], record: Ended, columns: Sequence[Column], log: Output, start: float
) -> Ended:
    """Return the function that is called with each row when the row is complete.

    The function stores the row in `rows` and calls `record` with it. The function also prints a line with the number of
    seconds since `start`, unless `log` is a terminal or no implementation can offer the quantity.
    """

    def ended(name: str, row: Row) -> None:
        rows[name] = row
        record(name, row)
        cells = zip(columns, row.cells, strict=True)
        bad = [f"{cell.status} by {column.title}" for column, cell in cells if cell.status in BAD]
        if not any(column.description is None or name in column.description.quantities for column in columns):
            return  # all implementations are usable, and none offers the quantity
        good = "not run" if all(cell.status in NOT_RUN for cell in row.cells) else "passed"
        place, seconds = f"{len(rows)} of {len(names)}", monotonic() - start
        log.print_to_pipe(f"{place} after {seconds:.0f} s: {name}: {', '.join(bad) or good}")

    return ended


def _interrupted(
    columns: Sequence[Column],
    problems: Sequence[Problem],
    rows: Mapping[str, Row],
    expected: Sequence[Expected],
    given: argparse.Namespace,
) -> int:
    """Write and print the rows that were complete when the run was interrupted, and return the exit status."""
    in_order = {name: rows[name] for name in ROWS if name in rows}
    report = consistent(report_of(columns, problems, in_order, expected=expected))
    report = replace(report, notes=(UNFINISHED, *report.notes), unexpectedly_passing=())
    _write(report, given)
    print_report(report, Output())
    print_error(f"kfgn-check: interrupted: {len(rows)} of {len(rows_for(problems, given.quantity))} rows are complete")
    return INTERRUPTED


def _write(report: Report, given: argparse.Namespace) -> bool:
    """Write the report to the files that the options name. Return False if a file could not be written."""
    lines = written(partial(write_records, report), given.jsonl)
    return written(lambda path: write_page([records(report)], path), given.html) and lines


def _checked(options: argparse.ArgumentParser, given: argparse.Namespace) -> list[Expected]:
    """Return the expected failures. End the program with an error for invalid options."""
    _check_writable(options, "--jsonl", given.jsonl)
    _check_writable(options, "--html", given.html)
    try:
        check_patterns(given.problem or (), given.examples)
    except PatternError as error:
        options.error(f"--problem: {error}")
    try:
        return read_expected(given.expected) if given.expected is not None else []
    except FileError as error:
        options.error(f"--expected: {error}")


def _check_writable(options: argparse.ArgumentParser, option: str, file: Path | None) -> None:
    """End the program with an error if the file of an option cannot be written."""
    if file is not None and (fault := unwritable(file)):
        options.error(f"{option}: {fault}")


def _all_usable(implementations: Sequence[Implementation], given: argparse.Namespace, log: Output) -> bool:
    """Return True if all adapters are usable, and all required backends are usable and selected. Print all faults."""
    usable = {each.name for each in implementations if each.adapter}
    reasons = {each.name: each.reason for each in implementations if each.adapter is None}
    missing = sorted(set(given.require) - usable)
    unusable = [name for name in (*missing, *given.adapter) if name in reasons]
    for name in unusable:
        log.print(f"{name}: not usable: {reasons[name].removeprefix(f'{name}: ')}", style="red")
    if missing:
        log.print(f"kfgn-check: required, but not usable or not selected: {', '.join(missing)}", style="red")
    return not (missing or unusable)
