"""The options of `kfgn-check run`."""

from .adapters.kfgn_port import DTYPES, TARGETS
from .option_parts import Commands, Group, adapter_name, add_drawing, examples, path, seconds, whole_number
from .output import Parser
from .quantities import ROWS


def add_run(commands: "Commands[Parser]") -> None:
    """Add the command `run` with its options."""
    run = commands.add_parser(
        "run",
        help="Compare kfgn, or adapters, with the reference. This command is the default.",
        description="Compare kfgn on every usable backend and in both dtypes with the reference, on fixed problems, "
        "random problems and problems of real size. With --adapter, compare other implementations.",
        epilog=examples(
            ("--backend numpy torch", "Compare kfgn on two backends."),
            (
                "--adapter mine:Mine --quantity kfac_blocks --dtype float64",
                "Compare one quantity of the class Mine in mine.py.",
            ),
            ("--adapter mine:Mine --examples 0 --jobs 2", "Compare all quantities of Mine, without random problems."),
            ("--adapter mine:Mine --problem 'case-*-tanh' --in-process", "Run some problems in this process."),
            ("--jsonl report.jsonl --html report.html", "Write the report as lines of JSON and as a web page."),
            after=f"Quantities: {', '.join(ROWS)}.\n\n"
            "Exit status: 0 if every answer passed or failed as expected, 1 if an answer unexpectedly did not "
            "pass or unexpectedly passed, 2 for wrong usage, for an adapter that is not usable, or for a required "
            "backend that is not usable or not selected, 3 if nothing was checked, 4 if a report or standard output "
            "could not be written. The status is 130 for an interrupted run, which reports the rows that are complete.",
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
        type=adapter_name,
        metavar="MODULE:NAME",
        default=[],
        help="Compare these implementations with the reference. kfgn's backends are then run only with --backend. An "
        "adapter is a class in a module, or a program: 'exec:COMMAND'.",
    )
    group.add_argument(
        "--device", choices=sorted({device for _, device in TARGETS.values()}), help="Run kfgn only on this device."
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
        help="Fail if one of these backends is not usable or not selected.",
    )


def _add_problems(group: Group) -> None:
    """Add the options that select the problems."""
    group.add_argument(
        "--problem",
        nargs="+",
        metavar="PATTERN",
        help="Run only the problems whose id matches one of these patterns, such as 'case-*-tanh'. Every backend "
        "runs all these problems. A report of --jsonl lists the ids.",
    )
    group.add_argument(
        "--thorough",
        action="store_true",
        help="Run every problem on every backend. By default, array-api-strict and JAX run only some problems, and "
        "PyTorch runs the autoencoder only in float32. All three make optimiser steps from only some states. Backends "
        "on a GPU run every problem in any case. The report describes the selection. JAX compiles many more programs "
        "in a thorough run.",
    )
    more = " If quantities with shared weights are offered, a third as many problems with shared weights are drawn too."
    add_drawing(group, default=15, least=0, more=more)


def _add_processes(group: Group) -> None:
    """Add the options on time limits and processes."""
    group.add_argument(
        "--jobs",
        type=whole_number(1),
        default=1,
        metavar="N",
        help="Share the work among this number of processes, or among fewer if too little memory is free. The default "
        "is 1.",
    )
    group.add_argument(
        "--limit",
        type=seconds,
        default=60.0,
        metavar="S",
        help="Allow an adapter this number of seconds for each answer. The default is 60.",
    )
    group.add_argument(
        "--in-process",
        action="store_true",
        help="Run adapter classes without a separate process, for a debugger. No adapter has a time limit then.",
    )


def _add_reports(group: Group) -> None:
    """Add the options on expected failures and on the files of the report."""
    group.add_argument(
        "--jsonl",
        type=path,
        metavar="FILE",
        help="Write the report to this file too, as lines of JSON. The lines of a quantity are written as soon as its "
        "row of the table is complete.",
    )
    group.add_argument(
        "--html", type=path, metavar="FILE", help="Write the report to this file too, as a page for a browser."
    )
    group.add_argument(
        "--expected",
        type=path,
        metavar="FILE",
        help="Read expected failures from this TOML file, whose format is described in docs/adapters.md.",
    )
