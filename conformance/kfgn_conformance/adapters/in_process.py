"""An adapter in the process of the kit, for a debugger: it has no limit, and is made again to start again."""

from ..problems import Array, Problem
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
        """Make the adapter again, without what it has kept in itself; what its module keeps stays."""
        self.adapter = load(self.name, self.dtype)
