"""The base class of `SGD` and `Adam`, the first-order methods of Section 5.1."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from array_api_compat import array_namespace

from .._algebra.layerwise import all_finite, inner, plus
from .._documentation import Documented
from .._linearisation.arguments import check_network, checked, checked_targets, targets_allowed
from .._linearisation.linearisation import linearised
from .._network.network import Network
from .._quadratic_model.terms import regularised_gradient
from .._types import Array, Arrays, Namespace, Weights
from .._validation.scalars import checked_number, checked_period, set_fields
from ..backends import compiled, copied, with_own_settings
from .arrays import selected, zeros
from .averages import averaged
from .draws import checked_moment
from .state import FirstOrderState, Info, checked_start, counted, no_counts, no_steps
from .state_checks import check_kind, check_representable, checked_state


@dataclass(frozen=True)
class FirstOrder(metaclass=Documented):
    """The base class of first-order methods: learning rate, L2 regularisation, averages and rejected steps."""

    moment_count: ClassVar[int]
    """The number of entries of `FirstOrderState.moments`."""

    network: Network
    learning_rate: float
    halving: int | None = None
    eta: float = 0.0
    parameter_average: float = 0.95

    def __post_init__(self) -> None:
        check_network(self.network)
        set_fields(
            self,
            learning_rate=checked_number("learning_rate", self.learning_rate, above=True),
            halving=checked_period("halving", self.halving),
            eta=checked_number("eta", self.eta),
            parameter_average=checked_number("parameter_average", self.parameter_average, upper=1.0),
        )

    @abstractmethod
    def updated(
        self, xp: Namespace, moments: tuple[Arrays, ...], gradient: Arrays, n: Array, rate: Array
    ) -> tuple[Arrays, tuple[Arrays, ...]]:
        """Return the update of the weights, and the moments that include this gradient.

        gradient: grad f
        n:        the number 1, 2, ... of the accepted step, a 0-d array in the dtype of the weights
        rate:     the learning rate of this step, 0-d
        """

    @with_own_settings
    def init(self, weights: Weights) -> FirstOrderState:
        """Return the state before the first step.

        Parameters
        ----------
        weights : sequence of Array
            W_l in the shapes `network.weight_shapes`: for a dense layer (D_l, D_{l-1} + 1) with the bias in the last
            column, or (D_l, D_{l-1}) without a bias. All weights are finite, float32 or float64, and on one device. The
            state has a copy of the weights.

        Returns
        -------
        FirstOrderState
            The state with t = 0. The arrays of the state have the library and device of the weights, and no two arrays
            share memory. The floating-point arrays have the dtype of the weights.

        Raises
        ------
        TypeError
            If the weights are not a tuple or list of arrays, belong to different libraries or have a wrong dtype, or if
            a weight is a tensor inside a transform of torch.func or inside forward-mode differentiation.
        ValueError
            If shapes are wrong, devices differ or weights are not finite, or if the dtype of the weights cannot hold a
            hyperparameter. `Adam` also rejects a beta_1 or beta_2 that the dtype rounds to 1, and an epsilon below the
            smallest normal number of the dtype.

        Examples
        --------
        >>> import numpy as np
        >>> import kfgn
        >>> optimiser = kfgn.SGD(kfgn.Network.dense((2, 1), (), "squared_error"), learning_rate=0.1)
        >>> optimiser.init((np.zeros((1, 3)),)).t
        0
        """
        weights = checked_start(self.network, weights)
        check_representable(self, weights[0])
        self._check_dtype(weights[0])
        return self._start(weights)._replace(average=tuple(map(copied, weights)))

    def draw(self, seed: int, t: int, N: int) -> None:
        """Return None, since first-order methods sample nothing.

        Parameters
        ----------
        seed, t, N : int
            The seed of the run is at least 0. The number t of the step and the number N of datapoints are at least 1.
            The seed may also be a key of `jax.random`, and t a 0-d integer array of JAX.

        Raises
        ------
        TypeError, ValueError
            If the seed is neither an integer nor a key, or if an argument is not an integer or is out of range.

        Examples
        --------
        >>> import kfgn
        >>> kfgn.Adam(kfgn.Network.dense((2, 1), (), "squared_error")).draw(seed=0, t=1, N=5)
        """
        checked_moment(seed, t, N)

    @with_own_settings
    def step(self, state: FirstOrderState, X: Array, Y: Array, draws: None = None) -> tuple[FirstOrderState, Info]:
        """Return the state after one update on a batch, and the outcome of the update. No argument is changed.

        Parameters
        ----------
        state : FirstOrderState
            The state from `init` or from an earlier step.
        X : Array
            The inputs (N, D_0), or (N, C, T) or (N, C, H, W) in a network with positions. For an `Embedding`, the
            integer tokens (N, T) or (N, H, W). For datapoints of different length, a `Padded`.
        Y : Array
            The targets (N, D_L), or class indices (N,) for the categorical objective and the mixture. If the outputs
            have positions, the axes of positions follow N, such as (N, T, D_L) or (N, T).
        draws : None, optional
            None, since first-order methods sample nothing. The argument `draws` exists so that all optimisers have the
            same interface.

        Returns
        -------
        FirstOrderState
            The new state, whose t is larger by 1.
        Info
            The outcome of the step, as 0-d arrays that the device may still be computing.

        Raises
        ------
        TypeError
            If arguments are not arrays, belong to different libraries, have a wrong dtype, or are tensors inside a
            transform of torch.func or inside forward-mode differentiation, or if the state is not a `FirstOrderState`.
        ValueError
            If shapes are wrong, devices differ, the batch is empty, `draws` is not None, or the state belongs to
            another optimiser.

        Notes
        -----
        A step is rejected if f, a moment or |update|^2 is not finite, if the objective does not accept the targets, or
        if a layer cannot take the mask of X. After a rejected step `Info.ok` is False, and only the fields `t` and
        `counts` of the state have changed.

        Examples
        --------
        >>> import numpy as np
        >>> import kfgn
        >>> optimiser = kfgn.SGD(kfgn.Network.dense((1, 1), (), "squared_error"), learning_rate=0.5)
        >>> X = np.array([[0.0], [1.0], [2.0]])
        >>> state, info = optimiser.step(optimiser.init((np.zeros((1, 2)),)), X, 3 * X + 1)
        >>> np.round(state.weights[0], 2)
        array([[3., 2.]])
        """
        check_kind(state, FirstOrderState)
        _, X = checked(self.network, state.weights, X, check=False)
        Y = checked_targets(self.network, X, Y, check=False)
        if draws is not None:
            raise ValueError(f"draws: expected None for {type(self).__name__}, which samples nothing, got an array")
        state = checked_state(self, state)
        after, info = compiled(_step, self, like=state.weights[0])(state._replace(t=None), X, Y)
        return after._replace(t=state.t + 1), info

    def _check_dtype(self, like: Array) -> None:
        """Raise `ValueError` for a hyperparameter that loses its meaning in the dtype of `like`."""

    def _start(self, weights: Arrays) -> FirstOrderState:
        moments = tuple(tuple(zeros(W.shape, W) for W in weights) for _ in range(self.moment_count))
        return FirstOrderState(no_steps(weights[0]), weights, weights, moments, no_counts(weights[0]))

    def _rate(self, xp: Namespace, n: Array) -> Array:
        """The learning rate, 0-d, of the accepted step n = 1, 2, ..."""
        if self.halving is None:
            return xp.full_like(n, self.learning_rate)
        return self.learning_rate * 0.5 ** xp.floor((n - 1) / self.halving)


def _step(rule: FirstOrder, state: FirstOrderState, X: Array, Y: Array) -> tuple[FirstOrderState, Info]:
    """One step, whose arguments have been checked. The given and the returned state have t = None."""
    xp, network, weights = array_namespace(state.weights[0]), rule.network, state.weights
    at = linearised(network, weights, X, Y)
    loss = at.loss()
    gradient = regularised_gradient(weights, at.mean_gradient(at.dE_dh()), rule.eta)

    n = state.counts.accepted + 1
    n_floating = xp.astype(n, weights[0].dtype)
    rate = rule._rate(xp, n_floating)
    update, moments = rule.updated(xp, state.moments, gradient, n_floating, rate)
    moved = plus(weights, update)

    f = loss + rule.eta / 2 * inner(xp, weights, weights)
    valid = targets_allowed(xp, network, X, Y)
    ok = valid & xp.isfinite(f) & xp.isfinite(inner(xp, update, update))
    for squares in moments[1:]:  # an infinite square makes an update of 0, which is finite
        ok = ok & all_finite(xp, squares)

    def accepted() -> FirstOrderState:
        average = averaged(xp, state.average, moved, n, rule.parameter_average)
        return state._replace(weights=moved, average=average, moments=moments)

    after = selected(xp, ok, accepted, lambda: state)._replace(counts=counted(state.counts, ok))
    taken = xp.where(ok, -rate, xp.zeros_like(rate))
    return after, Info(ok, loss, f, taken, valid=valid)
