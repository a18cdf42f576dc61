"""A golden vector, and the files that vectors are read from."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..decoding import FileError
from ..problems.problem import Array, Problem
from ..problems.serialisation import from_json
from .decimals import each
from .form import FOLDER, SCHEMA, decoded, fault_of_arrays

MANIFEST = "manifest.json"


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
    description: str
    flags: tuple[str, ...]
    hides: tuple[str, ...]
    problem: Problem
    expected: tuple[ExpectedArray, ...]


def files(folder: Path = FOLDER) -> list[Path]:
    """A file for each quantity."""
    return sorted(path for path in folder.glob("*.json") if path.name not in (SCHEMA, MANIFEST))


def load(folder: Path = FOLDER) -> list[Vector]:
    """Return the vectors of a folder. Raises `FileError`."""
    return [vector for file in files(folder) for vector in read(decoded(file, file), file)]


def read(written: dict[str, Any], place: object) -> Iterator[Vector]:
    """The vectors of a file. Raises `FileError` for arrays that do not fit. place: the name of the file in errors."""
    for i, vector in enumerate(written["vectors"]):
        try:
            problem = from_json(vector["problem"])
        except ValueError as error:
            raise FileError(f"{place}: vectors[{i}].problem.{error}") from error
        try:
            expected = tuple(_array(array) for array in vector["expected"])
        except (OverflowError, TypeError, ValueError) as error:
            raise FileError(f"{place}: vectors[{i}].expected: expected arrays of numbers: {error}") from error
        if fault := fault_of_arrays(problem):
            raise FileError(f"{place}: vectors[{i}].problem.{fault}")
        yield Vector(
            id=vector["id"],
            quantity=written["quantity"],
            equation=written["equation"],
            description=vector["description"],
            flags=tuple(vector["flags"]),
            hides=tuple(vector["hides"]),
            problem=problem,
            expected=expected,
        )


def _array(written: dict[str, Any]) -> ExpectedArray:
    float64 = np.array(written["float64"])  # classes are integers in JSON too
    if float64.dtype.kind not in "if":
        raise ValueError("float64: expected numbers of float64")
    if np.shape(np.array(written["decimals"], dtype=object)) != float64.shape:
        raise ValueError("decimals: expected the shape of float64")
    sizes = (written[name] for name in ("size", "d", "tolerances"))
    return ExpectedArray(written["decimals"], written["radius"], float64, *sizes)
