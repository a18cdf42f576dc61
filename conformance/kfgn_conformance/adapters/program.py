"""Implementations in any language: programs that read each question on a line of JSON and answer on a line of JSON.

    {"ask": "describe", "dtype": "float64"}
    {"name": "mine", "version": "1.0", "quantities": ["gradient"], "conventions": {"bias": "separate"}}

    {"ask": "compute", "quantity": "gradient", "problem": {"id": "...", "weights": [[[...], ...], ...], ...}}
    {"arrays": [[[...], ...], ...]}

An answer may also be {"unsupported": "reason"} or {"error": "message"}. The program must end when its standard input
ends.

A problem of at least `LARGE` weights contains names of arrays instead of nested lists. In the field `tensors`, the
question contains the path of a safetensors file with the named arrays:

    {"ask": "compute", ..., "problem": {"weights": ["weights[0]", ...], ...}, "tensors": "/tmp/.../problem.safetensors"}
    {"arrays": ["a", "b"], "tensors": "/tmp/.../answer.safetensors"}

The answer to a problem of any size may contain the path of a safetensors file and the names of its arrays. After the
answer, the kit removes the folder of the question's safetensors file, with all files in this folder.
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
from .naming import PREFIX
from .process_adapter import ProcessAdapter

LARGE = 10**5
"""The smallest number of weights of a problem whose arrays are sent in a file.

The text of these arrays on one line of JSON would have several megabytes.
"""


class Program(ProcessAdapter):
    """The adapter of a command such as `exec:node mine.js`, for a dtype."""

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """Return the answer of the program. The answer must be complete within the time limit."""
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
        """The words of the command, split by the rules of a shell. The path of an existing file is not split."""
        command = self.name.removeprefix(PREFIX)
        try:
            words = [command] if Path(command).is_file() else shlex.split(command)
        except ValueError as error:
            raise NoAnswerError(f"expected a command after {PREFIX}, got {one_line(repr(command))}: {error}") from error
        if not words:
            raise NoAnswerError(f"expected a command after {PREFIX}, got nothing")
        return words


def _loaded(file: Any, names: list[Any], limit: int) -> tuple[Array, ...]:
    """The arrays with the given names in a safetensors file of at most `limit` bytes, without conversion."""
    if not isinstance(file, str) or not all(isinstance(name, str) for name in names):
        raise NoAnswerError(
            'expected the path of a safetensors file as the field "tensors", and the names of arrays in this file as '
            f'the field "arrays", got {one_line(file, 200)} and {one_line(names, 200)}'
        )
    from safetensors.numpy import load  # safetensors is an optional dependency, which only arrays in files need

    shown = one_line(file, 200)
    try:
        status = Path(file).stat()
        if not stat.S_ISREG(status.st_mode):
            raise NoAnswerError(f"{shown}: expected a safetensors file, got a file that is not regular")
        if status.st_size > limit:
            raise NoAnswerError(f"{shown}: expected a file of at most {limit} bytes, got {status.st_size}")
        tensors = load(Path(file).read_bytes())
    except NoAnswerError:
        raise
    except Exception as error:  # safetensors may raise any exception for a malformed file
        raise NoAnswerError(f"{shown}: expected a safetensors file: {error_line(error)}") from error
    for name in names:
        if name not in tensors:
            found = one_line(", ".join(tensors), 200)
            raise NoAnswerError(f"expected a tensor {one_line(name, 80)!r} in {shown}, got {found}")
    return tuple(tensors[name] for name in names)


def _arrays(nested: list[Any], dtype: str) -> tuple[Array, ...]:
    """Convert nested lists to arrays of the dtype."""
    try:
        return tuple(_numbers(array, dtype, f"array {i} of {len(nested)}") for i, array in enumerate(nested, start=1))
    except (OverflowError, RuntimeError, ValueError) as error:  # a number is too large, or lists are nested too deep
        raise NoAnswerError(f"expected arrays of numbers as nested lists: {error_line(error)}") from error


def _numbers(nested: Any, dtype: str, which: str) -> Array:
    """Convert nested lists to an array of the dtype.

    If the dtype is int64 and a number is not an integer, the array has the dtype float64.
    """
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
