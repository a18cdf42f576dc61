"""Problems with a mask: batches of datapoints of different length, as arrays with padding.

A masked position is not a position of its datapoint, and the values there have no influence on any quantity. The mask
of the inputs determines the masks of all activations.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeGuard

import numpy as np

from .arrays import Array
from .layers import Convolution, Flatten, Layer, Pooling, positions_of
from .problem import Problem
from .shapes import Shape


@dataclass(frozen=True, eq=False, kw_only=True)
class MaskedProblem(Problem):
    """A problem with shared weights in which each datapoint has its own number of positions.

    The arrays of the problem have padding up to one length. The values at masked positions are arbitrary real numbers,
    or tokens and classes within their range. An adapter gets such a problem only if its description has `masks=True`.

    Parameters
    ----------
    id : str
        A stable id, unique within a run.
    objective : str
        The name of the loss E(h_L, y): squared_error, bernoulli, categorical or mixture.
    psd : str, default "project"
        The replacement for an indefinite H_L: H_L with its negative eigenvalues set to zero ("project"), or
        dE/dh_L dE/dh_L^T ("scalar"). Only the H_L of the mixture can be indefinite.
    inputs : tuple of int
        (C_0, T_0), or (C_0, H, W) for images. If the first layer is an embedding, C_0 is the size of the vocabulary.
    layers : tuple of layers
        The layers l = 1, ..., L.
    weights : tuple of arrays
        The weights W_l of each layer with weights, with the bias in the last column.
    X : array, shape (N, C_0, T_0), or (N, T_0) for tokens
        The inputs of the batch, with arbitrary values at masked positions.
    Y : array, shape (N, T_L, D_L) or (N, T_L)
        The targets of the batch, with arbitrary values at masked positions of the outputs.
    labels : array, shape (N, S, T_L, D_L) or (N, S, T_L)
        The labels of KFAC, already sampled, with arbitrary values at masked positions of the outputs.
    draws : array, shaped like labels
        The random numbers from which labels are sampled: normals for the squared error, else uniforms in [0, 1).
    arguments : Arguments
        The arguments of products, projections, solves and steps.
    trajectory : Trajectory or None, default None
        None, since an optimiser trajectory has no masks.
    divisor : int, default 1
        The loss of a datapoint is the sum of E over the counted positions of the outputs, divided by this number.
    bases : tuple of pairs of arrays, default ()
        Orthogonal matrices (U_Q, U_G) for each group of each layer with weights, in which `ekfac_diagonal` is computed.
    dtypes : tuple of str
        The dtypes in which the problem is run. The problem is SKIPPED for an adapter with a different dtype.
    mask : array of bool, shape (N, T_0) or (N, H, W)
        True where a position of X counts. Each datapoint has a counted position.

    Notes
    -----
    A dense layer, an embedding, a normalisation, and a scale and shift take any mask. So does a `Pooling` whose window
    has all positions of its inputs: this window has all counted positions of a datapoint. For a `Convolution` and for
    every other `Pooling`, the counted positions of a datapoint must be the first along each axis, and the masked
    positions must follow. The outputs of such a layer are those of the datapoint without its masked positions, and the
    other positions of the outputs are masked. Each datapoint must have at least one such output. A circular
    `Convolution` takes no mask. A `Flatten` takes a mask only if its inputs have one position.

    Examples
    --------
    >>> from kfgn_conformance.problems.shared_weights.masked_sequences import masked_problems
    >>> problem = masked_problems()[2]
    >>> [mask.sum(axis=1).tolist() for mask in problem.masks]
    [[11, 4, 7, 2], [11, 4, 7, 2], [5, 2, 3, 1], [1, 1, 1, 1], [1, 1, 1, 1]]
    """

    mask: Array

    @property
    def masks(self) -> tuple[Array, ...]:
        """The masks (N, *positions) of a_0, ..., a_L. Raises `ValueError` if a layer does not take the mask."""
        found = [self.mask]
        for layer, below, above in zip(self.layers, self.shapes, self.shapes[1:], strict=False):
            found.append(mask_of_outputs(layer, found[-1], below, above))
        return tuple(found)

    def head(self, n: int) -> "MaskedProblem":
        """The problem with only the first n datapoints of its batch."""
        part = super().head(n)
        assert is_masked(part)
        return replace(part, mask=self.mask[:n])


def is_masked(problem: Problem) -> TypeGuard[MaskedProblem]:
    """True for a problem with a mask."""
    return isinstance(problem, MaskedProblem)


def fault_of_mask(problem: MaskedProblem) -> str:
    """The reason why a mask of the right shape does not fit the network, or "" if it does."""
    try:
        mask, *_ = problem.masks
    except ValueError as error:
        return str(error)
    counted = np.any(mask, axis=tuple(range(1, mask.ndim)))
    return "" if np.all(counted) else f"mask: expected a counted position in datapoint {np.argmin(counted)}, got none"


def check_mask(problem: Problem) -> None:
    """Check the mask of a problem that was not made by the kit. A problem without a mask has no fault.

    Raises `TypeError` unless the mask is an array of bool. Raises `ValueError` for a mask that has a wrong shape, or
    that does not fit the network.
    """
    if not is_masked(problem):
        return
    name, mask = f"problem {problem.id}: mask", problem.mask
    given: object = mask
    if not isinstance(given, np.ndarray):
        raise TypeError(f"{name}: expected an array of bool, got {type(given).__qualname__}")
    if mask.dtype != bool:
        raise TypeError(f"{name}: expected an array of bool, got dtype {mask.dtype}")
    if not problem.is_shared:
        raise ValueError(f"{name}: expected no mask for a network without positions, got a mask")
    if mask.shape != (shape := (problem.N, *problem.shapes[0][1:])):
        raise ValueError(f"{name}: expected shape {shape}, got {mask.shape}")
    if fault := fault_of_mask(problem):
        raise ValueError(f"problem {problem.id}: {fault}")


def has_all_positions(layer: Layer, below: Shape) -> bool:
    """True for a pooling layer with one window over all positions of its inputs, whose shape is `below`."""
    return isinstance(layer, Pooling) and tuple(window.width for window in layer.windows) == tuple(below[1:])


def mask_of_outputs(layer: Layer, mask: Array, below: Shape, above: Shape) -> Array:
    """The mask of the outputs of a layer, from the mask of its inputs.

    below, above: the shapes of the inputs and of the outputs
    """
    N = len(mask)
    if has_all_positions(layer, below) or (isinstance(layer, Flatten) and positions_of(below) == 1):
        return np.ones((N, *above[1:]), bool)
    if isinstance(layer, Flatten):
        raise ValueError(f"mask: expected one position before a Flatten, got {positions_of(below)}")
    if not isinstance(layer, Convolution | Pooling):
        return mask
    if isinstance(layer, Convolution) and layer.circular:
        raise ValueError("mask: expected no circular padding, got a circular convolution")
    lengths = lengths_of(mask)
    if not np.array_equal(first_positions(lengths, below[1:]), mask):
        raise ValueError(
            f"mask: expected the counted positions first for a {type(layer).__name__}, got a different mask"
        )
    pairs = zip(layer.windows, lengths, strict=True)
    outputs = [np.array([window.outputs(int(length)) for length in of_axis]) for window, of_axis in pairs]
    if min(map(np.min, outputs)) < 1:
        raise ValueError(
            f"mask: expected an output of the {type(layer).__name__} in each datapoint, got a datapoint without outputs"
        )
    return first_positions(outputs, above[1:])


def lengths_of(mask: Array) -> list[Array]:
    """For each axis of the positions, the number (N,) of indices at which a datapoint has a counted position."""
    axes = range(1, mask.ndim)
    return [np.sum(np.any(mask, axis=tuple({*axes} - {axis})), axis=1) for axis in axes]


def first_positions(lengths: Sequence[Array], positions: Sequence[int]) -> Array:
    """The mask (N, *positions) that counts only the first positions of each datapoint along each axis.

    lengths:   for each axis, the number of counted positions of each datapoint, (N,)
    positions: for each axis, the number of all positions
    """
    mask = np.ones((len(lengths[0]), *positions), bool)
    for axis, (counts, T) in enumerate(zip(lengths, positions, strict=True), 1):
        shape = [T if i == axis else 1 for i in range(1, mask.ndim)]
        mask = mask & (np.arange(T).reshape(shape) < counts.reshape(-1, *(1,) * len(positions)))
    return mask
