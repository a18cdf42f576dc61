"""An implementation in any language: a program that reads a question on a line of JSON and answers on a line.

    {"ask": "describe", "dtype": "float64"}
    {"name": "mine", "version": "1.0", "quantities": ["gradient"], "conventions": {"bias": "separate"}}

    {"ask": "compute", "quantity": "gradient", "problem": {"id": "...", "weights": [[[...], ...], ...], ...}}
    {"arrays": [[[...], ...], ...]}

In the place of an answer there may be {"unsupported": "why"} or {"error": "what"}. The program ends with its input.

A problem of `LARGE` or more weights names its arrays in the place of lists, and the question has the file they are in:

    {"ask": "compute", ..., "problem": {"weights": ["weights[0]", ...], ...}, "tensors": "/tmp/.../problem.safetensors"}
    {"arrays": ["a", "b"], "tensors": "/tmp/.../answer.safetensors"}

and so may any answer. The folder of the question's file is removed after the answer, with what was put beside it.
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
from .answers import NoAnswerError, as_arrays, line, raised, room
from .asked import Asked

PREFIX = "exec:"
LARGE = 10**5
"""So many weights are sent in a file: a line would have megabytes."""


class Program(Asked):
    """The adapter of a command, `exec:node mine.js`, and a dtype."""

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """Its answer, within the limit."""
        question: dict[str, Any] = {"quantity": quantity}
        most = room(problem, ROWS[quantity])
        with TemporaryDirectory(prefix="kfgn-", ignore_cleanup_errors=True) as folder:
            if problem.parameters < LARGE:
                question["problem"] = as_json(problem)
            else:
                file = Path(folder) / "problem.safetensors"
                question |= {"problem": with_tensors(problem, file), "tensors": str(file)}
            said = self._computed(question, b"", most)
            if "tensors" in said:
                return as_arrays(_loaded(said["tensors"], said["arrays"], most), most)
            integers = quantity == "labels" and problem.labels.dtype.kind == "i"
            return _arrays(said["arrays"], "int64" if integers else self.dtype)

    def _command(self) -> list[str]:
        """The words of the command as a shell splits them, or the one path of a file with spaces in its name."""
        command = self.name.removeprefix(PREFIX)
        try:
            words = [command] if Path(command).is_file() else shlex.split(command)
        except ValueError as error:
            raise NoAnswerError(f"expected a command after {PREFIX}, got {line(repr(command))}: {error}") from error
        if not words:
            raise NoAnswerError(f"expected a command after {PREFIX}, got nothing")
        return words


def _loaded(file: Any, names: list[Any], most: int) -> tuple[Array, ...]:
    """The arrays of these names, unchanged, in a safetensors file of at most `most` bytes."""
    if not isinstance(file, str) or not all(isinstance(name, str) for name in names):
        raise NoAnswerError("expected the path of a file as tensors, and names in it as arrays")
    from safetensors.numpy import load  # an optional dependency, for large problems alone

    shown = line(file, 200)
    try:
        status = Path(file).stat()
        if not stat.S_ISREG(status.st_mode):
            raise NoAnswerError(f"expected a safetensors file: {shown}: it is no regular file")
        if status.st_size > most:
            raise NoAnswerError(f"expected a safetensors file of at most {most} bytes: {shown}: got {status.st_size}")
        tensors = load(Path(file).read_bytes())
    except NoAnswerError:
        raise
    except Exception as error:  # the reason is whatever the library raises for the content
        raise NoAnswerError(f"expected a safetensors file: {shown}: {raised(error)}") from error
    for name in names:
        if name not in tensors:
            raise NoAnswerError(f"expected a tensor {line(name, 80)!r} in {shown}, got {line(', '.join(tensors), 200)}")
    return tuple(tensors[name] for name in names)


def _arrays(nested: list[Any], dtype: str) -> tuple[Array, ...]:
    """Nested lists in the dtype."""
    try:
        return tuple(_numbers(array, dtype, f"array {i} of {len(nested)}") for i, array in enumerate(nested, start=1))
    except (OverflowError, RuntimeError, ValueError) as error:  # too large numbers, or too deep lists
        raise NoAnswerError(f"expected arrays of numbers as nested lists: {raised(error)}") from error


def _numbers(nested: Any, dtype: str, which: str) -> Array:
    """In the dtype; what is no whole number stays as it is where classes are asked for, to be judged so."""
    elements = np.array(nested, object)
    others = set(map(type, elements.flat)) - {int, float}
    if list in others:
        raise NoAnswerError(f"{which}: expected arrays of numbers as nested lists, got lists of different lengths")
    if others:
        got = ", ".join(sorted(kind.__name__ for kind in others))
        raise NoAnswerError(f"{which}: expected arrays of numbers as nested lists, got {got}")
    with np.errstate(over="ignore"):  # a number that is too large for float32 becomes infinite
        array = elements.astype(np.float64)
        whole = dtype != "int64" or bool(np.all(array == np.round(array)))
        return elements.astype(dtype) if whole else array
