"""An implementation in any language: a program that reads a question on a line of JSON and answers on a line.

    {"ask": "describe", "dtype": "float64"}
    {"name": "mine", "version": "1.0", "quantities": ["gradient"], "conventions": {"bias": "separate"}}

    {"ask": "compute", "quantity": "gradient", "problem": {"id": "...", "weights": [[[...], ...], ...], ...}}
    {"arrays": [[[...], ...], ...]}

In the place of an answer there may be {"unsupported": "why"} or {"error": "what"}. The program ends with its input.

A problem of `LARGE` or more weights names its arrays in the place of lists, and the question has the file they are in:

    {"ask": "compute", ..., "problem": {"weights": ["weights.0", ...], ...}, "tensors": "/tmp/.../problem.safetensors"}
    {"arrays": ["a", "b"], "tensors": "/tmp/.../answer.safetensors"}

and so may any answer. The folder of the question's file is removed after the answer, with what was put beside it.
"""

import contextlib
import json
import shlex
import subprocess
from pathlib import Path
from queue import Empty, Queue
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

import numpy as np

from ..exchange import as_json, with_tensors
from ..problems import Array, Problem
from . import Conventions, Description, UnsupportedError
from .isolated import START, NoAnswerError, ended
from .loading import AdapterError

PREFIX = "exec:"
LARGE = 10**5
"""So many weights are sent in a file: a line would have megabytes."""


class Program:
    """The adapter of a command, `exec:node mine.js`, and a dtype; started when first asked, and anew after it ended.

    limit: seconds for an answer; None for no limit
    Raises as `Isolated` does.
    """

    def __init__(self, name: str, dtype: str, limit: float | None) -> None:
        self.name, self.dtype, self.limit = name, dtype, limit
        self.process: subprocess.Popen[str] | None = None
        self.lines: Queue[str] = Queue()
        try:
            said = self._asked({"ask": "describe", "dtype": dtype}, START)
            self.described = Description(
                str(said["name"]),
                str(said["version"]),
                dtype,
                frozenset(said["quantities"]),
                conventions=Conventions(**said.get("conventions", {})),
            )
        except KeyError as error:
            raise AdapterError(f"{name}: its description has no {error}") from error
        except (NoAnswerError, TypeError, ValueError) as error:
            raise AdapterError(f"{name}: {error}") from error

    def describe(self) -> Description:
        """As it described itself when it was started first."""
        return self.described

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """Its answer, within the limit."""
        question: dict[str, Any] = {"ask": "compute", "quantity": quantity}
        with TemporaryDirectory(prefix="kfgn-") as folder:
            if problem.parameters < LARGE:
                question["problem"] = as_json(problem)
            else:
                file = Path(folder) / "problem.safetensors"
                question |= {"problem": with_tensors(problem, file), "tensors": str(file)}
            said = self._asked(question, self.limit)
            if "unsupported" in said:
                raise UnsupportedError(str(said["unsupported"]))
            if not isinstance(said.get("arrays"), list):
                raise NoAnswerError(
                    f"expected arrays, unsupported or error in its answer, got {', '.join(said) or 'nothing'}"
                )
            integers = quantity == "labels" and problem.labels.dtype.kind == "i"
            return _arrays(said, "int64" if integers else self.dtype)

    def close(self) -> None:
        """End the program."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            for stream in (self.process.stdin, self.process.stdout):
                if stream is not None:
                    with contextlib.suppress(OSError):  # what was not read yet cannot be flushed
                        stream.close()
            self.process = None

    def __del__(self) -> None:
        self.close()

    def _asked(self, question: dict[str, Any], limit: float | None) -> dict[str, Any]:
        """The object on the line that answers. `NoAnswerError` if there is none, or if it is an error."""
        process = self._running()
        if not self.lines.empty() and (more := self.lines.get()):
            self.close()
            raise NoAnswerError(f"expected one line for each question, got another: {more.strip()[:80]!r}")
        # in a thread, as a program that does not read would be waited for without a limit
        Thread(target=_write, args=(process, json.dumps(question) + "\n"), daemon=True).start()
        try:
            line = self.lines.get(timeout=limit)
        except Empty:
            self.close()
            raise NoAnswerError(f"no answer within {limit:g} s") from None
        if not line:
            try:
                end = ended(process.wait(timeout=5))
            except subprocess.TimeoutExpired:
                end = "it has closed its output"
            self.close()
            raise NoAnswerError(end)
        try:
            said = json.loads(line)
        except ValueError:
            said = None
        if not isinstance(said, dict):
            raise NoAnswerError(f"expected an object of JSON on a line, got {line.strip()[:80]!r}")
        if "error" in said:
            raise NoAnswerError(" ".join(str(said["error"]).split()))
        return said

    def _running(self) -> "subprocess.Popen[str]":
        """The process, started if there is none."""
        if self.process is None:
            command = shlex.split(self.name.removeprefix(PREFIX))
            try:
                self.process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", errors="replace"
                )
            except (OSError, IndexError) as error:
                raise NoAnswerError(f"it cannot be started: {error}") from error
            self.lines = Queue()  # a new one, as the reader of the last may still have had something to say
            Thread(target=_read, args=(self.process, self.lines), daemon=True).start()
        return self.process


def _write(process: "subprocess.Popen[str]", question: str) -> None:
    """A line; that nobody reads it shows in the answer."""
    assert process.stdin is not None
    with contextlib.suppress(OSError, ValueError):
        process.stdin.write(question)
        process.stdin.flush()


def _read(process: "subprocess.Popen[str]", lines: "Queue[str]") -> None:
    """Every line, and an empty one at the end."""
    assert process.stdout is not None
    try:
        for line in process.stdout:
            lines.put(line)
    except ValueError:  # closed meanwhile
        pass
    lines.put("")


def _arrays(said: dict[str, Any], dtype: str) -> tuple[Array, ...]:
    """Those of an answer: nested lists in the dtype, or by name in a file, as they are."""
    if "tensors" in said:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            tensors = load_file(said["tensors"])
            return tuple(tensors[name] for name in said["arrays"])
        except KeyError as error:
            raise NoAnswerError(f"expected a tensor {error} in {said['tensors']}, got {', '.join(tensors)}") from error
        except (OSError, TypeError, SafetensorError) as error:
            raise NoAnswerError(f"expected a safetensors file: {said['tensors']}: {error}") from error
    try:
        return tuple(_numbers(array, dtype) for array in said["arrays"])
    except (TypeError, ValueError) as error:
        raise NoAnswerError(f"expected arrays of numbers as nested lists: {error}") from error


def _numbers(nested: Any, dtype: str) -> Array:
    """In the dtype; what is no whole number stays as it is where classes are asked for, to be judged so."""
    array = np.array(nested)
    if array.dtype.kind not in "iuf":
        raise ValueError(f"got {array.dtype}")
    whole = dtype != "int64" or np.array_equal(array, np.round(array))
    return array.astype(dtype) if whole else array
