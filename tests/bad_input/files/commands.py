"""Running a command in this process, and checking its output."""

import contextlib
import io
from collections.abc import Callable, Sequence
from typing import NamedTuple, TextIO

import pytest
from kfgn_conformance.problem_sets import standard
from kfgn_conformance.problems.cases import cases

CHECK = ("--backend", "numpy", "--examples", 0, "--quantity", "loss", "kfra")
"""Arguments of `kfgn-check` for a short table. All rows would take most of the time of a test about their output."""


class Done(NamedTuple):
    """The exit status of a command, and the text that it printed."""

    status: int
    out: str
    err: str


def call(main: Callable[[Sequence[str]], int], *arguments: object, stdout: TextIO | None = None) -> Done:
    """Run the command. An exception other than `SystemExit` would be a traceback for its user, and is raised here."""
    out, err = stdout or io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as end:
            status = int(end.code or 0)
    return Done(status, "" if stdout else out.getvalue(), err.getvalue())


def fault_of_error(done: Done, *names: str) -> str:
    """Describe how the output of a failed command differs from one plain line with one of the names; or return ""."""
    lines = [line for line in done.err.splitlines() if "error: " in line]
    if len(lines) != 1:
        return f"expected one line with an error, got {done.err!r}"
    if not lines[0].isprintable():
        return f"expected no control characters, got {lines[0]!r}"
    if not any(name in lines[0] for name in names):
        return f"expected one of {names} to be named, got {lines[0]!r}"
    return ""


def leave_one_case(patch: pytest.MonkeyPatch) -> None:
    """Leave one case in the problems of the kit."""
    patch.setattr(standard, "REAL_PROBLEMS", {})
    patch.setattr(standard, "cases", lambda: cases()[:1])
    patch.setattr(standard, "fixed", tuple)
    patch.setattr(standard, "trajectory_problems", tuple)
