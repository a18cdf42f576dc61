"""What a run keeps between steps, whatever the optimiser, and what a step tells of itself."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from array_api_compat import array_namespace

from .._linearisation.arguments import checked_weights
from .._network.network import Network
from .._types import Array, Arrays, Namespace, Weights
from .._validation.scalars import checked_integer
from ..backends import copied, detached, device, index_dtype


class Counts(NamedTuple):
    """The outcomes of the steps so far, 0-d integers.

    accepted: the number of steps that moved the weights
    rejected: the number of other steps, in which a value was not finite, a matrix not positive definite, or a target
              not valid
    failures: the number of rejected steps since the last accepted one
    """

    accepted: Array
    rejected: Array
    failures: Array

    def after(self, ok: Array) -> "Counts":
        """With one step more."""
        xp = array_namespace(ok)
        one = xp.astype(ok, self.accepted.dtype)
        return Counts(self.accepted + one, self.rejected + 1 - one, (self.failures + 1) * (1 - one))


class Info(NamedTuple):
    """The outcome of a step: 0-d arrays on the device of the weights, for which the step does not wait.

    ok:        whether the step moved the weights; `GaussNewton.step` describes all that a rejected step changes
    loss:      the mean loss of the batch at the weights before the step
    f:         loss + eta / 2 |theta|^2, what is minimised
    step_size: alpha of (40), negative for a descent step and 0 for a rejected one; for first-order methods minus the learning rate
    tau:       the damping of the full matrix in this step; None for first-order methods, and so are the next two
    gamma:     the damping of the blocks in this step
    rho:       the reduction ratio (42) of the whole update; None if tau was not adapted, and NaN if both changes of f
               are within its rounding, where rho means nothing
    valid:     whether all targets have values that the objective takes
    """

    ok: Array
    loss: Array
    f: Array
    step_size: Array
    tau: Array | None = None
    gamma: Array | None = None
    rho: Array | None = None
    valid: Array | None = None


Tree = TypeVar("Tree")


def selected(xp: Namespace, condition: Array, yes: Tree, no: Tree) -> Tree:
    """`where` on every array of two tuples, nested alike."""
    if not isinstance(yes, tuple) or not isinstance(no, tuple):
        return xp.where(condition, yes, no)  # type: ignore[no-any-return]
    chosen = [selected(xp, condition, a, b) for a, b in zip(yes, no, strict=True)]
    return type(yes)(*chosen) if hasattr(yes, "_fields") else type(yes)(chosen)


def checked_start(network: Network, weights: Weights) -> Arrays:
    """A copy of weights to start from: finite, of the network's shapes, in one library, dtype and device."""
    return tuple(map(copied, checked_weights(network, weights)))


def zeros_like(W: Array) -> Callable[[tuple[int, ...]], Array]:
    """zeros(shape) in the dtype and on the device of W."""
    xp = array_namespace(W)
    return lambda shape: xp.zeros(shape, dtype=W.dtype, device=device(W))


def scalar_like(W: Array, value: float) -> Array:
    """A 0-d array in the dtype and on the device of W."""
    return array_namespace(W).full((), value, dtype=W.dtype, device=device(W))


def zero_count(W: Array) -> Array:
    """A 0-d integer on the device of W, in the library's own index dtype."""
    return array_namespace(W).zeros((), dtype=index_dtype(W), device=device(W))


def no_counts(W: Array) -> Counts:
    """The counts before the first step, each an array of its own."""
    return Counts(zero_count(W), zero_count(W), zero_count(W))


def with_own_average(state: Tree) -> Tree:
    """A first state whose average is another copy of its weights: no two of its arrays share memory.

    An array can then be changed in place, or its memory given to a compiled step, without a change of the others.
    """
    return state._replace(average=tuple(map(copied, state.weights)))  # type: ignore[attr-defined,no-any-return]


def detached_tree(tree: Any) -> Any:
    """Every array of a tuple, nested or not, outside any autograd graph, in tuples of the same types."""
    if not isinstance(tree, tuple):
        return detached(tree)
    parts = [detached_tree(part) for part in tree]
    return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)


def checked_t(t: Any) -> int:
    """How many steps are done, an integer of the host: it says which program the next one is."""
    try:
        return checked_integer("state.t", t, lower=0, expected="a Python integer from 0")
    except TypeError as error:
        raise TypeError(
            f"{error}; to trace a step, keep t out of it: "
            "jax.jit(lambda arrays, X, Y: optimiser.step(State(t, *arrays), X, Y))"
        ) from None
