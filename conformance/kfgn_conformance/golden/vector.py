"""Golden vectors, and the reading of golden vectors from files."""

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
from .form import FOLDER, MANIFEST, SCHEMA, decoded, fault_of_arrays


class ExpectedArray(NamedTuple):
    """The expected value of one array of a quantity.

    decimals:   the elements as strings of decimal digits, in nested lists of the array's shape
    radius:     an upper bound of the error of every decimal, as a string
    float64:    the float64 numbers nearest to the exact values
    size:       the size in the rule of tolerances, such as the magnitude of the largest element
    d:          the change of the array by relative errors 2^-24 of the inputs, and by rounding of the operations of the
                reference to 24 bits
    tolerances: the tolerance for each dtype
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
    """A problem, and the expected value of a quantity on this problem.

    flags: the names of the special properties of the problem
    hides: the names of the mistakes that give the right answer on this problem, and a wrong answer on a different
           problem of the file
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
    """The files of vectors in a folder, one per quantity."""
    return sorted(path for path in folder.glob("*.json") if path.name not in (SCHEMA, MANIFEST))


def load(folder: Path = FOLDER) -> list[Vector]:
    """Read the vectors of all files in a folder. Raises `FileError` for an unreadable or malformed file."""
    return [vector for file in files(folder) for vector in read(decoded(file, file, shipped_is_right=True), file)]


def read(written: dict[str, Any], place: object) -> Iterator[Vector]:
    """The vectors of a file. Raises `FileError` for a malformed problem and for malformed arrays.

    place: the name of the file in error messages
    """
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
    float64 = np.array(written["float64"])  # class indices are integers in JSON, and stay integers
    if float64.dtype.kind not in "if":
        raise ValueError("float64: expected numbers in the range of float64, got a larger number")
    if np.shape(np.array(written["decimals"], dtype=object)) != float64.shape:
        raise ValueError("decimals: expected the shape of the field float64, got a different shape")
    sizes = (written[name] for name in ("size", "d", "tolerances"))
    return ExpectedArray(written["decimals"], written["radius"], float64, *sizes)
