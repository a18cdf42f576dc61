"""Layer normalisation without weights."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .._documentation import Documented
from .._types import Array, Namespace
from .._validation.scalars import checked_number, set_fields
from .layer_map import Shape
from .transfers import LARGEST_PARAMETER, TransferName

SMALLEST = float(np.finfo(np.float32).tiny)
"""The lower bound of epsilon: the smallest positive normal number of float32."""


@dataclass(frozen=True)
class Normalisation(metaclass=Documented):
    """The normalisation of the channels of each position, as in layer normalisation. The layer has no weights.

    A `Normalisation` is hashable and holds no array. The layer needs a network whose `inputs` is a tuple such as
    (C, T). For vectors of C numbers, the tuple is (C, 1). The last layer cannot be a `Normalisation`. A `ScaleShift`
    after a `Normalisation` has the weights of layer normalisation.

    Parameters
    ----------
    epsilon : float, default 1e-5
        The number that is added to the variance, from 1.17549e-38 to 3.40282e+38.

    Raises
    ------
    TypeError
        For a value that is not a number.
    ValueError
        For a number that is out of range.

    Notes
    -----
    With sums over the C channels of position t, the layer computes::

        z_t = (a_t - m_t) / s_t,  m_t = 1/C sum_c a_ct,  s_t^2 = 1/C sum_c (a_ct - m_t)^2 + epsilon

    The layer is neither linear nor elementwise. The linear map of the layer is the identity, and the transfer
    function is z. B_l in the recursions (8) and (22) is then the Jacobian of z, a full matrix for each position. D_l in
    (8) is the sum over k of dE/dz_k times the Hessian of z_k. The step (26) of `kfra` takes the mean of B_l^T G B_l
    over datapoints and positions, where G is the matrix of `kfra` at z.

    In the forward and backward passes a normalisation costs about as much as a transfer function. The mean in `kfra`
    costs about 3 N T C^2 multiplications.

    Examples
    --------
    >>> import kfgn
    >>> layers = kfgn.Normalisation(), kfgn.ScaleShift(), kfgn.Dense(8, "gelu"), kfgn.Dense(3)
    >>> network = kfgn.Network((3, 5), layers, "squared_error")
    >>> network.weight_shapes
    ((3, 2), (8, 4), (3, 9))
    """

    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        set_fields(self, epsilon=checked_number("epsilon", self.epsilon, lower=SMALLEST, upper=LARGEST_PARAMETER))

    @property
    def transfer(self) -> TransferName:
        """The pair of a name and epsilon, from which `transfer_functions` makes z and its derivatives."""
        return "normalisation", self.epsilon

    def weight_shape(self, inputs: int) -> None:  # noqa: ARG002  (the layers have one interface)
        """None, since the layer has no weights."""
        return

    def at(self, shape: Shape) -> tuple["IdentityMap", Shape]:
        """The map of the layer for inputs of a shape, and the shape of its outputs, which is the same."""
        return IdentityMap(), shape


@dataclass(frozen=True)
class IdentityMap:
    """The identity, a `LayerMap` without weights: the linear map of a layer that is only a transfer function."""

    mixes_positions: ClassVar[bool] = False

    def inputs(self, xp: Namespace, a: Array) -> Array:  # noqa: ARG002
        """The rows a_{l-1}."""
        return a

    def preactivations(self, W: None, inputs: Array) -> Array:  # noqa: ARG002
        """The rows a_{l-1}."""
        return inputs

    def preactivation_tangents(self, W: None, R_a: Array) -> Array:  # noqa: ARG002
        """The rows R_a."""
        return R_a

    def pulled_back(self, W: None, rows: Array) -> Array:  # noqa: ARG002
        """The rows themselves."""
        return rows

    def carried_over_taps(self, W: None, G: Array) -> Array:  # noqa: ARG002
        """G itself."""
        return G
