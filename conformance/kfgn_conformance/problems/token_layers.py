"""The records of embeddings, of normalisations, and of the scale and shift that follows a normalisation."""

from dataclasses import dataclass
from typing import ClassVar

from .shapes import Shape, Transfer


@dataclass(frozen=True)
class Embedding:
    """An embedding of tokens: h_t is column x_t of W at position t. It can only be the first layer of a network.

    Parameters
    ----------
    units : int
        The number of output channels.

    Notes
    -----
    The inputs of a network are (V, T) for V tokens at T positions, and X is (N, T), integers from 0 to V - 1. W_l is
    (units, V), the transposed weight of an embedding of PyTorch. The layer is a dense layer without a bias whose inputs
    are one-hot vectors.

    Examples
    --------
    >>> from kfgn_conformance import Embedding
    >>> Embedding(3).weight_shape(7), Embedding(3).output_shape((7, 5))
    ((3, 7), (3, 5))
    """

    units: int

    groups: ClassVar[int] = 1
    transfer: ClassVar[Transfer] = "identity"
    bias: ClassVar[bool] = False

    def weight_shape(self, inputs: int) -> tuple[int, int]:
        """The shape of W_l, where `inputs` is the number V of tokens."""
        return self.units, inputs

    def output_shape(self, below: Shape) -> Shape:
        """(units, *positions), where `below` is (V, *positions)."""
        return self.units, *below[1:]


@dataclass(frozen=True)
class Normalisation:
    """The normalisation of the channels at each position: (a_t - m_t) / s_t. The layer has no weights.

    m_t is the mean of the channels, and s_t^2 is the mean of (a_ct - m_t)^2 over the channels c, plus epsilon.

    Parameters
    ----------
    epsilon : float
        The positive number that is added to the variance.

    Examples
    --------
    >>> from kfgn_conformance import Normalisation
    >>> Normalisation(0.125).output_shape((4, 5))
    (4, 5)
    """

    epsilon: float

    def output_shape(self, below: Shape) -> Shape:
        """The shape `below` of the inputs."""
        return below


@dataclass(frozen=True)
class ScaleShift:
    """A scale and a shift for each channel: h_ct = gamma_c a_ct + beta_c, and a_l = f_l(h_l).

    Parameters
    ----------
    transfer : str or tuple of str and float, default "identity"
        The transfer function f_l, as in `Dense`.
    bias : bool, default True
        True if the layer has the shift beta.

    Notes
    -----
    W_l is [gamma, beta], (C, 2), or (C, 1) without the shift. Approximations have one group, vec(W_l) as a matrix
    (2 C, 1) with the input 1 at every position, so that Q is 1, and G is the exact block for reduce.

    Examples
    --------
    >>> from kfgn_conformance import ScaleShift
    >>> ScaleShift().weight_shape(4), ScaleShift(bias=False).weight_shape(4)
    ((4, 2), (4, 1))
    """

    transfer: Transfer = "identity"
    bias: bool = True

    groups: ClassVar[int] = 1

    def weight_shape(self, inputs: int) -> tuple[int, int]:
        """The shape of W_l, where `inputs` is the number of channels."""
        return inputs, 1 + self.bias

    def output_shape(self, below: Shape) -> Shape:
        """The shape `below` of the inputs."""
        return below
