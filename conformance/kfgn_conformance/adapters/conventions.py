"""How an implementation's numbers relate to the kit's, and the translation of what it answers.

An adapter declares; the kit translates, and says each time what it did. What is compared in the end is never a matter
of taste: Kronecker products, whose factors may be scaled against each other, and of separate biases the blocks that
there are.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np
from kfgn_reference import OBJECTIVES

from ..problems.problem import Array, Problem
from ..quantities import Arrays, Quantity

REDUCTIONS, STACKINGS, LAYOUTS = ("mean", "sum"), ("columns", "rows"), ("out_in", "in_out")
BIASES = ("last", "first", "separate")

LOSSES: dict[str, Callable[[int], float]] = {
    "1": lambda D: 1.0,
    "2": lambda D: 2.0,
    "1/D": lambda D: 1 / D,
    "2/D": lambda D: 2 / D,
}
"""What a loss may be a multiple of the kit's by, D the number of outputs."""


class ConventionError(ValueError):
    """Conventions that are not known."""


@dataclass(frozen=True)
class Conventions:
    """The kit's own, where nothing else is said.

    reduction: over the datapoints, mean or sum, of everything but Q and what there is of each datapoint
    loss:      how many times the kit's loss of an objective the implementation's is, by a name of `LOSSES`: PyTorch's
               MSELoss has {"squared_error": "2/D"}, as it has no 1/2 and is a mean over the outputs too
    layout:    of weights and gradients, out_in (D_l, D_{l-1}) or in_out
    stacking:  of these arrays into vectors, by columns or by rows
    bias:      the last or the first of the inputs, or separate: then weights are W_1, b_1, W_2, ..., and of a block
               there is that of W_l and that of b_l
    """

    reduction: str = "mean"
    loss: dict[str, str] = field(default_factory=dict)
    layout: str = "out_in"
    stacking: str = "columns"
    bias: str = "last"

    def __post_init__(self) -> None:
        for name, allowed in (
            ("reduction", REDUCTIONS),
            ("layout", LAYOUTS),
            ("stacking", STACKINGS),
            ("bias", BIASES),
        ):
            if getattr(self, name) not in allowed:
                raise ConventionError(f"{name}: expected {' or '.join(allowed)}, got {getattr(self, name)!r}")
        if not isinstance(self.loss, dict):
            raise ConventionError(f"loss: expected a dict by objective, got {type(self.loss).__qualname__}")
        for objective, name in self.loss.items():
            if objective not in OBJECTIVES:
                raise ConventionError(f"loss: there is no objective {objective!r}, but {', '.join(OBJECTIVES)}")
            if name not in list(LOSSES):  # the value may have any type, even one without a hash
                raise ConventionError(f"loss: expected one of {', '.join(LOSSES)} for {objective}, got {name!r}")

    @property
    def inputs_first(self) -> bool:
        """Whether a stacked vector goes through the inputs of one output before it goes to the next."""
        return (self.layout == "out_in") == (self.stacking == "rows")


KIT = Conventions()


@cache
def split(quantity: Quantity) -> Quantity:
    """The quantity as it is where biases are separate: W_l and b_l, or the blocks of them, or Q without the unit."""

    def view(problem: Problem, arrays: Arrays) -> Arrays:
        parts: list[Array] = []
        for W, array in zip(problem.weights, arrays, strict=True):
            D, P = W.shape
            of_W = D * (P - 1)
            if quantity.array_kind == "weights":
                parts += [array[:, :-1], array[:, -1]]
            elif quantity.array_kind == "blocks":
                parts += [array[:of_W, :of_W], array[of_W:, of_W:]]
            else:
                parts.append(array[:-1, :-1])
        return tuple(parts)

    return replace(quantity, view=view)


def compared(quantity: Quantity, conventions: Conventions) -> Quantity:
    """What of a quantity an implementation with these conventions can be held against."""
    return split(quantity) if conventions.bias == "separate" and quantity.array_kind else quantity


def translated(
    answer: Any, problem: Problem, quantity: Quantity, conventions: Conventions
) -> tuple[Any, tuple[str, ...]]:
    """An answer in the kit's conventions, and what was done to it.

    What is no tuple of arrays is left as it is, to be judged so. What is no power of the loss, such as a damped solve,
    has no translation from another loss or reduction, and is taken to be in the kit's.
    """
    if conventions == KIT or not isinstance(answer, tuple):
        return answer, ()
    notes: list[str] = []
    arrays = tuple(np.asarray(array) for array in answer)
    if quantity.array_kind == "weights" and conventions.layout == "in_out":
        arrays = tuple(a.T if a.ndim == 2 else a for a in arrays)
        notes.append("transposed from (in, out)")
    if quantity.array_kind == "blocks" and conventions.inputs_first:
        arrays = tuple(_outputs_first(a, shape) for a, shape in _with_weights(arrays, problem, conventions))
        notes.append("stacked by columns of (out, in)")
    if quantity.array_kind and conventions.bias == "first":
        arrays = tuple(_bias_last(a, W, quantity.array_kind) for a, W in _with_weights(arrays, problem, conventions))
        notes.append("bias brought from the first place to the last")
    if quantity.array_kind and conventions.bias == "separate":
        notes.append("biases are separate: only their own blocks are compared")
    if quantity.degree is not None:
        factor, why = _factor(problem, quantity, quantity.degree, conventions)
        if factor != 1:
            arrays = tuple(np.asarray(a / np.asarray(factor, a.dtype)) for a in arrays)
            notes.append(f"divided by {why}")
    elif conventions.reduction == "sum" or problem.objective in conventions.loss:
        notes.append("compared as it is, since it is no power of the loss")
    return arrays, tuple(notes)


def _factor(problem: Problem, quantity: Quantity, degree: int, conventions: Conventions) -> tuple[float, str]:
    """What the answer is a multiple of the kit's by, in numbers and in words."""
    D, name = problem.widths[-1], conventions.loss.get(problem.objective, "1")
    factor, why = LOSSES[name](D) ** degree, []
    if factor != 1:
        power = name if degree == 1 else f"({name})^{degree}"
        why.append(f"{power}, as the loss is {name} of the kit's, D the number of outputs")
    if conventions.reduction == "sum" and quantity.mean:
        factor *= problem.N
        why.append("N, as it is a sum over the datapoints")
    return factor, " and by ".join(why)


def _with_weights(arrays: Arrays, problem: Problem, conventions: Conventions) -> list[tuple[Array, tuple[int, int]]]:
    """Each array with the (D, P) of its weights, P without the bias where that is separate; the bias's own has 1."""
    shapes: list[tuple[int, int]] = []
    for W in problem.weights:
        D, P = W.shape
        shapes += [(D, P - 1), (D, 1)] if conventions.bias == "separate" else [(D, P)]
    return list(zip(arrays, shapes, strict=False))


def _outputs_first(array: Array, shape: tuple[int, int]) -> Array:
    """From vectors that go through the inputs of one output first to those that go through the outputs first."""
    D, P = shape
    if array.shape != (D * P, D * P):
        return array
    return array.reshape(D, P, D, P).transpose(1, 0, 3, 2).reshape(D * P, D * P)


def _bias_last(array: Array, shape: tuple[int, int], form: str) -> Array:
    D, P = shape
    if form == "weights":
        return np.roll(array, -1, axis=1) if array.ndim == 2 else array
    if form == "inputs":
        return np.roll(array, (-1, -1), axis=(0, 1)) if array.ndim == 2 else array
    return np.roll(array, (-D, -D), axis=(0, 1)) if array.shape == (D * P, D * P) else array
