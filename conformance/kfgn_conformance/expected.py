"""Expected failures (xfail), which do not fail a run, with their reasons.

A run fails if an expected failure does not occur and the quantity passes on one of the failure's problems.

A TOML file lists the expected failures:

    [[failure]]
    adapter = "mine"
    dtype = "float64"
    quantity = "kfra_blocks"
    problems = "case-squared_error-*"
    status = "ERROR"
    reason = "the loss is made in the default dtype: issue 7"

`adapter` is the name in the adapter's description. `problems` is a shell pattern for the ids of problems, such as * for
all problems. `status` is the status of the expected verdict.
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
    """An expected failure, with the fields of a [[failure]] table in the file."""

    adapter: str
    dtype: str
    quantity: str
    problems: str
    status: str
    reason: str

    def covers(self, verdict: Verdict) -> bool:
        """True if the pattern matches the problem of the verdict."""
        return fnmatchcase(verdict.problem, self.problems)

    def explains(self, verdict: Verdict) -> bool:
        """True if the verdict is the expected failure."""
        return self.covers(verdict) and verdict.status == self.status

    def __str__(self) -> str:
        return f"{self.status} of {self.quantity} by {self.adapter} {self.dtype} on {self.problems}: {self.reason}"


class ExpectedFile(TypedDict):
    """The content of a file of expected failures."""

    failure: NotRequired[list[Expected]]


def read_expected(path: Path) -> list[Expected]:
    """Read the expected failures in a file. Raises `FileError` for an unreadable or malformed file."""
    failures = checked(from_toml(content_of(path), path), ExpectedFile, path).get("failure", [])
    for i, failure in enumerate(failures):
        for name, allowed in (("dtype", tuple(ROUNDOFF)), ("quantity", tuple(ROWS)), ("status", BAD)):
            if (got := getattr(failure, name)) not in allowed:
                message = f"expected one of {', '.join(allowed)}, got {got!r}{suggestion([got], allowed)}"
                raise FileError(f"{path}: failure[{i}].{name}: {message}")
    return failures
