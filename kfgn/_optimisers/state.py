"""The states of the optimisers, and the outcome of a step."""

from typing import Any, NamedTuple

from array_api_compat import array_namespace

from .._algebra.damping import DampedInverse
from .._documentation import documented_tuple
from .._linearisation.arguments import checked_weights
from .._network.network import Network
from .._types import Array, Arrays, Weights
from ..backends import can_branch_on, copied
from .arrays import selected, zero_count


@documented_tuple
class Counts(NamedTuple):
    """The numbers of accepted and rejected steps of a run, as 0-d integer arrays on the device of the weights.

    Attributes
    ----------
    accepted : Array
        The number of steps that changed the weights.
    rejected : Array
        The number of steps that did not change the weights, because a value was not finite, a matrix was not positive
        definite, no curvature had been computed, or a target, a draw or a mask was not valid.
    failures : Array
        The number of rejected steps since the last accepted step.

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
        The number of batches in the averages, a 0-d integer array. While the count is 0, the averages have no meaning.
    Q : tuple of Array
        The averages of Q_l. For a dense layer, the shape is (D_{l-1} + 1, D_{l-1} + 1), or (D_{l-1}, D_{l-1}) without a
        bias.
    G : tuple of Array
        The averages of G_l. For a dense layer, the shape is (D_l, D_l). A layer with groups has an array for each group
        in Q and G.
    inverses : tuple, optional
        The inverses of the damped blocks, if `KroneckerFactored.refresh` is above 1, so that several steps share the
        inverses. The tuple is empty if `KroneckerFactored.refresh` is 1. In a state that is made by hand the tuple may
        be empty, and the next step then computes the inverses from Q, G, `State.gamma` and `GaussNewton.eta`.

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
    """The state of a run of `GaussNewton` after t steps: a tuple of arrays, which JAX and PyTorch treat as a pytree.

    Attributes
    ----------
    t : int or Array
        The number of completed steps, which determines the heuristics of the next step. If the weights are arrays of
        JAX, t is a 0-d integer array of JAX, and otherwise a Python integer.
    weights : tuple of Array
        theta_t: the weights W_l, in the shapes `Network.weight_shapes`.
    average : tuple of Array
        The moving average of the weights (44), (45), in the shapes of the weights.
    factors : Factors or tuple
        The averaged curvature: `Factors` for `KroneckerFactored`, `EigenFactors` for `EigenvalueCorrected`, and () for
        `HessianFree`.
    tau, gamma : Array
        The damping tau of the full matrix and the damping gamma of the blocks, 0-d.
    update : tuple of Array
        The last update, in the shapes of the weights; () if `GaussNewton.momentum` is 0.
    counts : Counts
        The numbers of accepted and rejected steps.

    Notes
    -----
    To make a state from its parts, for instance from a checkpoint, replace fields of an initial state:
    `optimiser.init(weights)._replace(t=..., average=..., factors=..., tau=..., gamma=...)`. All arrays must have the
    library and device of the weights. All floating-point arrays must have the dtype of the weights. `step` checks
    libraries, dtypes, devices and shapes. For `KroneckerFactored`, `factors` may be `kfgn.Factors(count, Q, G)`, since
    the next step computes missing inverses.

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
    """The state of a run of `SGD` or `Adam` after t steps: a tuple of arrays, which JAX and PyTorch treat as a pytree.

    Attributes
    ----------
    t : int or Array
        The number of completed steps: a 0-d integer array of JAX if the weights are arrays of JAX, and otherwise a
        Python integer.
    weights : tuple of Array
        theta_t: the weights W_l, in the shapes `Network.weight_shapes`.
    average : tuple of Array
        The moving average of the weights (44), (45), in the shapes of the weights.
    moments : tuple of tuple of Array
        For `SGD` the velocity v; for `Adam` the average m of the gradient and the average v of the squared gradient.
        The moments have the shapes of the weights.
    counts : Counts
        The numbers of accepted and rejected steps.

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
    """The outcome of a step, as 0-d arrays that the device of the weights may still be computing.

    Attributes
    ----------
    ok : Array
        True if the step was accepted and changed the weights. `GaussNewton.step` describes a rejected step.
    loss : Array
        The mean loss of the batch at the weights before the step.
    f : Array
        The minimised function f = loss + eta / 2 |theta|^2, at the weights before the step.
    step_size : Array
        For `GaussNewton`, the step size alpha (40), which is negative for a descent step. For `SGD` and `Adam`, minus
        the learning rate. For a rejected step, the step size is 0.
    tau : Array or None
        The damping tau of the full matrix in this step; None for `SGD` and `Adam`.
    gamma : Array or None
        The damping gamma that this step chose for the blocks; None for `SGD` and `Adam`.
    rho : Array or None
        The reduction ratio rho (42) of the whole update; None for `SGD` and `Adam`. The ratio is NaN in a step that
        does not adapt tau, and in a step whose changes of f and of the model are both at most eight rounding errors of
        f. The ratio is also NaN if the change of the model is 0, or if one of the two changes is NaN.
    valid : Array
        True if all targets have values that the objective accepts, and every layer can take the mask of X, if any.

    Examples
    --------
    >>> import numpy as np
    >>> import kfgn
    >>> optimiser = kfgn.SGD(kfgn.Network.dense((2, 1), (), "squared_error"), learning_rate=0.25)
    >>> _, info = optimiser.step(optimiser.init((np.zeros((1, 3)),)), np.ones((4, 2)), np.ones((4, 1)))
    >>> bool(info.ok), float(info.loss), float(info.step_size), info.tau
    (True, 0.5, -0.25, None)
    >>> info
    Info(ok=True, loss=0.5, f=0.5, step_size=-0.25, tau=None, gamma=None, rho=None, valid=True)
    """

    ok: Array
    loss: Array
    f: Array
    step_size: Array
    tau: Array | None = None
    gamma: Array | None = None
    rho: Array | None = None
    valid: Array | None = None

    def __repr__(self) -> str:
        """Return the fields as text: numbers with at most four digits, booleans, None, and the repr of traced fields.

        The host waits for the device.
        """
        return f"Info({', '.join(f'{name}={_rounded(x)}' for name, x in zip(self._fields, self, strict=True))})"


def _rounded(x: object) -> str:
    """The text of a value: True or False for a 0-d bool, four digits for a 0-d float, and otherwise the repr."""
    dtype = str(getattr(x, "dtype", ""))
    try:
        if "bool" in dtype:
            return str(bool(x))
        return f"{float(x):.4g}" if "float" in dtype else repr(x)  # type: ignore[arg-type]
    except (TypeError, ValueError, RuntimeError):  # a traced array, or an array of several numbers
        return repr(x)


def checked_start(network: Network, weights: Weights) -> Arrays:
    """A copy of the initial weights, after a check of their values, shapes, library, dtype and device."""
    return tuple(map(copied, checked_weights(network, weights)))


def no_steps(like: Array) -> int | Array:
    """t = 0: an array for JAX, which would compile a step again for a second type of t, and otherwise an int."""
    return zero_count(like) if can_branch_on(like) else 0


def no_counts(like: Array) -> Counts:
    """The counts before the first step: three zeros, which do not share memory."""
    return Counts(zero_count(like), zero_count(like), zero_count(like))


def counted(counts: Counts, ok: Array) -> Counts:
    """The counts after one more step. ok is a 0-d boolean: true if the step was accepted."""

    def accepted() -> Counts:
        return Counts(counts.accepted + 1, counts.rejected, 0 * counts.failures)

    def rejected() -> Counts:
        return Counts(counts.accepted, counts.rejected + 1, counts.failures + 1)

    return selected(array_namespace(ok), ok, accepted, rejected)
