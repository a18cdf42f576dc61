"""The search for equations by number, range, section, name, topic or kind of remark, for `kfgn-check equations`.

>>> from kfgn_conformance.equation_search import matching
>>> matching("KFRA"), matching("damped_factors"), matching("C.4")
([26], [36], [44, 45])
"""

import re
from collections.abc import Iterator
from functools import cache

from kfgn_reference import EQUATIONS, shared_weights
from kfgn_reference._statements import RemarkKind

from .equation_functions import Function, cited, reference_functions
from .quantities import ROWS, SHARED_WEIGHTS
from .suggestions import suggestion

RANGE = re.compile(r"\(?(\d+)\)?(?:\s*-\s*\(?(\d+)\)?)?", re.ASCII)
"""A number or a range of numbers, with or without the paper's parentheses."""

PLACES = {"algorithm 1": "c", "section 2.1": "2.1"}
"""The section to which a quantity without an equation number belongs, by the quantity's field `equation`."""

REMARKS: dict[str, tuple[RemarkKind, ...]] = {
    **dict.fromkeys(("misprint", "misprints", "errata"), ("Misprint", "Gap")),
    **dict.fromkeys(("gap", "gaps"), ("Gap",)),
    **dict.fromkeys(("choice", "choices"), ("Choice",)),
    **dict.fromkeys(("note", "notes"), ("Note",)),
}
"""The words that find remarks, with the kinds of remarks that each word finds."""

SECTIONS_OF_TEXT = ("1", "2.2.3", "4", "5.1", "6", "7", "A", "D.4", "G", "G.1", "G.2")
"""The sections of the paper without numbered equations."""

BEYOND = {
    *(name.lower() for name in (*shared_weights.__all__, *SHARED_WEIGHTS)),
    *("attention", "convolutions", "convolutional", "shared", "shared weights", "shared_weights", "token", "tokens"),
}
"""Names and topics of layers with shared weights. The paper has no such layers."""

STOP_WORDS = frozenset(
    {"and", "between", "each", "for", "from", "one", "over", "the", "two", "under", "with", "without"}
)
"""Words of titles that a message does not suggest as topics."""


class SearchError(ValueError):
    """Raised for a text that finds no equation, and for numbers that are out of range or in the wrong order."""


def in_range(text: str) -> list[int] | None:
    """Return the numbers in a text such as "26", "(26)" or "26-31", or None if the text is not a number or a range.

    Raises `SearchError` for a number that no equation has, and for a range with the larger number first.
    """
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
    """Return the numbers of the equations that a text finds by a name, a section, a topic or a kind of remark.

    Raises `SearchError` if the text finds no equation.
    """
    sought = " ".join(text.lower().split())
    words = re.compile(rf"(?<!\w){re.escape(sought)}(?!\w)")
    found = names().get(sought, set())
    numbers = [n for n, topics in _topics().items() if sought and (n in found or words.search(topics))]
    if not numbers:
        raise SearchError(_not_found(text, sought))
    return numbers


def _not_found(text: str, sought: str) -> str:
    """Return the message for a text that finds no equation.

    The message names a page about the topic of the text, or a similar name, if one exists.
    """
    if sought in {spelling for section in SECTIONS_OF_TEXT for spelling in list(_sections(section))[-2:]}:
        return (
            f"expected a section with numbered equations, got {text!r}: docs/errata.md has the remarks on the text of "
            "this section"
        )
    if sought in BEYOND:
        return (
            f"expected a topic of the paper, got {text!r}: docs/shared_weights.md and "
            "help(kfgn_reference.shared_weights) are about layers with shared weights"
        )
    known = {word for topics in _topics().values() for word in re.findall(r"[a-z]{3,}", topics)} - STOP_WORDS
    near = suggestion([sought], [*names(), "algorithm", *sorted(known)])
    return (
        f"expected a number from 1 to {len(EQUATIONS)}, a range such as 26-31, a section such as 3.5, a name or a word "
        f"of the table, 'algorithm', or a kind of remark such as 'misprints', got {text!r}{near}"
    )


@cache
def names() -> dict[str, set[int]]:
    """Map each section, function, quantity of the paper and kind of remark, in lower case, to its equation numbers."""
    named: dict[str, set[int]] = {}
    for number, equation in EQUATIONS.items():
        sections = _sections(equation.statement.section)
        functions = (spelling for f in reference_functions(number) for spelling in _spellings(f))
        remarks = (word for word, kinds in REMARKS.items() if not equation.statement.remarks.keys().isdisjoint(kinds))
        for name in (*sections, *functions, *remarks):
            named.setdefault(name, set()).add(number)
    for name, quantity in ROWS.items():
        if quantity.of_shared_weights:
            continue
        place = quantity.equation.lower()
        named.setdefault(name, set()).update(cited(place) or named[PLACES.get(place, place)])
    return named


@cache
def _topics() -> dict[int, str]:
    """Map each equation to its topics, in lower case, one on a line.

    The topics are the title, the title of the section, the words in the equation, the keywords, and the words in the
    names of the functions and of their modules.
    """
    topics = {}
    for number, equation in EQUATIONS.items():
        statement = equation.statement
        functions = [f"{f.__module__.rpartition('.')[2]} {f.__name__}" for f in reference_functions(number)]
        words = re.findall(r"[A-Za-z]{3,}", statement.text)
        parts = (statement.title, statement.place, *words, *statement.keywords, *_words_of(functions))
        topics[number] = "\n".join(parts).lower()
    return topics


def _words_of(names: list[str]) -> Iterator[str]:
    """Yield the words of at least three characters in names. Underscores and points separate the words."""
    for name in names:
        yield from (word for word in re.split(r"[_\W]+", name) if len(word) > 2)


def _sections(section: str) -> Iterator[str]:
    """Yield the spellings of a section and of the sections that contain it, such as "c.3.1", "c.3" and "appendix c"."""
    _, _, short = section.lower().rpartition(" ")
    kind = "appendix" if short[0].isalpha() else "section"
    levels = short.split(".")
    for depth in range(1, len(levels) + 1):
        part = ".".join(levels[:depth])
        if not part.isdecimal():  # a number without a word is the number of an equation
            yield part
        yield f"{kind} {part}"


def _spellings(f: Function) -> Iterator[str]:
    """Yield the spellings of a function: its name alone, and its name with its module, its package or both."""
    name, module = f.__name__.lower(), f.__module__.lower()
    yield from (name, f"{module.rpartition('.')[2]}.{name}", f"{module}.{name}", f"{module.partition('.')[0]}.{name}")
