"""The command `python -m benchmarks`."""

import argparse
from pathlib import Path

from .machine import available_threads, description, use_threads
from .settings import Settings

WIDTH = 150
"""The width of the tables in characters."""


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    p = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Time kfgn against floors and other libraries."
    )
    p.add_argument("--case", nargs="+", help="The tables (default: all).")
    p.add_argument("--backend", nargs="+", help="The backends (default: all that are usable on the host).")
    p.add_argument("--work", nargs="+", default=[], help="The pieces of work (default: all of a table).")
    p.add_argument("--peers", action="store_true", help="Time BackPACK, curvlinops and kfac-jax, if installed.")
    p.add_argument("--launches", action="store_true", help="Count the kernel launches or operators of PyTorch.")
    p.add_argument("--rounds", type=int, default=7, help="The number of rounds (default: 7).")
    p.add_argument("--threads", type=int, help="The number of threads (default: all processors).")
    p.add_argument("--clock", choices=("wall", "cpu"), default="wall", help="Wall time, or CPU seconds of the process.")
    p.add_argument("--dtype", choices=("float32", "float64"), default="float32", help="The dtype (default: float32).")
    p.add_argument("--json", type=Path, help="The file for the rows, the machine, the versions and the command.")
    p.add_argument("--quick", action="store_true", help="Small networks and one round, to see that everything runs.")
    return p


def main(argv: list[str] | None = None) -> int:
    """Run the chosen tables, print them, and write JSON after each table."""
    p = parser()
    given = p.parse_args(argv)
    threads = given.threads or available_threads()
    use_threads(threads)  # before an array library is imported
    from rich.console import Console

    from .cases import CASES
    from .report import print_rows, write_json
    from .work import BY_NAME

    for option, names, known in (("--case", given.case or (), CASES), ("--work", given.work, BY_NAME)):
        if unknown := set(names) - set(known):
            p.error(f"{option}: expected names among {', '.join(known)}, got {', '.join(sorted(unknown))}")
    settings, console, rows = _settings(given, threads), Console(width=WIDTH), []
    for case in given.case or CASES:
        found = CASES[case](settings)
        print_rows(found, console)
        rows += found
        if given.json:
            write_json(given.json, description(threads), rows)
    return 0


def _settings(given: argparse.Namespace, threads: int) -> Settings:
    from .libraries import HOST, usable

    return Settings(
        backends=tuple(given.backend or (library.name for library in usable(HOST, given.dtype))),
        works=tuple(given.work),
        launches=given.launches,
        peers=given.peers,
        rounds=1 if given.quick else given.rounds,
        quick=given.quick,
        threads=threads,
        clock=given.clock,
        dtype=given.dtype,
    )


if __name__ == "__main__":
    raise SystemExit(main())
