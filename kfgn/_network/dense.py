"""The dense layer. No other module assumes that a layer has one row of inputs for each datapoint."""

from dataclasses import dataclass
from typing import ClassVar

from .._algebra.matrices import second_moment
from .._types import Array, Namespace
from .._validation.scalars import checked_count, checked_flag, set_fields
from .transfers import TransferName, checked_transfer


@dataclass(frozen=True)
class Dense:
    """A dense layer: h_l = W_l a_{l-1} and a_l = f_l(h_l), equation (1).

    units:    D_l
    transfer: the name of f_l, or a pair of a name and a parameter, such as ("leaky_relu", 0.01)
    bias:     True if a unit is appended to a_{l-1}, which multiplies the last column of W_l

    Raises `ValueError` for a number that is not positive or an unknown name, and `TypeError` for values of another type.
    """

    units: int
    transfer: TransferName = "identity"
    bias: bool = True

    kind: ClassVar[str] = "dense"

    def __post_init__(self) -> None:
        set_fields(
            self,
            units=checked_count("units", self.units),
            transfer=checked_transfer("transfer", self.transfer),
            bias=checked_flag("bias", self.bias),
        )

    def weight_shape(self, inputs: int) -> tuple[int, int]:
        """The shape (D_l, D_{l-1} + 1) of W_l, or (D_l, D_{l-1}) without a bias. inputs: D_{l-1}."""
        return self.units, inputs + self.bias

    def kernel(self, W: Array) -> Array:
        """W_l without its bias column, (D_l, D_{l-1}). Derivatives are propagated through it."""
        return W[:, :-1] if self.bias else W

    def inputs(self, xp: Namespace, a: Array) -> Array:
        """The rows that W_l multiplies: a_{l-1} (N, D_{l-1}) with the unit appended, if the layer has a bias."""
        return xp.concat([a, xp.ones_like(a[:, :1])], axis=1) if self.bias else a

    def input_tangents(self, xp: Namespace, R_a: Array) -> Array:
        """The derivative of `inputs` along a direction: that of the unit is 0."""
        return xp.concat([R_a, xp.zeros_like(R_a[:, :1])], axis=1) if self.bias else R_a

    def preactivations(self, W: Array, inputs: Array) -> Array:
        """h_l = W_l a_{l-1} of each datapoint, (N, D_l), from `inputs`."""
        return inputs @ W.T

    def preactivation_tangents(self, W: Array, R_a: Array) -> Array:
        """The derivative (..., N, D_l) of h_l as a_{l-1} moves along R_a (..., N, D_{l-1}) and W_l does not."""
        return R_a @ self.kernel(W).T

    def pulled_back(self, W: Array, rows: Array) -> Array:
        """Rows in the space of h_l (..., N, D_l) times dh_l/da_{l-1}: (..., N, D_{l-1})."""
        return rows @ self.kernel(W)

    def mean_gradient(self, dE_dh: Array, inputs: Array) -> Array:
        """1/N sum_n dE/dh_l a_{l-1}^T in the shape of W_l, equation (3), from dE/dh_l (N, D_l) and `inputs`."""
        return dE_dh.T @ inputs / dE_dh.shape[0]

    def mean_input_moment(self, xp: Namespace, inputs: Array) -> Array:
        """Q_l = 1/N sum_n a_{l-1} a_{l-1}^T, equation (21), from `inputs`."""
        return second_moment(xp, inputs)
