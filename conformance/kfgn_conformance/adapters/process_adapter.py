"""Adapters in a child process, which reads questions from its standard input and answers in lines of JSON.

A question is a line of JSON, {"ask": "describe", "dtype": "float64"} or {"ask": "compute", ...}. The line of an answer
contains a description, or arrays, or {"unsupported": "reason"}, or {"error": "message"}. In the module `isolated`,
bytes follow the line of a question with "compute", and the line of an answer with arrays.
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
"""The time in seconds within which an adapter must start and send its description."""


class ProcessAdapter:
    """An adapter in a child process. A child process that has ended is started again for the next question.

    name:  name of the adapter on the command line
    dtype: name of the dtype of the answers, float32 or float64
    limit: time in seconds within which an answer must be complete, or None for no limit
    start: time in seconds within which the process must start and send its description

    Raises `AdapterError` if the process cannot be started, or sends no readable description in time. `compute` raises
    `UnsupportedError` if the process does not support a problem, and `NoAnswerError` if the process gives no readable
    answer in time.
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
        """Return the answer of the process. The answer must be complete within the time limit."""
        raise NotImplementedError

    def close(self) -> None:
        """End the process and the processes that it has started."""
        if self.child is not None:
            self.child.end()

    def __del__(self) -> None:
        if getattr(self, "child", None) is not None:
            self.close()

    def _command(self) -> list[str]:
        """The command that starts the process. Raises `NoAnswerError` if the adapter's name contains no command."""
        raise NotImplementedError

    def _start_process(self) -> Description:
        """Start the process and return its description. A process that sends no description is ended.

        Raises `NoAnswerError` if the process cannot be started, or sends no readable description in time.
        """
        self.child = ChildProcess(self._command())
        try:
            answer = self._object({"ask": "describe", "dtype": self.dtype}, b"", self.start, MAX_TEXT_BYTES)
            return from_json(answer, self.dtype)
        except NoAnswerError:
            self.close()
            raise

    def _answer(self, question: Mapping[str, Any], appended: bytes, max_bytes: int) -> dict[str, Any]:
        """Send a question with `"ask": "compute"`, and return the object of JSON that describes the arrays.

        appended:  bytes that are sent after the line of the question
        max_bytes: number of bytes after which a line of the answer that is still incomplete is refused
        """
        if (self.child is None or not self.child.running) and self._start_process() != self.description:
            self.close()
            raise NoAnswerError("expected the same description after a restart, got a different description")
        answer = self._object({"ask": "compute", **question}, appended, self.limit, max_bytes)
        if "unsupported" in answer:
            raise UnsupportedError(one_line(answer["unsupported"]))
        if not isinstance(answer.get("arrays"), list):
            names = one_line(", ".join(answer), 80) or "nothing"
            raise NoAnswerError(f"expected a field arrays, unsupported or error in the answer, got {names}")
        return answer

    def _object(self, question: Mapping[str, Any], appended: bytes, limit: float, max_bytes: int) -> dict[str, Any]:
        """Send a question, and return the object of JSON on the line of the answer.

        Raises `NoAnswerError` if the line is not an object of JSON, or if the object has a field `error`.
        """
        assert self.child is not None
        written = self.child.ask(json.dumps(question).encode() + b"\n" + appended, limit, max_bytes)
        try:
            answer = json.loads(written)
        except (ValueError, RecursionError):  # the line is not JSON, or its brackets are nested too deep
            answer = None
        if not isinstance(answer, dict):
            raise NoAnswerError(f"expected an object of JSON on a line, got {_start_of(written)!r}")
        if "error" in answer:
            raise NoAnswerError(one_line(answer["error"]) or "an error without a message")
        return answer


def _start_of(written: bytes) -> str:
    return written[:80].decode(errors="replace").strip()
