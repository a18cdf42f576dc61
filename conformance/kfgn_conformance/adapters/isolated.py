"""Adapters in separate processes. A faulty adapter can neither block nor end the kit, nor change the kit's problems.

The kit sends a problem to the worker process as a pickle. The worker's answer is a line of JSON and the bytes of the
arrays. The kit does not unpickle any part of an answer.
"""

import json
import pickle
import sys

from ..problems.problem import Array, Problem
from ..quantities import ROWS
from .answers import NoAnswerError, max_bytes
from .array_bytes import read_arrays
from .process_adapter import START, ProcessAdapter

BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from kfgn_conformance.adapters.worker import serve; serve(*sys.argv[2:])"
)
"""The program of the worker process. The arguments are the import path, the name of the adapter and the dtype."""


class Isolated(ProcessAdapter):
    """An adapter `package.module:Adapter`, which a worker process imports and creates for a dtype."""

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """Return the answer of the adapter. The answer must be complete within the time limit."""
        pickled, limit = pickle.dumps(problem, pickle.HIGHEST_PROTOCOL), max_bytes(problem, ROWS[quantity])
        answer = self._answer({"quantity": quantity, "bytes": len(pickled), "max_bytes": limit}, pickled, limit)
        assert self.child is not None
        try:
            return read_arrays(answer["arrays"], limit, self.child.read)
        except NoAnswerError:
            self.close()  # the line of JSON does not describe the bytes that follow
            raise

    def _command(self) -> list[str]:
        return [sys.executable, "-c", BOOT, json.dumps(sys.path, default=str), self.name, self.dtype]


__all__ = ["START", "Isolated", "NoAnswerError"]
