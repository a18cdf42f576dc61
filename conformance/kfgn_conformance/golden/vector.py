"""A golden vector, and the files that vectors are read from."""

import json
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..exchange import from_json
from ..problems import Array, Problem
from .decimals import each

FOLDER = Path(__file__).parent.parent / "vectors"
SCHEMA, MANIFEST = "schema.json", "manifest.json"


class ExpectedArray(NamedTuple):
    """An array of a quantity.

    decimals:   its elements as strings of decimal digits, nested like the array
    radius:     how far the truth may be from any of them, a string
    float64:    the numbers of float64 that are nearest to the truth
    size, d:    what the rule of the tolerance is made of
    tolerances: what it allows, by dtype
    """

    decimals: Any
    radius: str
    float64: Array
    size: float
    d: float
    tolerances: dict[str, float]

    def exact(self) -> tuple[Array, Fraction]:
        """The decimals and the radius as fractions."""
        return each(Fraction, np.array(self.decimals, dtype=object)), Fraction(Decimal(self.radius))


class Vector(NamedTuple):
    """A problem and the value of a quantity on it.

    hides: mistakes of the catalogue that give the right answer here, and not on every problem of the quantity
    """

    id: str
    quantity: str
    equation: str
    says: str
    flags: tuple[str, ...]
    hides: tuple[str, ...]
    problem: Problem
    expected: tuple[ExpectedArray, ...]


def files(folder: Path = FOLDER) -> list[Path]:
    """A file for each quantity."""
    return sorted(path for path in folder.glob("*.json") if path.name not in (SCHEMA, MANIFEST))


def load(folder: Path = FOLDER) -> list[Vector]:
    """Every vector of the folder."""
    return [vector for file in files(folder) for vector in read(json.loads(file.read_text(encoding="utf-8")))]


def read(written: dict[str, Any]) -> Iterator[Vector]:
    """The vectors of a file."""
    for vector in written["vectors"]:
        yield Vector(
            id=vector["id"],
            quantity=written["quantity"],
            equation=written["equation"],
            says=vector["description"],
            flags=tuple(vector["flags"]),
            hides=tuple(vector["hides"]),
            problem=from_json(vector["problem"]),
            expected=tuple(
                ExpectedArray(
                    array["decimals"],
                    array["radius"],
                    np.array(array["float64"]),  # classes are integers in JSON too
                    array["size"],
                    array["d"],
                    array["tolerances"],
                )
                for array in vector["expected"]
            ),
        )
