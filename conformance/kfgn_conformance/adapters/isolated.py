"""An adapter in a process of its own: it cannot hang the kit, end it, or change what others are asked."""

import contextlib
from dataclasses import fields
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from ..problems import Array, Problem
from . import Description, UnsupportedError
from .loading import AdapterError, load

START = 120.0
"""Seconds to import the implementation and to describe it."""


class NoAnswerError(Exception):
    """What became of a question that has no answer; the message is one line."""


class Isolated:
    """The adapter of a name and a dtype, spawned when it is first asked, and anew after it was stopped.

    limit: seconds for an answer
    Raises `AdapterError` if it cannot be asked anything, and `NoAnswerError` from `compute` for one that raised, hung,
    died, or changed its input.
    """

    def __init__(self, name: str, dtype: str, limit: float) -> None:
        self.name, self.dtype, self.limit = name, dtype, limit
        self.process: Any = None
        described = self._started()
        if not isinstance(described, Description):
            raise AdapterError(described)
        self.described = described

    def describe(self) -> Description:
        """As it described itself when it was made."""
        return self.described

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """Its answer, within the limit."""
        if self.process is None and isinstance(failure := self._started(), str):
            raise NoAnswerError(failure)
        with contextlib.suppress(ConnectionError):  # it ended after its last answer: that is read next
            self.connection.send((problem, quantity))
        kind, answer = self._answer(self.limit)
        if kind == "unsupported":
            raise UnsupportedError(answer)
        if kind == "failed":
            raise NoAnswerError(answer)
        arrays: tuple[Array, ...] = answer
        return arrays

    def close(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.connection.close()
            self.process = None

    def __del__(self) -> None:
        self.close()

    def _started(self) -> Description | str:
        """Spawn the process: its description, or why there is none."""
        context = get_context("spawn")  # libraries that have threads do not survive a fork
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, self.name, self.dtype), daemon=True)
        self.process.start()
        theirs.close()
        kind, answer = self._answer(START)
        return answer if kind == "described" else f"{self.name}: {answer}"

    def _answer(self, limit: float) -> tuple[str, Any]:
        """What kind of answer, and the answer."""
        try:
            if not self.connection.poll(limit):
                self.close()
                return "failed", f"no answer within {limit:g} s"
            kind, answer = self.connection.recv()
            return kind, answer
        except (EOFError, ConnectionError):
            self.process.join()
            code = self.process.exitcode
            self.close()
            return "failed", ended(code)


def ended(code: int) -> str:
    """What became of a process, by its exit status."""
    return f"its process was ended by signal {-code}" if code < 0 else f"its process ended with exit status {code}"


def _serve(connection: Connection, name: str, dtype: str) -> None:
    """In the worker: describe, then answer until nobody asks."""
    try:
        adapter = load(name, dtype)
    except AdapterError as error:
        connection.send(("failed", str(error).removeprefix(f"{name}: ")))
        return
    connection.send(("described", adapter.describe()))
    while True:
        try:
            problem, quantity = connection.recv()
        except EOFError:
            return
        before = [array.copy() for array in _arrays(problem)]
        try:
            answer = adapter.compute(problem, quantity)
        except UnsupportedError as error:
            connection.send(("unsupported", str(error)))
            continue
        except Exception as error:  # it is the verdict
            connection.send(("failed", f"{type(error).__name__}: {' '.join(str(error).split())}"))
            continue
        if not all(np.array_equal(a, b) for a, b in zip(before, _arrays(problem), strict=True)):
            connection.send(("failed", "it changed the arrays of the problem that it was given"))
        else:
            connection.send(("answered", answer))


def _arrays(problem: Problem) -> list[Array]:
    """Every array of a problem."""
    found: list[Array] = []

    def add(value: Any) -> None:
        if isinstance(value, np.ndarray):
            found.append(value)
        elif isinstance(value, tuple):
            for part in value:
                add(part)

    for field in fields(problem):
        add(getattr(problem, field.name))
    return found
