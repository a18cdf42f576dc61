"""Conventions of an implementation, and the translation of its answers to the kit's conventions.

An adapter declares its conventions. The kit translates each answer to the kit's conventions, and reports every
translation.

An implementation may compute c Q_l and G_l / c instead of Q_l and G_l, with any positive number c. The product Q_l kron
G_l does not depend on c. Quantities such as `kfra_blocks` therefore consist of these products, and not of the factors.
If an implementation stores biases separately, the kit compares only two parts of the block of a layer. These parts are
the diagonal sub-block of the weights without the bias, and the diagonal sub-block of the bias.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np
from kfgn_reference import OBJECTIVES

from ..problems.layers import Weighted, has_bias_column
from ..problems.problem import Array, Problem
from ..quantities import Arrays, Quantity, largest
from ..quantities.sizes import LargestMagnitude
from .loss_ratios import LOSS, loss_ratio
from .positions import divisor_faults, has_patches, taps_first, with_divisor

REDUCTIONS, STACKINGS, LAYOUTS = ("mean", "sum"), ("columns", "rows"), ("out_in", "in_out")
BIASES, PATCHES = ("last", "first", "separate"), ("taps", "channels")
CHOICES = {"reduction": REDUCTIONS, "layout": LAYOUTS, "stacking": STACKINGS, "bias": BIASES, "patch": PATCHES}
"""The known values of each parameter of `Conventions`, except `loss` and `divisors`."""


class ConventionError(ValueError):
    """Exception for unknown conventions. The message names each wrong parameter and its known values."""


@dataclass(frozen=True)
class Conventions:
    """Conventions of an implementation's answers. The default of each parameter is the kit's own convention.

    Parameters
    ----------
    reduction : {"mean", "sum"}
        Reduction over the N datapoints: a mean or a sum. `q` is always a mean, `expand_q` and `reduce_q` are means
        unless `divisors` declares a different divisor, and quantities per datapoint are not reduced.
    loss : dict of str to str
        Ratio of the implementation's loss to the kit's loss, by objective: a positive fraction such as `"2"` or
        `"1/2"`. The fraction may be divided by the number of outputs D, as in `"2/D"` or `"1/2/D"`. The kit divides no
        loss by the number of outputs, and the kit's squared error is |h - y|^2 / 2. PyTorch's `MSELoss` is a mean over
        the outputs without the factor 1/2, so an adapter of PyTorch declares `{"squared_error": "2/D"}`.
    layout : {"out_in", "in_out"}
        Shape of an array with an element for each weight of a layer, such as the gradient: (outputs, inputs) or
        (inputs, outputs).
    stacking : {"columns", "rows"}
        Order of the weights of a layer in the rows and the columns of a block: the matrix of weights column by column,
        or row by row. `layout` declares the shape of this matrix.
    bias : {"last", "first", "separate"}
        Position of the bias: the last or the first input of a layer, or a separate array. If biases are separate, an
        answer with the shapes of the weights has the arrays W_1, b_1, W_2, b_2 and so on. An answer that consists of
        blocks then has one block for each of these arrays, and Q_l has no row or column for the constant input 1 that
        multiplies the bias.
    patch : {"taps", "channels"}
        Order of the inputs of a convolution: tap by tap, with the channels of a tap next to each other, or channel by
        channel, with the taps of a channel next to each other. The second order is that of `kernel.flatten(1)` for a
        kernel of PyTorch.
    divisors : dict of str to str
        Divisor of the sum over the datapoints and positions in a factor, by the name of the quantity. The divisors are
        `"positions"` for N T, `"datapoints"` for N, and `"none"` for 1, where T is the number of positions of the
        outputs of a layer. The quantities are `expand_q`, `expand_g`, `reduce_q`, `reduce_g`, `kfra_over_tokens` and
        `kfra_over_taps`. The kit divides `expand_q` by N T and the other five by N. If the problem has a mask, the
        number of counted positions of the batch replaces N T. The sum in `reduce_q` is over datapoints alone, and the
        inputs in this sum are means over positions.

    Raises
    ------
    ConventionError
        If a parameter has a value that is not described above. `ConventionError` is a subclass of `ValueError`.

    Notes
    -----
    Let r be the declared ratio of the implementation's loss to the kit's loss. If a quantity is proportional to the
    k-th power of the loss, the kit divides the implementation's answer by r^k. A quantity such as a damped solve is not
    proportional to a power of the loss. The implementation must compute such a quantity with the kit's own loss and
    reduction.

    Examples
    --------
    The conventions of PyTorch's linear layers and losses, for blocks over `weight.flatten()`:

    >>> from kfgn_conformance import Conventions
    >>> Conventions(loss={"squared_error": "2/D", "bernoulli": "1/D"}, stacking="rows", bias="separate").bias
    'separate'
    >>> Conventions(reduction="none")
    Traceback (most recent call last):
        ...
    kfgn_conformance.adapters.conventions.ConventionError: reduction: expected mean or sum, got 'none'
    """

    reduction: str = "mean"
    loss: dict[str, str] = field(default_factory=dict)
    layout: str = "out_in"
    stacking: str = "columns"
    bias: str = "last"
    patch: str = "taps"
    divisors: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if faults := [*self._faults()]:
            raise ConventionError("; ".join(faults))

    def _faults(self) -> Iterator[str]:
        """Messages about the parameters with unknown values."""
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                yield f"{name}: expected {' or '.join(allowed)}, got {getattr(self, name)!r}"
        yield from divisor_faults(self.divisors)
        loss: object = self.loss
        if not isinstance(loss, dict):
            yield f"loss: expected a dict with objectives as keys, got {type(loss).__qualname__}"
            return
        for objective, ratio in loss.items():
            if objective not in OBJECTIVES:
                yield f"loss: expected objectives among {', '.join(OBJECTIVES)}, got {objective!r}"
            if not isinstance(ratio, str) or not LOSS.fullmatch(ratio):
                yield f"loss: expected a ratio such as '2', '1/2' or '2/D' for {objective}, got {ratio!r}"

    @property
    def inputs_first(self) -> bool:
        """True if all weights of one output are adjacent in a stacked vector of weights."""
        return (self.layout == "out_in") == (self.stacking == "rows")


KIT = Conventions()
"""The kit's own conventions."""

SEPARATE_ARRAYS = "biases are separate: the arrays for W_l and for b_l are compared"
SEPARATE_INPUTS = "biases are separate: the factors have no row and no column for the input 1 of the bias"


@cache
def with_separate_biases(quantity: Quantity) -> Quantity:
    """The quantity with the array of each layer split into a part for the weights and a part for the bias.

    An implementation that stores biases separately returns these parts. An array that is shaped like the weights
    becomes an array for W_l and an array for b_l. A block becomes a block for W_l and a block for b_l. Q_l loses the
    row and the column of the constant input 1 that multiplies the bias. The array of a layer without a bias is
    unchanged. The tolerance of each array is relative to the magnitudes of the elements of this array, so that the
    tolerance of a small b_l does not depend on the size of W_l.
    """

    def view(problem: Problem, arrays: Arrays) -> Arrays:
        parts: list[Array] = []
        for (layer, (D, P)), array in zip(quantity.weights_of(problem), arrays, strict=True):
            n = D * (P - 1)
            if not has_bias_column(layer, (D, P)):
                parts.append(array)
            elif quantity.array_kind == "weights":
                parts += [array[:, :-1], array[:, -1]]
            elif quantity.array_kind == "blocks":
                parts += [array[:n, :n], array[n:, n:]]
            else:
                parts.append(array[:-1, :-1])
        return tuple(parts)

    def size(problem: Problem, parts: Arrays) -> tuple[float, ...]:
        assert isinstance(quantity.size, LargestMagnitude)
        return tuple(map(largest, view(problem, quantity.size.elements(problem, _joined(problem, parts)))))

    return replace(quantity, view=view, size=size if isinstance(quantity.size, LargestMagnitude) else quantity.size)


def _joined(problem: Problem, parts: Arrays) -> Arrays:
    """Join separate arrays for W_l and b_l to arrays that are shaped like the weights."""
    rest = iter(parts)
    return tuple(np.column_stack([next(rest), next(rest)]) if layer.bias else next(rest) for layer in problem.weighted)


def compared(quantity: Quantity, conventions: Conventions) -> Quantity:
    """The quantity that the kit compares. If biases are separate, arrays with a part for the bias are split."""
    return with_separate_biases(quantity) if conventions.bias == "separate" and quantity.array_kind else quantity


def translated(
    answer: Any, problem: Problem, quantity: Quantity, conventions: Conventions
) -> tuple[Any, tuple[str, ...]]:
    """Translate an answer to the kit's conventions. Returns the translated answer and a note on each translation.

    An answer that is not a tuple is returned unchanged, and fails in the comparison. A quantity that is not
    proportional to a power of the loss, such as a damped solve, is not rescaled.
    """
    if conventions == KIT or not isinstance(answer, tuple):
        return answer, ()
    notes: list[str] = []
    arrays = tuple(np.asarray(array) for array in answer)
    if quantity.array_kind == "weights" and conventions.layout == "in_out":
        arrays = tuple(a.T if a.ndim == 2 else a for a in arrays)
        notes.append("transposed from (inputs, outputs)")
    if quantity.array_kind == "blocks" and conventions.inputs_first:
        arrays = tuple(
            _outputs_first(a, shape) for a, _, shape in _with_weights(arrays, problem, quantity, conventions)
        )
        notes.append("rows and columns of the blocks reordered to the stacked columns of the weights (outputs, inputs)")
    has_biases = quantity.array_kind and any(has_bias_column(*each) for each in quantity.weights_of(problem))
    if has_biases and conventions.bias == "first":
        arrays = tuple(
            _bias_last(a, shape, quantity.array_kind) if has_bias_column(layer, shape) else a
            for a, layer, shape in _with_weights(arrays, problem, quantity, conventions)
        )
        notes.append("bias moved from the first input to the last input")
    if has_biases and conventions.bias == "separate":
        notes.append(SEPARATE_INPUTS if quantity.array_kind == "inputs" else SEPARATE_ARRAYS)
    if quantity.array_kind and conventions.patch == "channels" and has_patches(problem):
        arrays = tuple(
            taps_first(a, layer, shape, quantity.array_kind)
            for a, layer, shape in _with_weights(arrays, problem, quantity, conventions)
        )
        notes.append("inputs of convolutions reordered from channel by channel to tap by tap")
    if divisor := conventions.divisors.get(quantity.name):
        arrays = with_divisor(arrays, problem, quantity, divisor)
        notes.append(f"multiplied by the quotient of the declared divisor ({divisor}) and the kit's divisor")
    if quantity.degree is not None:
        factor, reason = _factor(problem, quantity, quantity.degree, conventions)
        if factor != 1:
            arrays = tuple(np.asarray(a / np.asarray(factor, a.dtype)) for a in arrays)
            notes.append(f"divided by {reason}")
    elif conventions.reduction == "sum" or problem.objective in conventions.loss:
        notes.append("compared without rescaling, as the quantity is not proportional to a power of the loss")
    return arrays, tuple(notes)


def _factor(problem: Problem, quantity: Quantity, degree: int, conventions: Conventions) -> tuple[float, str]:
    """The ratio of an implementation's answer to the kit's value, as a number and in words."""
    D, name = problem.widths[-1], conventions.loss.get(problem.objective, "1")
    factor, reasons = float(loss_ratio(name, D) ** degree), []
    if factor != 1:
        power = name if degree == 1 else f"({name})^{degree}"
        where = ", where D is the number of outputs" if "D" in name else ""
        reasons.append(f"{power}, as the loss is {name} times the kit's loss{where}")
    if conventions.reduction == "sum" and quantity.mean and quantity.name not in conventions.divisors:
        factor *= problem.N
        reasons.append("N, as the answer is a sum over the datapoints")
    return factor, " and by ".join(reasons)


def _with_weights(
    arrays: Arrays, problem: Problem, quantity: Quantity, conventions: Conventions
) -> list[tuple[Array, Weighted, tuple[int, int]]]:
    """Combine each array with its layer, and with the shape (D, P) of the weights to which the array belongs.

    If biases are separate, a layer with a bias has the shape (D, P - 1) for its weights and (D, 1) for its bias. Q_l
    has no part for the bias.
    """
    owners: list[tuple[Weighted, tuple[int, int]]] = []
    for layer, (D, P) in quantity.weights_of(problem):
        if conventions.bias != "separate" or not has_bias_column(layer, (D, P)):
            owners.append((layer, (D, P)))
        else:
            owners += [(layer, (D, P - 1)), (layer, (D, 1))][: 1 if quantity.array_kind == "inputs" else 2]
    return [(array, *owner) for array, owner in zip(arrays, owners, strict=False)]


def _outputs_first(array: Array, shape: tuple[int, int]) -> Array:
    """Reorder a block from the stacked rows of the weights (D, P) to the stacked columns of the weights.

    An array that is not (D P, D P) is unchanged, and the comparison reports its shape.
    """
    D, P = shape
    if array.shape != (D * P, D * P):
        return array
    return array.reshape(D, P, D, P).transpose(1, 0, 3, 2).reshape(D * P, D * P)


def _bias_last(array: Array, shape: tuple[int, int], form: str) -> Array:
    """Make the bias the last input of a layer instead of the first input, in weights, in Q or in a block.

    An array with a wrong number of axes, or a block of a wrong shape, is unchanged. The comparison reports the shape.
    """
    D, P = shape
    if form == "weights":
        return np.roll(array, -1, axis=1) if array.ndim == 2 else array
    if form == "inputs":
        return np.roll(array, (-1, -1), axis=(0, 1)) if array.ndim == 2 else array
    return np.roll(array, (-D, -D), axis=(0, 1)) if array.shape == (D * P, D * P) else array
