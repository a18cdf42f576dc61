"""A named mistake: a textbook with one wrong step."""

import re
from collections.abc import Callable
from typing import NamedTuple

from .textbook import Textbook


class Mistake(NamedTuple):
    """What somebody did wrong.

    name:     of it, as reports have it
    family:   what it is about
    says:     what is wrong, in a sentence
    seen:     where it was made, if it is known to have been
    textbook: what answers as they did
    """

    name: str
    family: str
    says: str
    seen: str
    textbook: type[Textbook]


MISTAKES: dict[str, Mistake] = {}
"""The catalogue, by name."""


def mistake(seen: str = "") -> Callable[[type[Textbook]], type[Textbook]]:
    """Enter a textbook into the catalogue: its name is that of the class, its family that of the module."""

    def enter(textbook: type[Textbook]) -> type[Textbook]:
        name = re.sub(r"(?<!^)(?=[A-Z])", "-", textbook.__name__).lower()
        family = textbook.__module__.rsplit(".", 1)[-1]
        assert textbook.__doc__ is not None
        MISTAKES[name] = Mistake(name, family, " ".join(textbook.__doc__.split()), seen, textbook)
        return textbook

    return enter
