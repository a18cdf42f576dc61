"""An adapter in the process of the kit, for a debugger. It has no time limit."""

from ..problems.problem import Array, Problem
from . import Adapter, Description
from .loading import load


class InProcess:
    """The adapter of a name and a dtype. Raises `AdapterError` if it cannot be made."""

    def __init__(self, name: str, dtype: str) -> None:
        self.name, self.dtype = name, dtype
        self.adapter: Adapter = load(name, dtype)

    def describe(self) -> Description:
        """The adapter's own description."""
        return self.adapter.describe()

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """The adapter's own answer."""
        return self.adapter.compute(problem, quantity)

    def close(self) -> None:
        """Make the adapter again. What the old object has kept is lost, and what its module has kept stays."""
        self.adapter = load(self.name, self.dtype)
