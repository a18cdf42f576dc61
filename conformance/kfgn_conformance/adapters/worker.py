"""Worker process of an isolated adapter. The process answers the kit's questions until its standard input ends.

A question is a request for the adapter's description, or for one quantity on one problem.
"""

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
from .answers import NoAnswerError, as_arrays, error_line, error_message, raised_line
from .array_bytes import headers
from .loading import AdapterError, load

Answer = tuple[dict[str, Any], tuple[Array, ...]]
"""The object of JSON on the line of an answer, and the arrays whose bytes follow the line."""


def serve(name: str, dtype: str) -> None:
    """Answer the questions on the standard input. If the adapter forks this process, the copy answers no question."""
    questions, answers = _private_streams()
    adapter: Adapter | None = None
    for question in map(json.loads, iter(questions.readline, b"")):
        process = os.getpid()
        if question["ask"] == "describe":
            adapter, answer = _loaded(name, dtype)
        else:
            assert adapter is not None
            problem = _problem(questions.read(question["bytes"]))
            answer = _computed(adapter, problem, question["quantity"], question["max_bytes"])
        if os.getpid() != process:
            os._exit(0)  # the adapter has forked the worker, and this process is the copy
        _send(answers, *answer)


def _private_streams() -> tuple[BinaryIO, BinaryIO]:
    """Streams for the questions and the answers, separate from the standard streams of the adapter.

    The standard input of the adapter is empty. The standard output of the adapter goes to the standard error.
    """
    sys.stdout.flush()
    streams = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return streams


def _send(answers: BinaryIO, answer: dict[str, Any], arrays: tuple[Array, ...]) -> None:
    """Write the line of an answer and the bytes of its arrays."""
    with contextlib.suppress(Exception):  # the adapter may have closed or replaced the standard output
        sys.stdout.flush()
    answers.write(json.dumps(answer).encode() + b"\n")
    for array in arrays:
        answers.write(array.tobytes())
    answers.flush()


def _loaded(name: str, dtype: str) -> tuple[Adapter | None, Answer]:
    """Load the adapter. Returns the adapter and its description, or None and an error."""
    try:
        adapter = load(name, dtype)
    except AdapterError as error:
        return None, _error(str(error).removeprefix(f"{name}: "))
    except KeyboardInterrupt as error:  # only the adapter can raise it, since Ctrl-C does not reach this process
        return None, _error(error_line(error))
    return adapter, (adapter.describe().as_json(), ())


@lru_cache(maxsize=256)
def _problem(pickled: bytes) -> Problem:
    """Unpickle a problem. The last 256 problems are stored, so that adapters can cache values per problem object.

    A default run has fewer problems.
    """
    problem: Problem = pickle.loads(pickled)
    return problem


def _computed(adapter: Adapter, problem: Problem, quantity: str, limit: int) -> Answer:
    """The answer of the adapter, or the error that the adapter raised.

    If the adapter has changed the problem, the answer is an error, and the problem is restored.
    """
    before = copied(problem)
    answer, arrays = _answer_or_error(adapter, problem, quantity, limit)
    if names := changed(before, problem):
        restore(before, problem)
        if "error" not in answer:
            return _error(of_changed(names))
    return answer, arrays


def _answer_or_error(adapter: Adapter, problem: Problem, quantity: str, limit: int) -> Answer:
    try:
        arrays = as_arrays(adapter.compute(problem, quantity), limit)
    except UnsupportedError as error:
        return {"unsupported": error_message(error)}, ()
    except NoAnswerError as error:
        return _error(str(error))
    except BaseException as error:
        return _error(raised_line(error))
    return {"arrays": headers(arrays)}, arrays


def _error(message: str) -> Answer:
    return {"error": message}, ()
