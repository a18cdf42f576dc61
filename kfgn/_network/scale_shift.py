"""The layer that scales and shifts each channel, as layer normalisation does after it has normalised."""

import math
from dataclasses import dataclass
from typing import ClassVar

from array_api_compat import array_namespace

from .._algebra.matrices import second_moment
from .._documentation import Documented
from .._types import Array, Arrays, Namespace
from .._validation.scalars import checked_flag, set_fields
from .blocks import BlockPerGroup
from .layer_map import Shape
from .masks import Mask
from .transfers import TransferName, checked_transfer


@dataclass(frozen=True)
class ScaleShift(metaclass=Documented):
    """A scale and a shift of each channel: h_ct = gamma_c a_ct + beta_c at each position t.

    A `ScaleShift` is hashable and holds no array. The layer needs a network whose `inputs` is a tuple such as (C, T).
    For vectors of C numbers, the tuple is (C, 1). A `Normalisation` followed by a `ScaleShift` is layer normalisation.

    Parameters
    ----------
    transfer : str or tuple of (str, float), default "identity"
        f_l, applied to every channel at every position: a name such as "tanh", or a pair such as ("leaky_relu", 0.01).
    bias : bool, default True
        True if the layer has a shift beta, and False if it has a scale gamma alone.

    Raises
    ------
    TypeError
        For values of a wrong type.
    ValueError
        For an unknown transfer function, for a parameter that float32 cannot hold, or for a `transfer` with a wrong
        number of elements.

    Notes
    -----
    W_l is [gamma, beta] of shape (C, 2), or gamma of shape (C, 1) without a shift.

    The block of vec(W_l) = (gamma, beta) is not approximated by two factors: Q is the 1 x 1 matrix 1, and G is the
    whole block, (2 C, 2 C), or (C, C) without a shift. With `kflr`, G is the exact block of `gauss_newton_blocks`, for
    both values of `sharing`. For datapoint n, take a root of the Gauss-Newton matrix at h. Let the vector r_ntk (C,)
    be the part at position t of column k of this root. The block is::

        1/N sum_n sum_k g_nk g_nk^T,  g_nk = (sum_t a_nt * r_ntk, sum_t r_ntk)

    With a shift, the block has 4 C^2 elements, and its Cholesky factorisation costs (2 C)^3 / 6 multiplications.

    `kfac` replaces the columns of the root with gradients at sampled labels, and `rp` replaces them with random
    combinations of the columns. `kfra` has a single matrix G_h (C, C) at h for the whole batch, a sum over positions.
    The block of `kfra` has no terms between different positions. Without a shift, the block is the elementwise product
    of G_h and the mean of a_nt a_nt^T over n and t. With a shift, the block is the elementwise product of
    [[G_h, G_h], [G_h, G_h]] and the mean of u_nt u_nt^T, where u_nt (2 C,) is a_nt, followed by C ones.

    Examples
    --------
    >>> import kfgn
    >>> layers = kfgn.Dense(4), kfgn.Normalisation(), kfgn.ScaleShift("relu"), kfgn.Dense(2)
    >>> network = kfgn.Network((3, 5), layers, "squared_error")
    >>> network.weight_shapes, network.block_shapes
    (((4, 4), (4, 2), (2, 5)), ((4, 4), (8, 1), (2, 5)))
    """

    transfer: TransferName = "identity"
    bias: bool = True

    def __post_init__(self) -> None:
        set_fields(self, transfer=checked_transfer("transfer", self.transfer), bias=checked_flag("bias", self.bias))

    def weight_shape(self, inputs: int) -> tuple[int, int]:
        """The shape of W_l for C channels: (C, 2), or (C, 1) without a shift."""
        return inputs, 1 + self.bias

    def at(self, shape: Shape) -> tuple["ScaleShiftMap", Shape]:
        """The map of the layer for inputs of a shape, and the shape of the outputs, which is the same."""
        return ScaleShiftMap(shape[0], self.bias), shape


@dataclass(frozen=True)
class ScaleShiftMap(BlockPerGroup):
    """A scale and a shift at their place in a network: a `WeightedMap` with one dense block, the block of vec(W).

    The rows `inputs` are [a, 1] with C ones, and vec(W) is (gamma, beta). Each h_c is the sum of the elements c and
    C + c of the elementwise product of [a, 1] and vec(W). The block regards vec(W) as weights of shape (2 C, 1), whose
    only input is 1.

    The methods are described for a layer with a shift. Without a shift, the second halves of [a, 1] and of vec(W) are
    missing, and C replaces 2 C.
    """

    channels: int
    bias: bool

    mixes_positions: ClassVar[bool] = False
    has_dense_block: ClassVar[bool] = True

    def inputs(self, xp: Namespace, a: Array) -> Array:
        """The rows [a, 1], (R, 2 C)."""
        return xp.concat([a, xp.ones_like(a)], axis=1) if self.bias else a

    def input_tangents(self, xp: Namespace, R_a: Array) -> Array:
        """The rows [R_a, 0]."""
        return xp.concat([R_a, xp.zeros_like(R_a)], axis=1) if self.bias else R_a

    def by_group(self, inputs: Array) -> Arrays:
        """The input 1 of vec(W) at each position, (R, 1)."""
        return (array_namespace(inputs).ones_like(inputs[:, :1]),)

    def preactivations(self, W: Array, inputs: Array) -> Array:
        """gamma * a + beta."""
        scaled = inputs[:, : self.channels] * W[:, 0]
        return scaled + W[:, 1] if self.bias else scaled

    def preactivation_tangents(self, W: Array, R_a: Array) -> Array:
        """gamma * R_a."""
        return R_a * W[:, 0]

    def pulled_back(self, W: Array, rows: Array) -> Array:
        """gamma * rows."""
        return rows * W[:, 0]

    def mean_gradient(self, dE_dh: Array, inputs: Array) -> Array:
        """The means of dE/dh * a and of dE/dh over the rows, as the two columns of an array (C, 2)."""
        xp = array_namespace(dE_dh)
        (products,) = self.roots(dE_dh, inputs)
        return self.joined((xp.mean(products, axis=0),))

    def carried_over_taps(self, W: Array, G: Array) -> Array:
        """diag(gamma) G diag(gamma)."""
        return W[:, 0][:, None] * G * W[:, 0][None, :]

    def block_shapes(self, weight_shape: tuple[int, int]) -> tuple[tuple[int, int], ...]:
        """The shape of vec(W) as a column."""
        return ((math.prod(weight_shape), 1),)

    def split(self, W: Array) -> Arrays:
        """vec(W) as a column, (2 C, 1), whose first C elements are gamma."""
        return (array_namespace(W).reshape(W.T, (-1, 1)),)

    def joined(self, blocks: Arrays) -> Array:
        """W from vec(W)."""
        return array_namespace(blocks[0]).reshape(blocks[0], (-1, self.channels)).T

    def roots(self, rows: Array, inputs: Array) -> Arrays:
        """The products of rows (..., R, C) with dh/dvec(W) at each position: [rows * a, rows], (..., R, 2 C)."""
        repeated = array_namespace(rows).concat([rows, rows], axis=-1) if self.bias else rows
        return (repeated * inputs,)

    def mean_factors(self, G: Array, inputs: Array, mask: Mask | None) -> Arrays:
        """[[G, G], [G, G]] times the second moment of the rows [a, 1], element by element."""
        xp = array_namespace(G)
        if self.bias:
            G = xp.concat([xp.concat([G, G], axis=1)] * 2, axis=0)
        return (G * (second_moment(xp, inputs) if mask is None else mask.second_moment(inputs, 1, "expand")),)
