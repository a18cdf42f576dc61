"""The dense layer, a record of settings and also a `LayerMap`, since its map is the same for every shape of inputs."""

from dataclasses import dataclass
from typing import ClassVar

from .._algebra.matrices import congruence
from .._documentation import Documented
from .._types import Array, Namespace
from .._validation.scalars import checked_count, checked_flag, set_fields
from ..backends import matmul
from .blocks import BlockPerGroup
from .layer_map import Shape
from .transfers import TransferName, checked_transfer


@dataclass(frozen=True)
class Dense(BlockPerGroup, metaclass=Documented):
    """A dense layer l: h_l = W_l a_{l-1} and a_l = f_l(h_l), equation (1).

    In a network with positions the layer acts at each position, with the same W_l. A `Dense` is hashable and holds no
    array. `Network` takes a sequence of layers.

    Parameters
    ----------
    units : int
        D_l, the number of units, positive.
    transfer : str or tuple of (str, float), default "identity"
        f_l: identity, relu, leaky_relu, tanh, logistic, softplus, elu, silu, gelu or gelu_tanh. The function
        gelu is h Phi(h) with the normal distribution function Phi, and gelu_tanh is the approximation of gelu by tanh.
        For h < 0, leaky_relu is slope * h. The pair ("leaky_relu", 0.01) sets the slope to 0.01, and the name
        "leaky_relu" alone sets 0.1. For h < 0, elu is alpha (e^h - 1). The pair ("elu", 0.5) sets alpha to 0.5, and the
        name "elu" alone sets 1.
    bias : bool, default True
        True if the layer has a bias. With a bias, W_l is (D_l, D_{l-1} + 1), and its last column multiplies the
        appended unit, a constant 1 after the elements of a_{l-1}. Without a bias, W_l is (D_l, D_{l-1}).

    Raises
    ------
    TypeError
        For values of a wrong type.
    ValueError
        For a number of units that is not positive, an unknown transfer function, a parameter that float32 cannot hold,
        or a `transfer` with a wrong number of elements.

    Notes
    -----
    Users need only the method `weight_shape`. The functions of kfgn call the other methods, with checked arguments. In
    these methods, W has the shape of W_l, `a` is (N, D_{l-1}), and `rows` is (..., N, D_l). The argument `inputs` is
    the result of the method `inputs`. With T positions per datapoint, N T replaces N.

    Examples
    --------
    >>> import kfgn
    >>> layer = kfgn.Dense(4, ("leaky_relu", 0.01), bias=False)
    >>> layer
    Dense(units=4, transfer=('leaky_relu', 0.01), bias=False)
    >>> layer.weight_shape(inputs=3)
    (4, 3)
    """

    units: int
    transfer: TransferName = "identity"
    bias: bool = True

    kind: ClassVar[str] = "dense"
    mixes_positions: ClassVar[bool] = False

    def __post_init__(self) -> None:
        set_fields(
            self,
            units=checked_count("units", self.units),
            transfer=checked_transfer("transfer", self.transfer),
            bias=checked_flag("bias", self.bias),
        )

    def weight_shape(self, inputs: int) -> tuple[int, int]:
        """The shape of W_l for D_{l-1} inputs: (D_l, D_{l-1} + 1), or (D_l, D_{l-1}) without a bias."""
        return self.units, inputs + self.bias

    def at(self, shape: Shape) -> tuple["Dense", Shape]:
        """The layer itself as its map, and the shape of the outputs for inputs of shape (D_{l-1}, *positions)."""
        return self, (self.units, *shape[1:])

    def kernel(self, W: Array) -> Array:
        """W_l without its bias column, (D_l, D_{l-1}), the matrix through which derivatives are propagated."""
        return W[:, :-1] if self.bias else W

    def inputs(self, xp: Namespace, a: Array) -> Array:
        """The rows that W_l multiplies: a_{l-1}, followed by the appended unit if the layer has a bias."""
        return xp.concat([a, xp.ones_like(a[:, :1])], axis=1) if self.bias else a

    def input_tangents(self, xp: Namespace, R_a: Array) -> Array:
        """The derivative of the rows `inputs` along R_a (N, D_{l-1}). The derivative of the appended unit is 0."""
        return xp.concat([R_a, xp.zeros_like(R_a[:, :1])], axis=1) if self.bias else R_a

    def preactivations(self, W: Array, inputs: Array) -> Array:
        """h_l = W_l a_{l-1} of each datapoint, (N, D_l)."""
        return matmul(inputs, W.T)

    def preactivation_tangents(self, W: Array, R_a: Array) -> Array:
        """The derivative of h_l along a direction R_a (..., N, D_{l-1}) of a_{l-1}, with W_l fixed: (..., N, D_l)."""
        return matmul(R_a, self.kernel(W).T)

    def pulled_back(self, W: Array, rows: Array) -> Array:
        """The products (..., N, D_{l-1}) of rows (..., N, D_l) with the Jacobian dh_l/da_{l-1}."""
        return matmul(rows, self.kernel(W))

    def mean_gradient(self, dE_dh: Array, inputs: Array) -> Array:
        """1/N sum_n dE/dh_l a_{l-1}^T in the shape of W_l, equation (3), from dE/dh_l (N, D_l)."""
        return matmul(dE_dh.T, inputs) / dE_dh.shape[0]

    def carried_over_taps(self, W: Array, G: Array) -> Array:
        """W^T G W, where W is W_l without its bias: the product in the step (26) of KFRA."""
        return congruence(G, self.kernel(W))
