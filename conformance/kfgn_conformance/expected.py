"""Failures that are known, each with its reason: they do not fail a run, but one that is no failure any more does.

    [[failure]]
    adapter = "mine"
    dtype = "float64"
    quantity = "kfra_blocks"
    problems = "case-squared_error-*"
    status = "ERROR"
    reason = "the loss is made in the default dtype: issue 7"

`problems` are ids, as a pattern of the shell: * is any part of one. `status` is the verdict's.
"""

import tomllib
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from .quantities import ROWS
from .tolerances import ROUNDOFF
from .verdicts import BAD, Verdict


class ExpectedError(ValueError):
    """A file that does not say what is expected."""


class Expected(NamedTuple):
    """A line of the file."""

    adapter: str
    dtype: str
    quantity: str
    problems: str
    status: str
    reason: str

    def covers(self, verdict: Verdict) -> bool:
        """Whether the verdict is on one of its problems."""
        return fnmatchcase(verdict.problem, self.problems)

    def explains(self, verdict: Verdict) -> bool:
        """Whether that is what was expected."""
        return self.covers(verdict) and verdict.status == self.status

    def __str__(self) -> str:
        return f"{self.status} of {self.quantity} by {self.adapter} {self.dtype} on {self.problems}: {self.reason}"


def read_expected(path: Path) -> list[Expected]:
    """The failures of a file. Raises `ExpectedError`, and `OSError`."""
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ExpectedError(f"{path}: {error}") from error
    tables = written.get("failure", [])
    if set(written) - {"failure"} or not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
        raise ExpectedError(f"{path}: expected tables [[failure]], got {', '.join(written)}")
    known = []
    for i, failure in enumerate(tables, start=1):
        if set(failure) != set(Expected._fields):
            raise ExpectedError(
                f"{path}: failure {i}: expected {', '.join(Expected._fields)}, got {', '.join(failure)}"
            )
        if wrong := [name for name, text in failure.items() if not isinstance(text, str)]:
            raise ExpectedError(f"{path}: failure {i}: expected strings, got another {', '.join(wrong)}")
        if failure["dtype"] not in ROUNDOFF:
            raise ExpectedError(f"{path}: failure {i}: expected {' or '.join(ROUNDOFF)}, got {failure['dtype']!r}")
        if failure["quantity"] not in ROWS:
            raise ExpectedError(f"{path}: failure {i}: there is no quantity {failure['quantity']!r}")
        if failure["status"] not in BAD:
            raise ExpectedError(f"{path}: failure {i}: status: expected {', '.join(BAD)}, got {failure['status']!r}")
        known.append(Expected(**failure))
    return known
