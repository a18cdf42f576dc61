"""Adapters in separate processes, which cannot hang or end the kit, or change its problems.

The kit sends a problem to the worker as a pickle. The answer is a line of JSON and the bytes of the arrays;
nothing in it is unpickled.
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
"""The program of the worker, which receives the path of imports, the name of the adapter and its dtype."""


class Isolated(ProcessAdapter):
    """The adapter `package.module:Adapter` for a dtype, in a worker process that imports it."""

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """The answer of the adapter, within the time limit."""
        pickled, limit = pickle.dumps(problem, pickle.HIGHEST_PROTOCOL), max_bytes(problem, ROWS[quantity])
        answer = self._answer({"quantity": quantity, "bytes": len(pickled), "max_bytes": limit}, pickled, limit)
        assert self.child is not None
        try:
            return read_arrays(answer["arrays"], limit, self.child.read)
        except NoAnswerError:
            self.close()  # the bytes after the line do not fit it
            raise

    def _command(self) -> list[str]:
        return [sys.executable, "-c", BOOT, json.dumps(sys.path, default=str), self.name, self.dtype]


__all__ = ["START", "Isolated", "NoAnswerError"]
