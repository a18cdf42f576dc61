"""The records of a run: the states of the optimisers, and the outcome of a step."""

from typing import Any, NamedTuple

from array_api_compat import array_namespace

from .._algebra.damping import DampedInverse
from .._documentation import documented_tuple
from .._linearisation.arguments import checked_weights
from .._network.network import Network
from .._types import Array, Arrays, Weights
from ..backends import copied
from .arrays import zero_count


@documented_tuple
class Counts(NamedTuple):
    """Counts of the outcomes of the steps of a run, each a 0-d integer array on the device of the weights.

    Attributes
    ----------
    accepted : Array
        The number of steps that changed the weights.
    rejected : Array
        The number of steps that did not: a value was not finite, a matrix was not positive definite, or a target or a
        draw was out of range.
    failures : Array
        The number of rejected steps since the last accepted one.

    Examples
    --------
    >>> import numpy as np
    >>> import kfgn
    >>> optimiser = kfgn.SGD(kfgn.Network.dense((2, 1), (), "squared_error"), learning_rate=0.1)
    >>> state = optimiser.init((np.zeros((1, 3)),))
    >>> X, Y = np.ones((4, 2)), np.ones((4, 1))
    >>> for batch in (X, X * np.nan, X * np.nan):
    ...     state, info = optimiser.step(state, batch, Y)
    >>> [int(count) for count in state.counts]
    [1, 2, 2]
    """

    accepted: Array
    rejected: Array
    failures: Array


@documented_tuple
class Factors(NamedTuple):
    """The averaged Kronecker factors of a run with `KroneckerFactored`.

    Attributes
    ----------
    count : Array
        The number of batches in the averages, a 0-d integer array. The averages have no meaning while it is 0.
    Q : tuple of Array
        The averages of Q_l, (D_{l-1} + 1, D_{l-1} + 1), or (D_{l-1}, D_{l-1}) for a layer without a bias.
    G : tuple of Array
        The averages of G_l, (D_l, D_l) for l = 1, ..., L.
    inverses : tuple, optional
        The inverses of the damped blocks, where `KroneckerFactored.refresh` is above 1 and they serve several steps.
        Empty where every step computes its own. In a state that is made by hand they may be left empty. The next step
        then computes them from Q, G and `State.gamma`.

    Examples
    --------
    >>> import numpy as np
    >>> import kfgn
    >>> optimiser = kfgn.GaussNewton(kfgn.Network.dense((2, 3, 1), ("tanh",), "squared_error"))
    >>> factors = optimiser.init((np.ones((3, 3)), np.ones((1, 4)))).factors
    >>> int(factors.count), [Q.shape for Q in factors.Q], [G.shape for G in factors.G]
    (0, [(3, 3), (4, 4)], [(3, 3), (1, 1)])
    """

    count: Array
    Q: Arrays
    G: Arrays
    inverses: tuple[DampedInverse, ...] = ()


@documented_tuple
class State(NamedTuple):
    """The state of a run of `GaussNewton` after t steps. It is a tuple of arrays, so JAX and PyTorch see a pytree.

    Attributes
    ----------
    t : int or Array
        The number of steps done: a Python integer, as `init` makes it, or a 0-d integer array of JAX, as it is inside
        `jax.jit` and `jax.lax.scan`. It decides which heuristics run in the next step.
    weights : tuple of Array
        theta_t: W_l (D_l, D_{l-1} + 1), or (D_l, D_{l-1}) for a layer without a bias.
    average : tuple of Array
        The moving average of the weights (44), (45), in the same shapes.
    factors : Factors or tuple
        The averaged curvature: `Factors` for `KroneckerFactored`, and () for `HessianFree`.
    tau, gamma : Array
        The dampings of the full matrix and of the blocks, 0-d.
    update : tuple of Array
        The last update, in the shapes of the weights; () without momentum.
    counts : Counts
        The outcomes of the steps.

    Notes
    -----
    To make a state from its parts, for instance from a checkpoint, replace fields of a first state:
    `optimiser.init(weights)._replace(t=..., average=..., factors=..., tau=..., gamma=...)`. All arrays have the dtype,
    library and device of the weights; `step` checks this and the shapes. With `KroneckerFactored` give
    `kfgn.Factors(count, Q, G)`: missing inverses are computed.

    Examples
    --------
    >>> import numpy as np
    >>> import kfgn
    >>> network = kfgn.Network.dense((2, 1), (), "squared_error")
    >>> optimiser = kfgn.GaussNewton(network, kfgn.KroneckerFactored(refresh=5))
    >>> state = optimiser.init((np.zeros((1, 3)),))
    >>> factors = state.factors._replace(count=state.factors.count + 1, Q=(np.eye(3),), G=(np.eye(1),), inverses=())
    >>> state = state._replace(t=1, factors=factors, gamma=np.asarray(0.1))
    >>> state, info = optimiser.step(state, np.ones((4, 2)), np.ones((4, 1)))
    >>> state.t, len(state.factors.inverses)
    (2, 1)
    """

    t: int | Array
    weights: Arrays
    average: Arrays
    factors: Any
    tau: Array
    gamma: Array
    update: Arrays
    counts: Counts


@documented_tuple
class FirstOrderState(NamedTuple):
    """The state of a run of `SGD` or `Adam` after t steps. It is a tuple of arrays, so JAX and PyTorch see a pytree.

    Attributes
    ----------
    t : int or Array
        The number of steps done: a Python integer, or a 0-d integer array of JAX.
    weights : tuple of Array
        theta_t: W_l (D_l, D_{l-1} + 1), or (D_l, D_{l-1}) for a layer without a bias.
    average : tuple of Array
        The moving average of the weights (44), (45), in the same shapes.
    moments : tuple of tuple of Array
        For `SGD` the momentum v, and for `Adam` the averages m of the gradient and v of its square, each in the shapes
        of the weights.
    counts : Counts
        The outcomes of the steps.

    Examples
    --------
    >>> import numpy as np
    >>> import kfgn
    >>> optimiser = kfgn.Adam(kfgn.Network.dense((2, 1), (), "squared_error"))
    >>> state = optimiser.init((np.zeros((1, 3)),))
    >>> state.t, len(state.moments)
    (0, 2)
    """

    t: int | Array
    weights: Arrays
    average: Arrays
    moments: tuple[Arrays, ...]
    counts: Counts


@documented_tuple
class Info(NamedTuple):
    """The outcome of a step: 0-d arrays on the device of the weights. The step does not wait for their values.

    Attributes
    ----------
    ok : Array
        True if the step was accepted and changed the weights. `GaussNewton.step` describes a rejected step.
    loss : Array
        The mean loss of the batch at the weights before the step.
    f : Array
        loss + eta / 2 |theta|^2, the function that is minimised, before the step.
    step_size : Array
        alpha of (40): negative for a descent step, and 0 for a rejected one. For `SGD` and `Adam` it is minus the
        learning rate.
    tau : Array or None
        The damping of the full matrix in this step. None for `SGD` and `Adam`.
    gamma : Array or None
        The damping of the blocks in this step, after its choice. None for `SGD` and `Adam`.
    rho : Array or None
        The reduction ratio (42) of the whole update. NaN in a step that does not adapt tau, and where both changes of f
        are within its rounding, so that their ratio has no meaning. None for `SGD` and `Adam`.
    valid : Array
        True if all targets have values that the objective accepts.

    Examples
    --------
    >>> import numpy as np
    >>> import kfgn
    >>> optimiser = kfgn.SGD(kfgn.Network.dense((2, 1), (), "squared_error"), learning_rate=0.25)
    >>> _, info = optimiser.step(optimiser.init((np.zeros((1, 3)),)), np.ones((4, 2)), np.ones((4, 1)))
    >>> bool(info.ok), float(info.loss), float(info.step_size), info.tau
    (True, 0.5, -0.25, None)
    """

    ok: Array
    loss: Array
    f: Array
    step_size: Array
    tau: Array | None = None
    gamma: Array | None = None
    rho: Array | None = None
    valid: Array | None = None


def checked_start(network: Network, weights: Weights) -> Arrays:
    """A copy of the initial weights, which are finite, of the shapes of the network, and in one library and dtype."""
    return tuple(map(copied, checked_weights(network, weights)))


def no_counts(like: Array) -> Counts:
    """The counts before the first step. The three arrays do not share memory."""
    return Counts(zero_count(like), zero_count(like), zero_count(like))


def counted(counts: Counts, ok: Array) -> Counts:
    """The counts after one more step. ok is a 0-d boolean: true if the step was accepted."""
    one = array_namespace(ok).astype(ok, counts.accepted.dtype)
    return Counts(counts.accepted + one, counts.rejected + 1 - one, (counts.failures + 1) * (1 - one))
