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

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NotRequired, TypedDict

from .decoding import FileError, checked, content_of, from_toml
from .quantities import ROWS
from .suggestions import suggestion
from .tolerances import ROUNDOFF
from .verdicts import BAD, Verdict


@dataclass(frozen=True)
class Expected:
    """A table of the file."""

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


class Expectations(TypedDict):
    """The file."""

    failure: NotRequired[list[Expected]]


def read_expected(path: Path) -> list[Expected]:
    """The failures of a file. Raises `FileError`."""
    known = checked(from_toml(content_of(path), path), Expectations, path).get("failure", [])
    for i, failure in enumerate(known):
        for name, allowed in (("dtype", tuple(ROUNDOFF)), ("quantity", tuple(ROWS)), ("status", BAD)):
            if (got := getattr(failure, name)) not in allowed:
                message = f"expected one of {', '.join(allowed)}, got {got!r}{suggestion([got], allowed)}"
                raise FileError(f"{path}: failure[{i}].{name}: {message}")
    return known
