"""The interface between `GaussNewton` and its estimate of the curvature."""

from typing import Any, NamedTuple, Protocol, TypeVar

from numpy.typing import NDArray

from .._linearisation.linearisation import GaussNewtonLinearisation
from .._network.network import Network
from .._types import Array, Arrays
from .adaptation import Damping

Kept = TypeVar("Kept")
"""The tuple of arrays that an estimate keeps between steps: `State.factors`."""


class Added(NamedTuple):
    """Multiples of the identity that are added to the curvature, 0-d arrays or numbers.

    full:   tau + eta, added to the full matrix (33)
    blocks: gamma + eta, added to the blocks of the layers (34)
    """

    full: Array
    blocks: Array


class CurvatureEstimate(Protocol[Kept]):
    """An estimate of the Gauss-Newton matrix that gives damped directions. An instance has settings and no arrays.

    `KroneckerFactored` and `HessianFree` implement it. `GaussNewton.init` calls `check_memory` and `start`, and
    `GaussNewton.step` calls `checked_draws`, `refreshes`, `completed`, `observed`, `direction` and `ready`. No method
    reads the value of an array.
    """

    @property
    def default_tau(self) -> Damping:
        """The tau of a `GaussNewton` to which none is given."""

    @property
    def default_gamma(self) -> Damping:
        """The gamma of a `GaussNewton` to which none is given."""

    @property
    def uses_gamma(self) -> bool:
        """True if the directions depend on `Added.blocks`, and False if they depend on `Added.full`."""

    def refreshes(self, t: int | Array) -> bool | Array:
        """True if step t = 1, 2, ... computes the curvature again. A Python bool if t is a Python integer."""

    def draw(self, network: Network, seed: int, t: int, N: int) -> NDArray[Any] | None:
        """The random numbers of step t for N datapoints, in float32 on the host. None if nothing is sampled."""

    def checked_draws(self, network: Network, X: Array, draws: Array | None) -> Array | None:
        """The draws of a step, if they fit the estimate and the batch: `TypeError` or `ValueError` if they do not."""

    def check_memory(self, network: Network, like: Array) -> None:
        """Raise `MemoryError` if the arrays of a run, in the dtype of `like`, exceed the known memory of its device."""

    def start(self, network: Network, like: Array) -> Kept:
        """The kept arrays before the first step, in the dtype and on the device of `like`."""

    def completed(self, kept: Kept, added: Added) -> Kept:
        """The kept arrays, completed by those that follow from the others and that the user left out of a state."""

    def observed(
        self, at: GaussNewtonLinearisation, kept: Kept, draws: Array | None, refresh: bool | Array
    ) -> tuple[Arrays, Kept]:
        """The gradient of the mean loss of the batch, and the kept arrays updated with the batch.

        refresh: the result of `refreshes`. If it is false, the kept arrays do not change.
        """

    def direction(
        self, at: GaussNewtonLinearisation, kept: Kept, gradient: Arrays, added: Added, invert: bool | Array
    ) -> tuple[Arrays, Kept, Array]:
        """The uphill direction C~^-1 grad f, the kept arrays with which it was made, and ok, a 0-d boolean.

        ok is false if the damped matrix cannot be inverted. invert: true if inverses are computed, and false if the
        inverses in `kept` are used again.
        """

    def ready(self, at: GaussNewtonLinearisation, kept: Kept, draws: Array | None) -> Array:
        """A 0-d boolean, true if a curvature exists and the draws are in range. Otherwise damping does not help."""
