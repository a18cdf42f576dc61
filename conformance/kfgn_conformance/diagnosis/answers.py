"""The answers of mistakes, each computed only if the quantity uses a method that the mistake overrides."""

from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from ..oracle import Oracle
from ..quantities import Arrays, Quantity
from .mistake import AnyTextbook, right_formulas
from .textbook import Textbook
from .textbook.shared_weights import SharedTextbook


class Recorded(NamedTuple):
    """The right formulas, and a record of the methods that they use for one question.

    textbook: a textbook without mistakes, which records the name of each of its methods when the method is used
    used:     the names of the methods that the answer to the question used
    """

    textbook: AnyTextbook
    used: frozenset[str]


_recorded: WeakKeyDictionary[Oracle, Recorded] = WeakKeyDictionary()


def answer_of(textbook: AnyTextbook, oracle: Oracle) -> Arrays | None:
    """Compute the answer of a mistake in float64, or return None if the formulas of the mistake fail.

    The formulas also fail if their arrays are not finite or have wrong shapes. If the quantity uses no method that the
    mistake overrides, the answer of the right formulas is returned. This answer is computed only once per oracle, and
    this saves time, since most mistakes override methods that few quantities use. A textbook must call its methods on
    an instance and not on a class, because only uses through an instance are recorded.
    """
    right = recorded(oracle)
    return oracle.answer_of(right.textbook if overridden(textbook).isdisjoint(right.used) else textbook)


def recorded(oracle: Oracle) -> Recorded:
    """Return the textbook without mistakes, and the names of the methods that it uses for the question of an oracle."""
    if oracle not in _recorded:
        textbook, used = recording(oracle.quantity)
        oracle.answer_of(textbook)
        _recorded[oracle] = Recorded(textbook, frozenset(used))
    return _recorded[oracle]


def recording(quantity: Quantity) -> tuple[AnyTextbook, set[str]]:
    """Return the textbook without mistakes for a quantity, and a set that receives the names of the methods it uses."""
    used = {"__init__"}  # Python does not call `__getattribute__` to find the `__init__` of a class
    right = right_formulas(quantity)

    def record(textbook: Any, name: str) -> Any:
        used.add(name)
        return object.__getattribute__(textbook, name)

    return type(f"Recording{right.__name__}", (right,), {"__getattribute__": record}), used


def overridden(textbook: AnyTextbook) -> frozenset[str]:
    """The names of the methods in which a mistake differs from the right formulas."""
    classes = [cls for cls in textbook.__mro__ if cls not in (*Textbook.__mro__, *SharedTextbook.__mro__)]
    return frozenset(name for cls in classes for name in vars(cls) if name == "__init__" or not name.startswith("__"))
