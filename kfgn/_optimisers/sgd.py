"""Gradient descent without momentum, with momentum, or with Nesterov's momentum."""

from dataclasses import dataclass
from typing import ClassVar

from .._algebra.layerwise import plus
from .._types import Array, Arrays, Namespace
from .._validation.scalars import checked_flag, checked_number, set_fields
from .first_order import FirstOrder


@dataclass(frozen=True)
class SGD(FirstOrder):
    """Gradient descent without momentum, with momentum, or with Nesterov's momentum, as PyTorch defines these methods.

    The method minimises f = loss + eta / 2 |theta|^2, where theta contains all weights and biases.

    Parameters
    ----------
    network : Network
        The network and its objective.
    learning_rate : float
        The learning rate, above 0.
    halving : int or None, optional
        The number of accepted steps from one halving of the learning rate to the next; None for a constant learning
        rate.
    eta : float, optional
        The weight of L2 regularisation.
    parameter_average : float, optional
        The upper bound of the decay beta in the moving average of the parameters (45), from 0 to 1.
    momentum : float, optional
        The factor of the last velocity v in the new velocity, from 0 to 1.
    nesterov : bool, optional
        True for Nesterov's momentum.

    Raises
    ------
    TypeError
        If an argument has a wrong type.
    ValueError
        If a number is out of range, or if `nesterov` is True and `momentum` is 0.

    Notes
    -----
    With g = grad f and the learning rate `rate`, a step computes ::

        v = momentum v + g,   theta = theta - rate v

    With Nesterov's momentum the second equation is theta = theta - rate (g + momentum v). A step costs one forward and
    one backward pass.

    Examples
    --------
    >>> import numpy as np
    >>> import kfgn
    >>> optimiser = kfgn.SGD(kfgn.Network.dense((1, 1), (), "squared_error"), learning_rate=0.2, momentum=0.5)
    >>> state, X = optimiser.init((np.zeros((1, 2)),)), np.array([[0.0], [1.0], [2.0]])
    >>> for _ in range(100):
    ...     state, info = optimiser.step(state, X, 3 * X + 1)
    >>> np.round(state.weights[0], 2)
    array([[3., 1.]])
    """

    moment_count: ClassVar[int] = 1

    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        set_fields(
            self,
            momentum=checked_number("momentum", self.momentum, upper=1.0),
            nesterov=checked_flag("nesterov", self.nesterov),
        )
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov: expected a momentum above 0 with nesterov=True, got 0")

    def updated(
        self,
        xp: Namespace,  # noqa: ARG002  (the interface of `FirstOrder`)
        moments: tuple[Arrays, ...],
        gradient: Arrays,
        n: Array,  # noqa: ARG002
        rate: Array,
    ) -> tuple[Arrays, tuple[Arrays, ...]]:
        """Return the update of the weights, and the velocity v that includes this gradient."""
        v = plus(gradient, moments[0], self.momentum)
        direction = plus(gradient, v, self.momentum) if self.nesterov else v
        return tuple(-rate * x for x in direction), (v,)
