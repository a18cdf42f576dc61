"""The record of a quantity, and functions for the modules that list quantities."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import kfgn_reference as ref
import numpy as np

from ..problems.layers import Weighted, group_shapes
from ..problems.problem import Array, Problem
from .sizes import Arrays, Size, largest_elements

ELEMENTS = 2**24
"""The maximum number of elements that are compared for a quantity on a problem: 128 MiB of float64."""


def whole(_problem: Problem, arrays: Arrays) -> Arrays:
    """All arrays of a quantity, unchanged."""
    return arrays


def always(_problem: Problem) -> bool:
    """True for every problem."""
    return True


@dataclass(frozen=True)
class Quantity:
    """A quantity of the paper or of networks with shared weights, as a function of a problem.

    Parameters
    ----------
    name : str
        The name in reports and in golden vectors.
    equation : str
        The number of the equation, the section of the paper, or a different source of the definition.
    oracle : callable
        A function of a problem that computes the quantity by the reference. The result is a tuple of arrays, such as
        one array per layer or group, or a single array.
    elements : callable
        A function of a problem that returns the number of elements of the quantity, or of the largest matrix that the
        oracle forms.
    per_datapoint : bool, default False
        True if only the first datapoints are compared on a problem for which the arrays would be too large. The first
        axis of each array of such a quantity is that of the datapoints.
    size : callable
        A function of a problem and of the oracle's arrays that returns the size of each array in the tolerance rule.
    irrational : str, default ""
        The reason why the quantity is irrational even for a problem of rational numbers, or "" for a rational quantity.
    of_trajectories : bool, default False
        True if the quantity is defined on problems with an optimiser trajectory, and False for problems without one.
    array_kind : str, default ""
        "weights" for arrays shaped like W_l, "blocks" for square matrices with respect to vec(W_l), "inputs" for
        matrices shaped like Q_l, or "" for all other arrays. The array kind determines how conventions are translated.
    degree : int or None, default None
        The power p such that the quantity becomes c^p times as large if the loss becomes c times as large, or None if
        no such p exists.
    mean : bool, default True
        True if the quantity is N times as large for an implementation whose convention is sums over the datapoints.
        This convention does not change the factors Q. The field has no effect if `degree` is None.
    view : callable
        A function of a problem and of the arrays of the quantity that returns the parts that are compared.
    of_shared_weights : bool, default False
        True if the quantity is defined on networks with shared weights, and False if it is defined on networks of the
        paper.
    per_group : bool, default False
        True if a convolution with several groups has one array for each group.
    with_bias : bool, default False
        True if the part of an array that belongs to the weights without the bias depends on the bias. An implementation
        with separate biases then cannot compute this part.
    condition : callable
        A function of a problem that is True if the quantity is defined and unique on the problem.
    otherwise : str, default ""
        The reason that the report gives if the quantity is not run on a problem because the condition is False. With
        "", the report does not mention the problem.
    description : str, default ""
        The definition of the quantity and the shape of its arrays. Blocks are square matrices with respect to vec(W_l).

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
    of_shared_weights: bool = False
    per_group: bool = False
    with_bias: bool = False
    condition: Callable[[Problem], bool] = always
    otherwise: str = ""
    description: str = ""

    def value(self, problem: Problem) -> Arrays:
        """Compute the compared arrays by the reference."""
        return self.view(problem, self.oracle(problem))

    def applies_to(self, problem: Problem) -> bool:
        """True if the quantity is defined on problems of this kind, and `condition` holds for the problem."""
        return self.concerns(problem) and self.condition(problem)

    def concerns(self, problem: Problem) -> bool:
        """True if the quantity is defined on problems of this kind.

        The kind of a problem depends on two properties: the problem may have a trajectory, and may have shared weights.
        """
        kind = (problem.trajectory is not None, problem.is_shared)
        return kind == (self.of_trajectories, self.of_shared_weights)

    def weights_of(self, problem: Problem) -> list[tuple[Weighted, tuple[int, int]]]:
        """The layer of each array, and the shape (D, P) of the weights to which the array belongs.

        The method is for the array kinds "weights", "blocks" and "inputs", which have an array for each layer or group.
        """
        found = []
        for layer, shape in zip(problem.weighted, (W.shape for W in problem.weights), strict=True):
            shapes = group_shapes(layer, shape) if self.per_group else [shape]
            found += [(layer, of_group) for of_group in shapes]
        return found

    def within_reach(self, problem: Problem) -> Problem | None:
        """The problem with as many of its first datapoints as `ELEMENTS` allows, or None if `ELEMENTS` allows none.

        Only a quantity with `per_datapoint` is compared on a part of the datapoints.
        """
        n = ELEMENTS // self.elements(problem.head(1)) if self.per_datapoint else problem.N
        if n == 0 or self.elements(problem.head(n)) > ELEMENTS:
            return None
        return problem if n >= problem.N else problem.head(n)


def in_order(per_layer: ref.PerLayer) -> Arrays:
    """Convert a dictionary of arrays by layer to a tuple in the order of the layers 1, ..., L."""
    return tuple(np.asanyarray(per_layer[l]) for l in sorted(per_layer))


def keyed(arrays: Arrays) -> ref.PerLayer:
    """Convert a tuple of arrays to a dictionary with the keys 1, ..., L, as the reference represents layers."""
    return dict(enumerate(arrays, start=1))


def single(value: Any) -> Arrays:
    """Convert a scalar or an array to a tuple with one array."""
    return (np.asanyarray(value),)


def stacked(sample: Callable[[ref.Network, Array, Array], ref.PerLayer], problem: Problem) -> Arrays:
    """The arrays sample(net, x, y) of every layer, stacked over the datapoints: (N, ...) for each layer."""
    samples = [sample(problem.reference, x, y) for x, y in zip(problem.X, problem.Y, strict=True)]
    return tuple(np.stack([s[l] for s in samples]) for l in sorted(samples[0]))


def of_inputs(problem: Problem) -> int:
    """The number of elements of all Q_l: the sum of (D_{l-1} + 1)^2, or of D_{l-1}^2 for layers without a bias."""
    return sum(W.shape[1] ** 2 for W in problem.weights)


def of_preactivations(problem: Problem) -> int:
    """The number of elements of all G_l: the sum of D_l^2."""
    return sum(W.shape[0] ** 2 for W in problem.weights)


def of_blocks(problem: Problem) -> int:
    """The number of elements of all blocks: the sum over the layers of the squared number of weights."""
    return sum(W.size**2 for W in problem.weights)
