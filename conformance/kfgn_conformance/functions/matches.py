"""The search for the definition that a matrix satisfies, up to a factor and the order of vec.

>>> import numpy as np
>>> from kfgn_conformance.functions.matches import matches
>>> block = np.diag([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
>>> [match.definition for match in matches(block / 5, {"exact": block, "unit": np.eye(6)}, (3, 2))]
['exact', 'unit']
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from .uses import Array


class Match(NamedTuple):
    """A definition, with the factor and the order of vec that bring a matrix nearest to the definition.

    Parameters
    ----------
    definition : str
        The name of the definition: `"gauss_newton_block"`, `"hessian_block"` or the name of an approximation.
    factor : float
        The factor by which the matrix has to be multiplied.
    vec : str
        `"columns"` if vec stacks the columns of W, which is the order of the oracle, or `"rows"`.
    error : float
        The norm of the difference after the multiplication, divided by the norm of the definition if the definition is
        not 0. The error is a rounding error if the matrix satisfies the definition up to the factor and the order.

    Examples
    --------
    >>> from kfgn_conformance.functions import Match
    >>> Match("expand", 0.5, "columns", 0.0).factor
    0.5
    """

    definition: str
    factor: float
    vec: str
    error: float


def matches(block: Array, definitions: Mapping[str, Array], shape: tuple[int, int]) -> list[Match]:
    """For each definition, the nearest multiple of a block (O I, O I), in order of rising error. `shape` is (O, I)."""
    by_rows = np.arange(shape[0] * shape[1]).reshape(shape).ravel(order="F")
    orders = {"columns": block, "rows": block[np.ix_(by_rows, by_rows)]}
    found = [
        min((match(name, one, expected, vec) for vec, one in orders.items()), key=error_of)
        for name, expected in definitions.items()
    ]
    return sorted(found, key=error_of)


def error_of(one: Match) -> float:
    """The error of a match."""
    return one.error


def match(name: str, block: Array, expected: Array, vec: str) -> Match:
    """The match of a block with a definition, with the factor that makes the block nearest in the Frobenius norm."""
    factor = np.vdot(block, expected) / np.vdot(block, block) if np.any(block) else 0.0
    size = np.linalg.norm(expected)
    distance = np.linalg.norm(factor * block - expected)
    return Match(name, float(factor), vec, float(distance / size if size else distance))
