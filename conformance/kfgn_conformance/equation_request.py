"""The request in the arguments of `kfgn-check equations`: equations, kinds of remarks, and Algorithm 1.

The request has every equation that at least one argument finds. An argument such as `misprints` selects one or two
kinds of remarks on these equations.

>>> from kfgn_conformance.equation_request import requested
>>> requested(["44", "45"]).numbers, requested(["misprints", "Appendix", "C.4"]).numbers
([44, 45], [44, 45])
>>> requested(["misprints", "C.4"]).kinds
['Misprint', 'Gap']
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from kfgn_reference import EQUATIONS
from kfgn_reference._statements import RemarkKind

from .equation_search import REMARKS, in_range, matching

HEADS = {
    "algorithm": re.compile(r"1"),
    "appendix": re.compile(r"[a-z](\.\d+)*", re.IGNORECASE | re.ASCII),
    "section": re.compile(r"\d+(\.\d+)*", re.ASCII),
}
"""The first words of references such as "Appendix C.1", each with the form of the argument that follows the word."""

ALGORITHM = frozenset({"algorithm", "algorithm 1", "algorithm_1", "algorithm1", "appendix h", "h", "_algorithm_1"})
"""The spellings of Algorithm 1, which has no equation number."""


class Request(NamedTuple):
    """The equations that the arguments request, or the remarks on equations.

    numbers:   the numbers of the equations, in the order of the arguments; all equations if the arguments name only
               kinds of remarks
    kinds:     the kinds of remarks to list, in the order of `REMARKS`, or empty to print equations
    algorithm: True if Algorithm 1 is requested
    in_full:   True to print the equations in full, since all are given by numbers or ranges, or only one was found
    """

    numbers: list[int]
    kinds: list[RemarkKind]
    algorithm: bool
    in_full: bool


def requested(arguments: Iterable[str]) -> Request:
    """Return the request of some arguments. Raises `SearchError` if an argument finds no equation."""
    texts = _joined(arguments)
    words = {text.lower() for text in texts}
    kinds = dict.fromkeys(kind for word in REMARKS for kind in REMARKS[word] if word in words)
    others = [text for text in texts if text.lower() not in REMARKS]
    parts = [(in_range(text), text) for text in others if text.lower() not in ALGORITHM]
    numbers = list(dict.fromkeys(number for given, text in parts for number in given or matching(text)))
    return Request(
        numbers=numbers if others else list(EQUATIONS),
        kinds=list(kinds),
        algorithm=not words.isdisjoint(ALGORITHM),
        in_full=all(given for given, _ in parts) or len(numbers) == 1,
    )


def _joined(arguments: Iterable[str]) -> list[str]:
    """Return the arguments with single spaces.

    A word of `HEADS` and the next argument are joined if this argument has the form that `HEADS` gives.
    """
    texts: list[str] = []
    for argument in arguments:
        text = " ".join(argument.split())
        head = HEADS.get(texts[-1].lower()) if texts else None
        if head and head.fullmatch(text):
            texts[-1] = f"{texts[-1]} {text}"
        else:
            texts.append(text)
    return texts
