"""Named mistakes. A mistake is a subclass of a textbook that overrides one or more methods with wrong formulas."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ..quantities import Quantity
from .textbook import Textbook
from .textbook.shared_weights import SharedTextbook

if TYPE_CHECKING:
    from ..adapters import Conventions

AnyTextbook = type[Textbook] | type[SharedTextbook]
"""A class of formulas for the networks of the paper, or for networks with shared weights."""

Made = TypeVar("Made", bound=AnyTextbook)


class Mistake(NamedTuple):
    """A mistake in an implementation.

    name:        name of the mistake in reports and golden vectors
    family:      name of the catalogue's module that contains the mistake. A record that the diagnosis makes has the
                 family "pairs" for two mistakes together, "constants" for a constant factor, alone or with a known
                 mistake, and "conventions" for undeclared conventions
    description: the mistake in words
    seen:        a library that made the mistake, as a link or a version; empty if no library is known
    textbook:    class of formulas with the mistake
    conventions: the undeclared `Conventions`, each of which makes every answer right; empty for any other mistake
    """

    name: str
    family: str
    description: str
    seen: str
    textbook: AnyTextbook
    conventions: "tuple[Conventions, ...]" = ()

    def __reduce__(self) -> tuple[type["Mistake"], tuple[Any, ...]]:
        """Pickle `Textbook` instead of a class that the diagnosis made, since no other process can import such a class.

        A process of a parallel run sends its diagnoses to the kit's main process, and a report needs only the texts of
        a mistake and its conventions.
        """
        textbook = self.textbook if self.name in MISTAKES else Textbook
        return Mistake, tuple(self._replace(textbook=textbook))


MISTAKES: dict[str, Mistake] = {}
"""The catalogue of mistakes, by name."""


def right_formulas(quantity: Quantity) -> AnyTextbook:
    """The textbook without mistakes that computes a quantity."""
    return SharedTextbook if quantity.of_shared_weights else Textbook


def mistakes_of(quantity: Quantity) -> dict[str, Mistake]:
    """The known mistakes of the textbook that computes a quantity, by name."""
    right = right_formulas(quantity)
    return {name: each for name, each in MISTAKES.items() if issubclass(each.textbook, right)}


def mistake(seen: str = "") -> Callable[[Made], Made]:
    """Add a class to the catalogue. The mistake is named after the class, and its family after the class's module."""

    def add(textbook: Made) -> Made:
        name = re.sub(r"(?<!^)(?=[A-Z])", "-", textbook.__name__).lower()
        family = textbook.__module__.rsplit(".", 1)[-1]
        assert textbook.__doc__ is not None
        MISTAKES[name] = Mistake(name, family, " ".join(textbook.__doc__.split()), seen, textbook)
        return textbook

    return add
