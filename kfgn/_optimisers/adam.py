"""Adam, a first-order method with which the paper compares its optimiser."""

from dataclasses import dataclass
from typing import ClassVar

from array_api_compat import array_namespace

from .._types import Array, Arrays, Namespace
from .._validation.scalars import checked_number, set_fields
from .first_order import FirstOrder


@dataclass(frozen=True)
class Adam(FirstOrder):
    """Adam (Kingma and Ba 2015), whose update depends on averages of the gradient and of its square.

    Adam minimises f = loss + eta / 2 |theta|^2, where theta contains all weights and biases.

    Parameters
    ----------
    network : Network
        The network and its objective.
    learning_rate : float, optional
        The learning rate, above 0.
    halving : int or None, optional
        The number of accepted steps from one halving of the learning rate to the next; None for a constant learning
        rate.
    eta : float, optional
        The weight of L2 regularisation.
    parameter_average : float, optional
        The upper bound of the decay beta in the moving average of the parameters (45), from 0 to 1.
    beta_1, beta_2 : float, optional
        The decay rates of the averages m and v, at least 0 and below 1. With a decay rate of 1 an average would never
        change.
    epsilon : float, optional
        A term in the denominator of the update, above 0.

    Raises
    ------
    TypeError
        If an argument has a wrong type.
    ValueError
        If a number is out of range.

    Notes
    -----
    With g = grad f and the learning rate `rate`, the accepted step n = 1, 2, ... computes ::

        m = beta_1 m + (1 - beta_1) g            m^ = m / (1 - beta_1^n)
        v = beta_2 v + (1 - beta_2) g^2          v^ = v / (1 - beta_2^n)
        theta = theta - rate m^ / (sqrt(v^) + epsilon)

    A step costs one forward and one backward pass.

    Examples
    --------
    >>> import numpy as np
    >>> import kfgn
    >>> optimiser = kfgn.Adam(kfgn.Network.dense((1, 1), (), "squared_error"), learning_rate=0.25)
    >>> X = np.array([[0.0], [1.0], [2.0]])
    >>> state, info = optimiser.step(optimiser.init((np.zeros((1, 2)),)), X, 3 * X + 1)
    >>> np.round(state.weights[0], 4)
    array([[0.25, 0.25]])
    """

    moment_count: ClassVar[int] = 2

    learning_rate: float = 1e-3
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        super().__post_init__()
        set_fields(
            self,
            beta_1=checked_number("beta_1", self.beta_1, upper=1.0, below=True),
            beta_2=checked_number("beta_2", self.beta_2, upper=1.0, below=True),
            epsilon=checked_number("epsilon", self.epsilon, above=True),
        )

    def _check_dtype(self, like: Array) -> None:
        information = array_namespace(like).finfo(like.dtype)
        for name in ("beta_1", "beta_2"):
            if 1 - getattr(self, name) <= information.eps / 4:
                expected = f"a number that does not round to 1 in {like.dtype}"
                raise ValueError(f"{name}: expected {expected}, got {getattr(self, name)}")
        if self.epsilon < information.smallest_normal:
            expected = f"at least the smallest normal number of {like.dtype}"
            raise ValueError(f"epsilon: expected {expected}, got {self.epsilon}")

    def updated(
        self, xp: Namespace, moments: tuple[Arrays, ...], gradient: Arrays, n: Array, rate: Array
    ) -> tuple[Arrays, tuple[Arrays, ...]]:
        """Return the update of the weights, and the averages m and v that include this gradient."""
        beta_1, beta_2 = self.beta_1, self.beta_2
        m = tuple(beta_1 * a + (1 - beta_1) * g for a, g in zip(moments[0], gradient, strict=True))
        v = tuple(beta_2 * a + (1 - beta_2) * (g * g) for a, g in zip(moments[1], gradient, strict=True))
        c_m, c_v = 1 - beta_1**n, 1 - beta_2**n
        update = tuple(-rate * (a / c_m) / (xp.sqrt(b / c_v) + self.epsilon) for a, b in zip(m, v, strict=True))
        return update, (m, v)
