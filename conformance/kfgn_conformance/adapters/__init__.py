"""What the kit asks of an implementation: a protocol, and what an adapter describes itself with."""

from typing import Protocol

from ..problems.problem import Array, Problem
from .conventions import KIT, ConventionError, Conventions
from .description import Description


class UnsupportedError(Exception):
    """What an adapter raises for a problem that its implementation does not take: it is UNIMPLEMENTED, not wrong."""


class Adapter(Protocol):
    """An implementation, as the kit sees it. One from outside is made with a dtype: `Adapter("float32")`."""

    def describe(self) -> Description:
        """Who answers, and what is offered."""
        ...

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """The quantity on the problem as arrays, one for each layer or a single one, in the described dtype.

        NumPy arrays, or values that convert to them: see `answers.as_arrays`.
        They are in the described conventions; the kit's own are W_l (D_l, D_{l-1} + 1), bias in the last column, means
        over N, blocks Q kron G. Raises `UnsupportedError` for a problem that it does not take.
        """
        ...


__all__ = ["KIT", "Adapter", "ConventionError", "Conventions", "Description", "UnsupportedError"]
