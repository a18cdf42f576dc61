"""The search for equations by number, range, section, name or word, for `kfgn-check equations`."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from kfgn_reference import EQUATIONS

from .quantities import ROWS
from .suggestions import suggestion

RANGE = re.compile(r"\(?(\d+)\)?(?:\s*-\s*\(?(\d+)\)?)?", re.ASCII)
"""A number or a range of numbers, with or without the paper's parentheses."""

PLACES = {"algorithm 1": "c", "section 2.1": "2.1"}
"""For quantities without an equation number: the place that the kit's table names, and its section."""


class SearchError(ValueError):
    """Raised if no equation is found. The message suggests similar names."""


def in_range(text: str) -> list[int] | None:
    """Return the numbers in a text such as "26", "(26)" or "26-31", or None if the text is not a number or a range."""
    match = RANGE.fullmatch(text.strip())
    if match is None:
        return None
    first, last = match[1], match[2] or match[1]
    for number in (first, last):
        if len(number) > 4 or int(number) not in EQUATIONS:
            raise SearchError(f"expected a number from 1 to {len(EQUATIONS)}, got {number[:20]}")
    if int(first) > int(last):
        raise SearchError(f"expected a range with the smaller number first, got {first}-{last}")
    return [number for number in EQUATIONS if int(first) <= number <= int(last)]


def matching(text: str) -> list[int]:
    """Return the numbers of the equations that a text finds by a name, a section, or words of a title."""
    sought = " ".join(text.lower().split())
    words = re.compile(rf"(?<!\w){re.escape(sought)}(?!\w)")
    numbers = [
        number
        for number, equation in EQUATIONS.items()
        if sought and (number in names().get(sought, ()) or words.search(equation.statement.title.lower()))
    ]
    if not numbers:
        titles = {word for equation in EQUATIONS.values() for word in re.findall(r"\w{3,}", equation.statement.title)}
        known = [*names(), *sorted({word.lower() for word in titles})]
        raise SearchError(
            f"expected a number from 1 to {len(EQUATIONS)}, a range such as 26-31, a section such as 3.5, or a name or "
            f"a word of the table, got {text!r}{suggestion([sought], known)}"
        )
    return numbers


@cache
def names() -> dict[str, set[int]]:
    """Map the name of each section, function and quantity, in lower case, to the numbers of its equations."""
    named: dict[str, set[int]] = {}
    for number, equation in EQUATIONS.items():
        sections = _sections(equation.statement.section)
        for name in (*sections, *(spelling for f in equation.functions for spelling in _spellings(f))):
            named.setdefault(name, set()).add(number)
    for name, quantity in ROWS.items():
        place = quantity.equation.lower()
        if numbers := [n for part in re.findall(r"\([-()\d]+\)", place) for n in in_range(part) or ()]:
            named.setdefault(name, set()).update(numbers)
        else:
            named.setdefault(name, set()).update(named[PLACES.get(place, place)])
    return named


def _sections(section: str) -> Iterator[str]:
    """Yield the spellings of a section and of the sections that contain it, such as "c.3.1", "c.3" and "appendix c"."""
    _, _, short = section.lower().rpartition(" ")
    kind = "appendix" if short[0].isalpha() else "section"
    levels = short.split(".")
    for depth in range(1, len(levels) + 1):
        part = ".".join(levels[:depth])
        if not part.isdecimal():  # a number alone is that of an equation
            yield part
        yield f"{kind} {part}"


def _spellings(f: Callable[..., Any]) -> Iterator[str]:
    """Yield the spellings of a function: its name alone, and with its module and package."""
    name, module = f.__name__.lower(), f.__module__.lower()
    yield from (name, f"{module.rpartition('.')[2]}.{name}", f"{module}.{name}", f"{module.partition('.')[0]}.{name}")
