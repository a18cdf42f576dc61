"""A model linearised at its parameters: all that the blocks need from a library with automatic differentiation."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .outputs import OutputDerivatives
from .parameters import Parameters
from .uses import Array, Use

COUPLED = 1e-9
"""Outputs differ if their distance is above this number times the larger of 1 and the largest absolute output.

The number is far above rounding errors.
"""


class Sample(NamedTuple):
    """One datapoint of the model.

    outputs: the outputs h, (T, O), of K = T O entries
    J:       the derivatives of the outputs with respect to the vector theta of all P parameters, (K, P)
    uses:    the uses of parameters as matrices
    loss:    the loss and its derivatives with respect to the outputs
    """

    outputs: Array
    J: Array
    uses: list[Use]
    loss: OutputDerivatives


class Linearised(NamedTuple):
    """A model at its parameters with a batch.

    parameters: theta and its names
    samples:    the N datapoints
    second:     second(n, g, rows, columns) is the Hessian of g^T h_n in theta, at these rows and columns, with the
                outputs h_n of datapoint n
    """

    parameters: Parameters
    samples: list[Sample]
    second: Callable[[int, Array, Array, Array], Array]


def datapoints(arrays: Sequence[Any]) -> int:
    """The number N of datapoints in the inputs (N, ...). Raises `ValueError` if arrays have different N, or N is 0."""
    counts = sorted({x.shape[0] if x.ndim else 0 for x in arrays})
    if len(counts) > 1:
        raise ValueError(f"X: expected arrays with the same number of datapoints, got {', '.join(map(str, counts))}")
    if counts in ([], [0]):
        raise ValueError("X: expected at least one datapoint, got none")
    return int(counts[0])


def check_outputs(outputs: Array, N: int) -> None:
    """Raise `ValueError` unless the outputs are float64 of shape (N, ..., O) and finite."""
    if outputs.ndim < 2 or len(outputs) != N:
        raise ValueError(f"model: expected outputs of shape ({N}, ..., O), got {outputs.shape}")
    if outputs.dtype != np.float64:
        raise ValueError(f"model: expected outputs of float64, got {outputs.dtype}")
    if not np.isfinite(outputs).all():
        raise ValueError("model: expected finite outputs, got nan or infinity")


def check_independent(outputs: Array, again: Array, alone: Sequence[Array], hint: str) -> None:
    """Raise `ValueError` if the outputs are random, or if those of a datapoint depend on other datapoints.

    outputs, again: the outputs of the whole batch, computed twice, (N, ..., O)
    alone:          the outputs of each datapoint in a separate batch, (1, ..., O)
    """
    limit = COUPLED * max(1.0, np.abs(outputs).max())
    if differ(outputs, again, limit):
        raise ValueError(f"model: expected the same outputs in every call, got two results{hint}")
    for n, (together, one) in enumerate(zip(outputs, alone, strict=True)):
        if one.shape[1:] != together.shape or differ(one[0], together, limit):
            raise ValueError(
                f"model: expected outputs of datapoint {n} that do not depend on other datapoints, got different"
                f" outputs in a batch with this datapoint alone{hint}"
            )


def differ(one: Array, other: Array, limit: float) -> bool:
    """True if two arrays have different shapes, or are further apart than the limit."""
    return one.shape != other.shape or bool(np.abs(one - other).max() > limit)
