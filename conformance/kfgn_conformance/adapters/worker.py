"""The process of an isolated adapter, which describes the adapter and then answers until its input ends."""

import contextlib
import json
import os
import pickle
import sys
from functools import lru_cache
from typing import Any, BinaryIO

from ..inputs import changed, copied, of_changed, restore
from ..problems.problem import Array, Problem
from . import Adapter, UnsupportedError
from .answers import NoAnswerError, as_arrays, message, raised
from .frames import headers
from .loading import AdapterError, load

Answer = tuple[dict[str, Any], tuple[Array, ...]]
"""The object of a line, and the arrays that follow it."""


def serve(name: str, dtype: str) -> None:
    """Answer the questions on the standard input, in this process and not in forks that the adapter makes."""
    questions, answers = _private_streams()
    adapter: Adapter | None = None
    for question in map(json.loads, iter(questions.readline, b"")):
        process = os.getpid()
        if question["ask"] == "describe":
            adapter, answer = _loaded(name, dtype)
        else:
            assert adapter is not None
            problem = _problem(questions.read(question["bytes"]))
            answer = _computed(adapter, problem, question["quantity"], question["most"])
        if os.getpid() != process:
            os._exit(0)  # the adapter has forked, and this is the copy
        _send(answers, *answer)


def _private_streams() -> tuple[BinaryIO, BinaryIO]:
    """The input and the output. The adapter's own output goes to the standard error, and its input is empty."""
    sys.stdout.flush()
    streams = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return streams


def _send(answers: BinaryIO, said: dict[str, Any], arrays: tuple[Array, ...]) -> None:
    with contextlib.suppress(Exception):  # the adapter may have closed or replaced it
        sys.stdout.flush()
    answers.write(json.dumps(said).encode() + b"\n")
    for array in arrays:
        answers.write(array.tobytes())
    answers.flush()


def _loaded(name: str, dtype: str) -> tuple[Adapter | None, Answer]:
    try:
        adapter = load(name, dtype)
    except AdapterError as error:
        return None, _error(str(error).removeprefix(f"{name}: "))
    except KeyboardInterrupt as error:  # the adapter has raised it: Ctrl-C does not reach this process
        return None, _error(raised(error))
    return adapter, (adapter.describe().as_json(), ())


@lru_cache(maxsize=64)
def _problem(pickled: bytes) -> Problem:
    """The problem in these bytes, as one object for all its quantities, since adapters may keep values for it."""
    problem: Problem = pickle.loads(pickled)
    return problem


def _computed(adapter: Adapter, problem: Problem, quantity: str, most: int) -> Answer:
    """The answer of the adapter, or what it raises. The next question has the problem as it was."""
    before = copied(problem)
    said, arrays = _asked(adapter, problem, quantity, most)
    if names := changed(before, problem):
        restore(before, problem)
        if "error" not in said:
            return _error(of_changed(names))
    return said, arrays


def _asked(adapter: Adapter, problem: Problem, quantity: str, most: int) -> Answer:
    try:
        arrays = as_arrays(adapter.compute(problem, quantity), most)
    except UnsupportedError as error:
        return {"unsupported": message(error)}, ()
    except NoAnswerError as error:
        return _error(str(error))
    except BaseException as error:
        return _error(raised(error))
    return {"arrays": headers(arrays)}, arrays


def _error(what: str) -> Answer:
    return {"error": what}, ()
