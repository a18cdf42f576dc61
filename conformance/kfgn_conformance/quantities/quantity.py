"""The record of a quantity, a row of the table, and the helpers with which the tables of quantities are written."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import kfgn_reference as ref
import numpy as np

from ..problems.problem import Array, Problem
from .sizes import Arrays, Size, largest_elements

ELEMENTS = 2**24
"""The maximum number of elements of a quantity that are compared: 128 MiB of float64."""


def whole(_problem: Problem, arrays: Arrays) -> Arrays:
    """All arrays of the quantity."""
    return arrays


@dataclass(frozen=True)
class Quantity:
    """A quantity of the paper, as a function of a problem.

    Parameters
    ----------
    name : str
        The name in the table and in golden vectors.
    equation : str
        The place in the paper.
    oracle : callable
        The value by the reference, from a problem: a tuple with an array per layer, or with a single array.
    elements : callable
        The number of elements of the value on a problem, or of the largest matrix that the oracle forms.
    per_datapoint : bool, default False
        True if the arrays have an axis of N datapoints, so that fewer datapoints make them smaller.
    size : callable
        The magnitude to which the rounding errors of each array are relative.
    irrational : str, default ""
        The reason why the value is not rational even for a rational problem. Empty if it is rational.
    of_trajectories : bool, default False
        True if the quantity is defined on optimiser trajectories, and False if it is defined on all other problems.
    array_kind : str, default ""
        "weights" for arrays shaped like W_l, "blocks" for matrices over vec(W_l), "inputs" for matrices shaped like
        Q_l. Empty for all others. It determines how conventions are translated.
    degree : int or None, default None
        The power of the loss with which the quantity scales. None if it does not scale as a power of the loss.
    mean : bool, default True
        True if the quantity is a mean over the datapoints, so that a sum over them is N times as large.
    view : callable
        The parts of the arrays that are compared.
    description : str, default ""
        The definition and the shape of the arrays. Blocks are square matrices over the stacked columns of W_l.

    Examples
    --------
    >>> from kfgn_conformance import QUANTITIES
    >>> from kfgn_conformance.problems.cases import cases
    >>> gradient = QUANTITIES["gradient"]
    >>> gradient.equation, [array.shape for array in gradient.value(cases()[0])]
    ('(3)', [(7, 6), (3, 8), (11, 4)])
    """

    name: str
    equation: str
    oracle: Callable[[Problem], Arrays]
    elements: Callable[[Problem], int]
    per_datapoint: bool = False
    size: Size = largest_elements
    irrational: str = ""
    of_trajectories: bool = False
    array_kind: str = ""
    degree: int | None = None
    mean: bool = True
    view: Callable[[Problem, Arrays], Arrays] = whole
    description: str = ""

    def value(self, problem: Problem) -> Arrays:
        """The arrays that are compared, by the reference."""
        return self.view(problem, self.oracle(problem))

    def applies_to(self, problem: Problem) -> bool:
        """True if the quantity is defined on this kind of problem."""
        return self.of_trajectories == (problem.trajectory is not None)

    def within_reach(self, problem: Problem) -> Problem | None:
        """The problem, on as many of its datapoints as `ELEMENTS` allows; None if not even one fits."""
        n = ELEMENTS // self.elements(problem.head(1)) if self.per_datapoint else problem.N
        if n == 0 or self.elements(problem.head(n)) > ELEMENTS:
            return None
        return problem if n >= problem.N else problem.head(n)


def in_order(per_layer: ref.PerLayer) -> Arrays:
    """The arrays of the layers 1, ..., L as a tuple."""
    return tuple(np.asanyarray(per_layer[l]) for l in sorted(per_layer))


def keyed(arrays: Arrays) -> ref.PerLayer:
    """A tuple of arrays as a dict by layer, the form in which the reference has them."""
    return dict(enumerate(arrays, start=1))


def single(value: Any) -> Arrays:
    """A scalar or an array as a tuple of one array."""
    return (np.asanyarray(value),)


def stacked(sample: Callable[[ref.Network, Array, Array], ref.PerLayer], problem: Problem) -> Arrays:
    """A quantity of one datapoint, stacked over the datapoints: (N, ...) for each layer."""
    samples = [sample(problem.reference, x, y) for x, y in zip(problem.X, problem.Y, strict=True)]
    return tuple(np.stack([s[l] for s in samples]) for l in sorted(samples[0]))


def of_inputs(problem: Problem) -> int:
    """The number of elements of all Q_l: the sum of (D_{l-1} + 1)^2."""
    return sum(W.shape[1] ** 2 for W in problem.weights)


def of_preactivations(problem: Problem) -> int:
    """The number of elements of all G_l: the sum of D_l^2."""
    return sum(W.shape[0] ** 2 for W in problem.weights)


def of_blocks(problem: Problem) -> int:
    """The number of elements of all blocks: the sum of (D_l (D_{l-1} + 1))^2."""
    return sum(W.size**2 for W in problem.weights)
