"""Adapters that run in the kit's own process without a time limit, so that a debugger can be used."""

from ..problems.problem import Array, Problem
from . import Adapter, Description
from .loading import load


class InProcess:
    """The adapter with a given name, created for one dtype. Raises `AdapterError` if the adapter cannot be loaded."""

    def __init__(self, name: str, dtype: str) -> None:
        self.name, self.dtype = name, dtype
        self.adapter: Adapter = load(name, dtype)

    def describe(self) -> Description:
        """The description of the adapter."""
        return self.adapter.describe()

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """The answer of the adapter."""
        return self.adapter.compute(problem, quantity)

    def close(self) -> None:
        """Create the adapter again, without the state of the old object. The adapter's module is not reloaded."""
        self.adapter = load(self.name, self.dtype)
