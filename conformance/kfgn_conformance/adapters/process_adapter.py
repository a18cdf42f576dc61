"""Adapters that run in a child process, which reads questions from its input and answers each with a line of JSON.

A question is also a line of JSON, {"ask": "describe", "dtype": "float64"} or {"ask": "compute", ...}. An answer is an
object: a description, or arrays, or {"unsupported": "reason"}, or {"error": "message"}.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

from ..problems.problem import Array, Problem
from . import Description, UnsupportedError
from .answers import MAX_TEXT_BYTES, NoAnswerError, one_line
from .child_process import ChildProcess
from .description import from_json
from .loading import AdapterError

START = 120.0
"""Seconds in which an adapter must start and describe itself."""


class ProcessAdapter:
    """An adapter in a child process. The process starts with this object, and again at the next question if it ended.

    name:  the name of the adapter on the command line
    dtype: float32 or float64, the dtype of its answers
    limit: seconds until an answer must be complete, or None for no limit
    start: seconds until the process must have described itself
    Raises `AdapterError` if the process does not describe itself in time. `compute` raises `NoAnswerError` if the
    process gives no readable answer.
    """

    def __init__(self, name: str, dtype: str, limit: float | None, start: float = START) -> None:
        self.name, self.dtype, self.start = name, dtype, start
        self.limit = math.inf if limit is None else limit
        self.child: ChildProcess | None = None
        try:
            self.description = self._start_process()
        except NoAnswerError as error:
            raise AdapterError(f"{name}: {error}") from error

    def describe(self) -> Description:
        """The description that the process gave at its first start."""
        return self.description

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """The answer of the process, within the time limit."""
        raise NotImplementedError

    def close(self) -> None:
        """End the process and every process that it has started."""
        if self.child is not None:
            self.child.end()

    def __del__(self) -> None:
        if getattr(self, "child", None) is not None:
            self.close()

    def _command(self) -> list[str]:
        """The command that starts the process. Raises `NoAnswerError` if the name gives no command."""
        raise NotImplementedError

    def _start_process(self) -> Description:
        """Start the process and return its description. A process that gives no description is ended."""
        self.child = ChildProcess(self._command())
        try:
            answer = self._object({"ask": "describe", "dtype": self.dtype}, b"", self.start, MAX_TEXT_BYTES)
            return from_json(answer, self.dtype)
        except NoAnswerError:
            self.close()
            raise

    def _answer(self, question: Mapping[str, Any], appended: bytes, max_bytes: int) -> dict[str, Any]:
        """Ask a question of the kind `compute` and return the object that holds the arrays.

        appended:  bytes that follow the line of the question
        max_bytes: the largest length of the line of the answer
        """
        if (self.child is None or not self.child.running) and self._start_process() != self.description:
            self.close()
            raise NoAnswerError("expected the same description after a restart, got a different one")
        answer = self._object({"ask": "compute", **question}, appended, self.limit, max_bytes)
        if "unsupported" in answer:
            raise UnsupportedError(one_line(answer["unsupported"]))
        if not isinstance(answer.get("arrays"), list):
            names = one_line(", ".join(answer), 80) or "nothing"
            raise NoAnswerError(f"expected arrays, unsupported or error in its answer, got {names}")
        return answer

    def _object(self, question: Mapping[str, Any], appended: bytes, limit: float, max_bytes: int) -> dict[str, Any]:
        """The object on the line of the answer. Raises `NoAnswerError` if it is missing or reports an error."""
        assert self.child is not None
        written = self.child.ask(json.dumps(question).encode() + b"\n" + appended, limit, max_bytes)
        try:
            answer = json.loads(written)
        except (ValueError, RecursionError):  # not JSON, or nested too deep
            answer = None
        if not isinstance(answer, dict):
            raise NoAnswerError(f"expected an object of JSON on a line, got {_start_of(written)!r}")
        if "error" in answer:
            raise NoAnswerError(one_line(answer["error"]) or "an error without a message")
        return answer


def _start_of(written: bytes) -> str:
    return written[:80].decode(errors="replace").strip()
