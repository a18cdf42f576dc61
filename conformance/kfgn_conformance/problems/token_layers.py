"""The records of embeddings, of normalisations, and of the scale and shift that follows a normalisation."""

from dataclasses import dataclass
from typing import ClassVar

from .shapes import Shape, Transfer


@dataclass(frozen=True)
class Embedding:
    """An embedding of tokens: h_l at position t is column x_t of W_l. Only the first layer can be an embedding.

    Parameters
    ----------
    units : int
        The number of output channels.

    Notes
    -----
    For a vocabulary of V tokens and T positions, the field `inputs` of a problem is (V, T), and X (N, T) has integers
    from 0 to V - 1. W_l is (units, V), the transposed weight of an embedding of PyTorch. An embedding is a dense layer
    without a bias, with one-hot vectors as inputs.

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
        """The shape of W_l, where `inputs` is the size V of the vocabulary."""
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
        The transfer function f_l: a name, or a name with its parameter.
    bias : bool, default True
        True if the layer has the shift beta.

    Notes
    -----
    W_l is [gamma, beta], (C, 2), or (C, 1) without the shift. An approximation regards the layer as one group, with the
    weights vec(W_l), a matrix of one column, and the input 1 at every position. Q of expand and of reduce is therefore
    1, and G of reduce is the exact block of the Gauss-Newton matrix.

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
