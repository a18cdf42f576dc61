"""An implementation in a child process, which reads questions from its input and answers each with a line of JSON.

A question is a line of JSON too, {"ask": "describe", "dtype": "float64"} or {"ask": "compute", ...}. An answer is an
object: a description, or arrays, or {"unsupported": "why"}, or {"error": "what"}.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

from ..problems.problem import Array, Problem
from . import Description, UnsupportedError
from .answers import TEXT, NoAnswerError, line
from .child import Child
from .description import from_json
from .loading import AdapterError

START = 120.0
"""Seconds in which an adapter must start and describe itself."""


class Asked:
    """The adapter of a name and a dtype, in a process that starts with this object, and again if it has ended.

    limit: seconds for an answer; None for no limit
    start: seconds until it has described itself
    Raises `AdapterError` if it does not describe itself in this time. `compute` raises `NoAnswerError` if a question
    has no answer that can be read. The next question may then start a new process.
    """

    def __init__(self, name: str, dtype: str, limit: float | None, start: float = START) -> None:
        self.name, self.dtype, self.start = name, dtype, start
        self.limit = math.inf if limit is None else limit
        self.child: Child | None = None
        try:
            self.described = self._started()
        except NoAnswerError as error:
            raise AdapterError(f"{name}: {error}") from error

    def describe(self) -> Description:
        """The description that the adapter gave when this object was made."""
        return self.described

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """The adapter's answer, within the limit."""
        raise NotImplementedError

    def close(self) -> None:
        """End the process, and every process that it has started."""
        if self.child is not None:
            self.child.end()

    def __del__(self) -> None:
        if getattr(self, "child", None) is not None:
            self.close()

    def _command(self) -> list[str]:
        """The command that starts the process. `NoAnswerError` if there is none."""
        raise NotImplementedError

    def _started(self) -> Description:
        """Start the process and return its description. A process without one is ended."""
        self.child = Child(self._command())
        try:
            said = self._object({"ask": "describe", "dtype": self.dtype}, b"", self.start, TEXT)
            return from_json(said, self.dtype)
        except NoAnswerError:
            self.close()
            raise

    def _computed(self, question: Mapping[str, Any], more: bytes, most: int) -> dict[str, Any]:
        """The object with arrays that answers a question of `compute`. more: bytes that follow the question."""
        if (self.child is None or not self.child.running) and self._started() != self.described:
            self.close()
            raise NoAnswerError("its description is not the one that it gave before")
        said = self._object({"ask": "compute", **question}, more, self.limit, most)
        if "unsupported" in said:
            raise UnsupportedError(line(said["unsupported"]))
        if not isinstance(said.get("arrays"), list):
            raise NoAnswerError(
                f"expected arrays, unsupported or error in its answer, got {line(', '.join(said), 80) or 'nothing'}"
            )
        return said

    def _object(self, question: Mapping[str, Any], more: bytes, limit: float, most: int) -> dict[str, Any]:
        """The object on the line of the answer. `NoAnswerError` if there is none, or if the answer is an error."""
        assert self.child is not None
        written = self.child.ask(json.dumps(question).encode() + b"\n" + more, limit, most)
        try:
            said = json.loads(written)
        except (ValueError, RecursionError):  # it is no JSON, or is nested too deep to be read
            said = None
        if not isinstance(said, dict):
            raise NoAnswerError(f"expected an object of JSON on a line, got {_start(written)!r}")
        if "error" in said:
            raise NoAnswerError(line(said["error"]) or "an error without a message")
        return said


def _start(written: bytes) -> str:
    return written[:80].decode(errors="replace").strip()
