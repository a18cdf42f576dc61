"""What the paper compares with, Section 5.1: gradient descent, momentum, Nesterov's, and Adam, with a decaying rate."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from array_api_compat import array_namespace

from .._algebra.layerwise import inner, plus
from .._linearisation.arguments import check_network, checked, checked_targets, targets_allowed
from .._linearisation.linearisation import linearised
from .._network.network import Network
from .._quadratic_model.terms import regularised_gradient
from .._types import Array, Arrays, Namespace, Weights
from .._validation.scalars import checked_flag, checked_number, checked_period, set_fields
from ..backends import compiled, with_own_settings
from .averages import averaged
from .draws import checked_moment
from .form import check_form, check_held, checked_kind
from .state import Counts, Info, checked_start, detached_tree, no_counts, selected, with_own_average, zeros_like


class FirstOrderState(NamedTuple):
    """Between steps: t are done.

    t:       on the host, a Python integer
    weights: theta_t
    average: of the weights, (44)
    moments: averages of the gradient, and for Adam of its square, each in the shapes of the weights
    counts:  how the steps ended
    """

    t: int
    weights: Arrays
    average: Arrays
    moments: tuple[Arrays, ...]
    counts: Counts


@dataclass(frozen=True)
class FirstOrder:
    """What the two share: the rate, L2, the averages, and what is done with an update once there is one."""

    network: Network
    learning_rate: float
    halving: int | None = None
    eta: float = 0.0
    parameter_average: float = 0.95

    moments = 1

    def __post_init__(self) -> None:
        check_network(self.network)
        set_fields(
            self,
            learning_rate=checked_number("learning_rate", self.learning_rate, above=True),
            halving=checked_period("halving", self.halving),
            eta=checked_number("eta", self.eta),
            parameter_average=checked_number("parameter_average", self.parameter_average, upper=1.0),
        )

    @with_own_settings
    def init(self, weights: Weights) -> FirstOrderState:
        """The state before the first step, at a copy of the weights. Arguments and errors as in `GaussNewton.init`."""
        weights = checked_start(self.network, weights)
        check_held(self, weights[0])
        return with_own_average(self.start(weights))

    def start(self, weights: Arrays) -> FirstOrderState:
        """The state before the first step, at weights that have been checked."""
        zeros = zeros_like(weights[0])
        moments = tuple(tuple(zeros(W.shape) for W in weights) for _ in range(self.moments))
        return FirstOrderState(0, weights, weights, moments, no_counts(weights[0]))

    def draw(self, seed: int, t: int, N: int) -> None:
        """None, since nothing is sampled. The arguments are checked as in `GaussNewton.draw`."""
        checked_moment(seed, t, N)

    @with_own_settings
    def step(self, state: FirstOrderState, X: Array, Y: Array, draws: None = None) -> tuple[FirstOrderState, Info]:
        """One update on the batch X (N, D_0), Y, as that of `GaussNewton.step`.

        A step that is rejected, by the same rules, changes nothing but the counts.
        """
        t = checked_kind(state, FirstOrderState).t + 1
        _, X = checked(self.network, state.weights, X, check=False)
        Y = checked_targets(self.network, X, Y, check=False)
        if draws is not None:
            raise ValueError(f"draws: expected None for {type(self).__name__}, which samples nothing, got an array")
        check_form(self, state)
        arrays, info = compiled(_step, self, like=X)(detached_tree(tuple(state)[1:]), X, Y)
        return FirstOrderState(t, *arrays), info

    def rate(self, xp: Namespace, n: Array) -> Array:
        """The learning rate of step n = 1, 2, ..., halved every so many, 0-d."""
        if self.halving is None:
            return xp.full_like(n, self.learning_rate)
        return self.learning_rate * 0.5 ** xp.floor((n - 1) / self.halving)

    def updated(
        self, xp: Namespace, moments: tuple[Arrays, ...], g: Arrays, n: Array, rate: Array
    ) -> tuple[Arrays, tuple[Arrays, ...]]:
        """The update by the gradient g of step n (0-d, in its dtype), and the moments after it."""
        raise NotImplementedError


@dataclass(frozen=True)
class SGD(FirstOrder):
    """Gradient descent, with momentum if there is any, and Nesterov's if so said, as PyTorch defines them.

        v = momentum v + g,  theta -= rate v,  or with Nesterov's  theta -= rate (g + momentum v)

    learning_rate: above 0
    halving:       every how many steps the rate is halved; None for never
    eta:           weight of L2, as in `GaussNewton`
    momentum:      from 0 to 1

    Raises `ValueError` and `TypeError` for numbers out of range, and for Nesterov's without momentum.
    """

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
            raise ValueError("nesterov: expected momentum above 0 with it, got 0")

    def updated(
        self, _xp: Namespace, moments: tuple[Arrays, ...], g: Arrays, _n: Array, rate: Array
    ) -> tuple[Arrays, tuple[Arrays, ...]]:
        """See the class."""
        v = plus(g, moments[0], self.momentum)
        ahead = plus(g, v, self.momentum) if self.nesterov else v
        return tuple(-rate * x for x in ahead), (v,)


@dataclass(frozen=True)
class Adam(FirstOrder):
    """Adam (Kingma and Ba 2015): a rate for each weight, by averages of its gradient and of its square.

        m = beta_1 m + (1 - beta_1) g            m^ = m / (1 - beta_1^n)
        v = beta_2 v + (1 - beta_2) g^2          v^ = v / (1 - beta_2^n),   theta -= rate m^ / (sqrt(v^) + epsilon)

    learning_rate, halving, eta: as in `SGD`
    beta_1, beta_2:              from 0 to below 1, since with 1 the averages would never begin
    epsilon:                     above 0

    Raises `ValueError` and `TypeError` for numbers out of range.
    """

    learning_rate: float = 1e-3
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    moments = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        set_fields(
            self,
            beta_1=checked_number("beta_1", self.beta_1, upper=1.0, below=True),
            beta_2=checked_number("beta_2", self.beta_2, upper=1.0, below=True),
            epsilon=checked_number("epsilon", self.epsilon, above=True),
        )

    def init(self, weights: Weights) -> FirstOrderState:
        """As in `SGD`, and `ValueError` where the dtype of the weights rounds beta to 1, or epsilon to 0."""
        state = super().init(weights)
        W = state.weights[0]
        information = array_namespace(W).finfo(W.dtype)
        for name in ("beta_1", "beta_2"):
            if 1 - getattr(self, name) <= information.eps / 4:
                expected = f"a number that {W.dtype} does not round to 1"
                raise ValueError(f"{name}: expected {expected}, got {getattr(self, name)}")
        if self.epsilon < information.smallest_normal:
            expected = f"at least the smallest normal number of {W.dtype}"
            raise ValueError(f"epsilon: expected {expected}, got {self.epsilon}")
        return state

    def updated(
        self, xp: Namespace, moments: tuple[Arrays, ...], g: Arrays, n: Array, rate: Array
    ) -> tuple[Arrays, tuple[Arrays, ...]]:
        """See the class."""
        b_1, b_2 = self.beta_1, self.beta_2
        m = tuple(b_1 * a + (1 - b_1) * x for a, x in zip(moments[0], g, strict=True))
        v = tuple(b_2 * a + (1 - b_2) * (x * x) for a, x in zip(moments[1], g, strict=True))
        of_m, of_v = 1 - b_1**n, 1 - b_2**n
        update = tuple(-rate * (a / of_m) / (xp.sqrt(b / of_v) + self.epsilon) for a, b in zip(m, v, strict=True))
        return update, (m, v)


def _step(rule: FirstOrder, arrays: tuple[Any, ...], X: Array, Y: Array) -> tuple[tuple[Any, ...], Info]:
    """A step from the fields of a state except t, and the fields after it."""
    state = FirstOrderState(0, *arrays)
    xp, network, weights = array_namespace(X), rule.network, state.weights
    at = linearised(network, weights, X, Y)
    loss = at.loss()
    g = regularised_gradient(weights, at.mean_gradient(at.dE_dh()), rule.eta)

    n = xp.astype(state.counts.accepted + 1, X.dtype)
    rate = rule.rate(xp, n)
    update, moments = rule.updated(xp, state.moments, g, n, rate)
    moved = plus(weights, update)
    average = averaged(xp, state.average, moved, state.counts.accepted + 1, rule.parameter_average)

    f = loss + rule.eta / 2 * inner(xp, weights, weights)
    valid = targets_allowed(xp, network, Y)
    ok = valid & xp.isfinite(f) & xp.isfinite(inner(xp, update, update))
    after = selected(xp, ok, (moved, average, moments), tuple(state)[1:-1])
    return (*after, state.counts.after(ok)), Info(ok, loss, f, -rate, valid=valid)
