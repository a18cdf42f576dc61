"""Implementations in any language: a program that reads a question on a line of JSON and answers on a line.

    {"ask": "describe", "dtype": "float64"}
    {"name": "mine", "version": "1.0", "quantities": ["gradient"], "conventions": {"bias": "separate"}}

    {"ask": "compute", "quantity": "gradient", "problem": {"id": "...", "weights": [[[...], ...], ...], ...}}
    {"arrays": [[[...], ...], ...]}

An answer may also be {"unsupported": "reason"} or {"error": "message"}. The program ends when its input ends.

A problem of at least `LARGE` weights contains names of arrays instead of lists. The question then names the file of
these arrays:

    {"ask": "compute", ..., "problem": {"weights": ["weights[0]", ...], ...}, "tensors": "/tmp/.../problem.safetensors"}
    {"arrays": ["a", "b"], "tensors": "/tmp/.../answer.safetensors"}

An answer may also name arrays in a file, whatever the size of the problem. The folder of the question's file is removed
after the answer, with all files in it.
"""

import shlex
import stat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ..problems.problem import Array, Problem
from ..problems.serialisation import as_json, with_tensors
from ..quantities import ROWS
from .answers import NoAnswerError, as_arrays, error_line, max_bytes, one_line
from .process_adapter import ProcessAdapter

PREFIX = "exec:"
LARGE = 10**5
"""The number of weights from which a problem is sent in a file, because a line would have megabytes."""


class Program(ProcessAdapter):
    """The adapter of a command such as `exec:node mine.js`, for a dtype."""

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """The answer of the program, within the time limit."""
        question: dict[str, Any] = {"quantity": quantity}
        limit = max_bytes(problem, ROWS[quantity])
        with TemporaryDirectory(prefix="kfgn-", ignore_cleanup_errors=True) as folder:
            if problem.parameters < LARGE:
                question["problem"] = as_json(problem)
            else:
                file = Path(folder) / "problem.safetensors"
                question |= {"problem": with_tensors(problem, file), "tensors": str(file)}
            answer = self._answer(question, b"", limit)
            if "tensors" in answer:
                return as_arrays(_loaded(answer["tensors"], answer["arrays"], limit), limit)
            integers = quantity == "labels" and problem.labels.dtype.kind == "i"
            return _arrays(answer["arrays"], "int64" if integers else self.dtype)

    def _command(self) -> list[str]:
        """The words of the command, split as by a shell. The path of an existing file may contain spaces."""
        command = self.name.removeprefix(PREFIX)
        try:
            words = [command] if Path(command).is_file() else shlex.split(command)
        except ValueError as error:
            raise NoAnswerError(f"expected a command after {PREFIX}, got {one_line(repr(command))}: {error}") from error
        if not words:
            raise NoAnswerError(f"expected a command after {PREFIX}, got nothing")
        return words


def _loaded(file: Any, names: list[Any], limit: int) -> tuple[Array, ...]:
    """The arrays of these names, unchanged, from a safetensors file of at most `limit` bytes."""
    if not isinstance(file, str) or not all(isinstance(name, str) for name in names):
        raise NoAnswerError("expected the path of a file as tensors, and names in it as arrays")
    from safetensors.numpy import load  # an optional dependency, needed for large problems only

    shown = one_line(file, 200)
    try:
        status = Path(file).stat()
        if not stat.S_ISREG(status.st_mode):
            raise NoAnswerError(f"expected a safetensors file: {shown}: it is not a regular file")
        if status.st_size > limit:
            raise NoAnswerError(f"expected a safetensors file of at most {limit} bytes: {shown}: got {status.st_size}")
        tensors = load(Path(file).read_bytes())
    except NoAnswerError:
        raise
    except Exception as error:  # the library may raise anything for a malformed file
        raise NoAnswerError(f"expected a safetensors file: {shown}: {error_line(error)}") from error
    for name in names:
        if name not in tensors:
            found = one_line(", ".join(tensors), 200)
            raise NoAnswerError(f"expected a tensor {one_line(name, 80)!r} in {shown}, got {found}")
    return tuple(tensors[name] for name in names)


def _arrays(nested: list[Any], dtype: str) -> tuple[Array, ...]:
    """Convert nested lists to arrays of the dtype."""
    try:
        return tuple(_numbers(array, dtype, f"array {i} of {len(nested)}") for i, array in enumerate(nested, start=1))
    except (OverflowError, RuntimeError, ValueError) as error:  # too large numbers, or too deep lists
        raise NoAnswerError(f"expected arrays of numbers as nested lists: {error_line(error)}") from error


def _numbers(nested: Any, dtype: str, which: str) -> Array:
    """Convert nested lists to the dtype. Numbers that are not whole are left in float64 where integers are expected."""
    elements = np.array(nested, object)
    unexpected = set(map(type, elements.flat)) - {int, float}
    if list in unexpected:
        raise NoAnswerError(f"{which}: expected arrays of numbers as nested lists, got lists of different lengths")
    if unexpected:
        got = ", ".join(sorted(kind.__name__ for kind in unexpected))
        raise NoAnswerError(f"{which}: expected arrays of numbers as nested lists, got {got}")
    with np.errstate(over="ignore"):  # a number that is too large for float32 becomes infinite
        array = elements.astype(np.float64)
        whole = dtype != "int64" or bool(np.all(array == np.round(array)))
        return elements.astype(dtype) if whole else array
