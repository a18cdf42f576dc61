"""What the kit asks of an implementation: a protocol, and what an adapter describes itself with."""

from dataclasses import dataclass, field
from typing import Protocol

from ..problems import Array, Problem
from ..quantities import ROWS
from .conventions import KIT, ConventionError, Conventions


@dataclass(frozen=True)
class Description:
    """Who answers.

    name:        of the implementation, the head of its column
    version:     of it, or of the library it runs on
    dtype:       float32 or float64, what it computes in and answers in
    quantities:  the names of `ROWS` that it offers; the others are UNIMPLEMENTED, not wrong. `ValueError` for another
    flags:       settings that change the digits of its answers
    conventions: where its answers differ from the kit's in what is no mistake
    """

    name: str
    version: str
    dtype: str
    quantities: frozenset[str]
    flags: dict[str, str] = field(default_factory=dict)
    conventions: Conventions = KIT

    def __post_init__(self) -> None:
        if unknown := set(self.quantities) - set(ROWS):
            got = ", ".join(sorted(map(str, unknown)))
            raise ValueError(f"quantities: expected names of rows of the table, got {got!r}")


class UnsupportedError(Exception):
    """What an adapter raises for a problem that its implementation does not take: it is UNIMPLEMENTED, not wrong."""


class Adapter(Protocol):
    """An implementation, as the kit sees it. One from outside is made with a dtype: `Adapter("float32")`."""

    def describe(self) -> Description:
        """Who answers, and what is offered."""
        ...

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """The quantity on the problem as NumPy arrays, one for each layer or a single one, in the described dtype.

        In the described conventions; the kit's own are W_l (D_l, D_{l-1} + 1), bias in the last column, means over N,
        blocks Q kron G. Raises `UnsupportedError` for a problem that it does not take.
        """
        ...


__all__ = ["KIT", "Adapter", "ConventionError", "Conventions", "Description", "UnsupportedError"]
