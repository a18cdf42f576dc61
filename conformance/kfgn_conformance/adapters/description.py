"""The description that an adapter gives of itself, and its form in JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

from ..quantities import ROWS
from ..suggestions import suggestion
from .answers import NoAnswerError, kind, line, raised
from .conventions import KIT, Conventions

LETTERS = 200
"""The most characters of a name; the rest is cut."""

ENTRIES = 1000
"""The most names of quantities, and the most flags."""


@dataclass(frozen=True)
class Description:
    """The name of an implementation, and what it offers.

    name:        of the implementation, the head of its column
    version:     of it, or of the library it runs on
    dtype:       float32 or float64, what it computes in and answers in
    quantities:  the names of `ROWS` that it offers; the others are UNIMPLEMENTED. `ValueError` for an unknown name
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
        for name in ("name", "version", "dtype"):
            object.__setattr__(self, name, _text(name, getattr(self, name)))
        object.__setattr__(self, "quantities", _quantities(self.quantities))
        object.__setattr__(self, "flags", _flags(self.flags))
        if not isinstance(self.conventions, Conventions):
            raise TypeError(f"conventions: expected Conventions, got {_kind(self.conventions)}")

    def as_json(self) -> dict[str, Any]:
        """Everything but the dtype, which the kit chooses."""
        written = asdict(self)
        del written["dtype"]
        return written | {"quantities": sorted(self.quantities)}

    def plain(self) -> "Description":
        """The same description in plain types alone, whatever classes the adapter has used."""
        return from_json(json.loads(json.dumps(Description.as_json(self))), self.dtype)


def from_json(said: Mapping[str, Any], dtype: str) -> Description:
    """The description that an object of JSON gives. `NoAnswerError` if it gives none."""
    if missing := [name for name in ("name", "version", "quantities") if name not in said]:
        raise NoAnswerError(f"its description has no {missing[0]!r}")
    given = said.get("conventions", {})
    if not isinstance(given, dict):
        raise NoAnswerError(f"conventions: expected an object, got {_kind(given)}")
    try:
        conventions = Conventions(**given)
        return Description(said["name"], said["version"], dtype, said["quantities"], said.get("flags", {}), conventions)
    except ValueError as error:
        raise NoAnswerError(line(error)) from error
    except TypeError as error:
        raise NoAnswerError(raised(error)) from error


def _kind(value: object) -> str:
    return line(kind(value), LETTERS)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name}: expected text, got {_kind(value)}")
    if not (text := line(value, LETTERS)):
        raise ValueError(f"{name}: expected text, got none")
    return text


def _quantities(given: object) -> frozenset[str]:
    """The names of rows, from any iterable except a text. The error for an unknown name has the nearest known names."""
    if isinstance(given, (str, bytes, Mapping)) or not hasattr(given, "__iter__"):
        raise TypeError(f"quantities: expected a set of names, got {_kind(given)}")
    names = list(islice(given, ENTRIES))
    if not all(isinstance(name, str) for name in names):
        raise TypeError(f"quantities: expected a set of names, got {line([_kind(name) for name in names], LETTERS)}")
    unknown = sorted(line(name, LETTERS) for name in names if name not in ROWS)
    if unknown:
        raise ValueError(
            f"quantities: expected names of rows of the table, got {line(', '.join(unknown), LETTERS)!r}"
            f"{suggestion(unknown, ROWS)}; the rows are {', '.join(ROWS)}"
        )
    return frozenset(line(name) for name in names)


def _flags(given: object) -> dict[str, str]:
    if not isinstance(given, dict) or len(given) > ENTRIES:
        raise TypeError(f"flags: expected a dict of at most {ENTRIES} texts, got {_kind(given)}")
    return {_text("flags", name): _text("flags", value) for name, value in given.items()}
