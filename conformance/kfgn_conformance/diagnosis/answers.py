"""The answers of mistakes. A mistake is computed only if the quantity uses a method that the mistake overrides."""

from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from ..oracle import Oracle
from ..quantities import Arrays, Quantity
from .mistake import AnyTextbook, right_formulas
from .textbook import Textbook
from .textbook.shared_weights import SharedTextbook


class Recorded(NamedTuple):
    """A textbook without a mistake that records the names of its methods when they are used.

    used: the names of the methods that the answer to one question used
    """

    textbook: AnyTextbook
    used: frozenset[str]


_recorded: WeakKeyDictionary[Oracle, Recorded] = WeakKeyDictionary()


def answer_of(textbook: AnyTextbook, oracle: Oracle) -> Arrays | None:
    """Compute the answer of a mistake in float64, or return None if the mistake has no answer.

    If the quantity uses no method that the mistake overrides, the answer is that of the right formulas, which are
    computed once. Most mistakes concern few quantities. A textbook uses its methods through an instance alone, so that
    each use is recorded.
    """
    right = recorded(oracle)
    return oracle.answer_of(right.textbook if overridden(textbook).isdisjoint(right.used) else textbook)


def recorded(oracle: Oracle) -> Recorded:
    """Return the textbook without a mistake, and the methods that its answer to the question of an oracle uses."""
    if oracle not in _recorded:
        textbook, used = recording(oracle.quantity)
        oracle.answer_of(textbook)
        _recorded[oracle] = Recorded(textbook, frozenset(used))
    return _recorded[oracle]


def recording(quantity: Quantity) -> tuple[AnyTextbook, set[str]]:
    """Return a textbook of a quantity without a mistake, and a set that receives the names of the methods it uses."""
    used = {"__init__"}  # a class is called without the use of an attribute
    right = right_formulas(quantity)

    def record(textbook: Any, name: str) -> Any:
        used.add(name)
        return object.__getattribute__(textbook, name)

    return type(f"Recording{right.__name__}", (right,), {"__getattribute__": record}), used


def overridden(textbook: AnyTextbook) -> frozenset[str]:
    """The names of the methods in which a mistake differs from the right formulas."""
    classes = [cls for cls in textbook.__mro__ if cls not in (*Textbook.__mro__, *SharedTextbook.__mro__)]
    return frozenset(name for cls in classes for name in vars(cls) if name == "__init__" or not name.startswith("__"))
