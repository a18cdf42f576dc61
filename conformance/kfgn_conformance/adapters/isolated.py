"""An adapter in a process of its own, which cannot hang the kit, end it, or change the problems of others.

The problem goes to the worker as the kit's own pickle. The answer is a line of JSON, followed by the bytes of the
arrays. Nothing in it is unpickled.
"""

import json
import pickle
import sys

from ..problems.problem import Array, Problem
from ..quantities import ROWS
from .answers import NoAnswerError, room
from .asked import START, Asked
from .frames import received

BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from kfgn_conformance.adapters.worker import serve; serve(*sys.argv[2:])"
)


class Isolated(Asked):
    """The adapter of `package.module:Adapter` and a dtype, in a worker that imports it."""

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """Its answer, within the limit."""
        asked, most = pickle.dumps(problem, pickle.HIGHEST_PROTOCOL), room(problem, ROWS[quantity])
        said = self._computed({"quantity": quantity, "bytes": len(asked), "most": most}, asked, most)
        assert self.child is not None
        try:
            return received(said["arrays"], most, self.child.take)
        except NoAnswerError:
            self.close()  # the bytes after the line do not fit it
            raise

    def _command(self) -> list[str]:
        return [sys.executable, "-c", BOOT, json.dumps(sys.path, default=str), self.name, self.dtype]


__all__ = ["START", "Isolated", "NoAnswerError"]
