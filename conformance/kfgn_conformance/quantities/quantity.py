"""A row of the table: what the paper defines on a problem, and the words that rows are written in."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import kfgn_reference as ref
import numpy as np

from ..problems.problem import Array, Problem
from .sizes import Arrays, Size, largest_elements

ELEMENTS = 2**24
"""The most elements of a quantity that are compared: 128 MiB of float64."""


def whole(_problem: Problem, arrays: Arrays) -> Arrays:
    """All of them."""
    return arrays


@dataclass(frozen=True)
class Quantity:
    """A row of the table.

    name, equation: how it is called, and where it is in the paper
    says:           what it is, and the shape of its arrays; blocks are square and over stacked columns of W_l
    oracle:         its value by the reference
    elements:       how many elements it has, or the largest matrix that its oracle forms
    per_datapoint:  whether it is N arrays, so that fewer datapoints make it smaller
    size:           what rounding errors of each array are relative to
    irrational:     why it has no rational form, even where the problem has one; empty if it has
    of_walks:       whether it is asked of walks alone; else of all problems but them
    form:           what its arrays are like, which decides how another convention is translated: "weights" are shaped
                    like W_l, "blocks" are matrices over the weights of a layer, "inputs" are like Q_l
    degree:         by what power it grows with the loss; None for what is no power of it
    mean:           whether it is a mean over the datapoints, so that a sum over them is N times as large
    view:           what is compared of the arrays: the parts that an implementation has
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
    says: str = ""

    def value(self, problem: Problem) -> Arrays:
        """What is compared, by the reference."""
        return self.view(problem, self.oracle(problem))

    def asks(self, problem: Problem) -> bool:
        """Whether it is a question about this kind of problem."""
        return self.of_trajectories == (problem.trajectory is not None)

    @lru_cache(maxsize=64)  # noqa: B019  (one object for all who ask, so that its oracle is computed once)
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
    """A tuple of arrays keyed by layer, as the reference takes them."""
    return dict(enumerate(arrays, start=1))


def single(value: Any) -> Arrays:
    """A scalar, or one array, as a tuple."""
    return (np.asanyarray(value),)


def stacked(sample: Callable[[ref.Network, Array, Array], ref.PerLayer], problem: Problem) -> Arrays:
    """A sample quantity of every datapoint, (N, ...) for each layer."""
    samples = [sample(problem.reference, x, y) for x, y in zip(problem.X, problem.Y, strict=True)]
    return tuple(np.stack([s[l] for s in samples]) for l in sorted(samples[0]))


def of_inputs(problem: Problem) -> int:
    """sum (D_{l-1} + 1)^2."""
    return sum((D + 1) ** 2 for D in problem.widths[:-1])


def of_preactivations(problem: Problem) -> int:
    """sum D_l^2."""
    return sum(D**2 for D in problem.widths[1:])


def of_blocks(problem: Problem) -> int:
    """sum (D_l (D_{l-1} + 1))^2."""
    return sum(W.size**2 for W in problem.weights)
