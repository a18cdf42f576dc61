"""A named mistake: a textbook with one wrong step."""

import re
from collections.abc import Callable
from typing import NamedTuple

from .textbook import Textbook


class Mistake(NamedTuple):
    """A known mistake.

    name:     its name in reports
    family:   its subject
    says:     a description, in a sentence
    seen:     a place where somebody made it; empty if none is known
    textbook: an implementation with this mistake
    """

    name: str
    family: str
    says: str
    seen: str
    textbook: type[Textbook]


MISTAKES: dict[str, Mistake] = {}
"""The catalogue, by name."""


def mistake(seen: str = "") -> Callable[[type[Textbook]], type[Textbook]]:
    """Enter a textbook into the catalogue. The name is made from that of the class, the family is the module's name."""

    def enter(textbook: type[Textbook]) -> type[Textbook]:
        name = re.sub(r"(?<!^)(?=[A-Z])", "-", textbook.__name__).lower()
        family = textbook.__module__.rsplit(".", 1)[-1]
        assert textbook.__doc__ is not None
        MISTAKES[name] = Mistake(name, family, " ".join(textbook.__doc__.split()), seen, textbook)
        return textbook

    return enter
