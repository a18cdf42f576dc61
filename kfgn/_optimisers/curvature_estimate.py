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
    """The coefficients of the identity matrices that are added to the curvature, as 0-d arrays or numbers.

    full:   tau + eta, for the full matrix (13)
    blocks: gamma + eta, for the blocks of the layers in (34)
    """

    full: Array
    blocks: Array


class CurvatureEstimate(Protocol[Kept]):
    """An estimate of the Gauss-Newton matrix, for the computation of damped directions.

    An instance has settings and no arrays. `KroneckerFactored`, `EigenvalueCorrected` and `HessianFree` implement this
    protocol. `GaussNewton.init` calls `check_memory` and `start`, and `GaussNewton.draw` calls `draw`.
    `GaussNewton.step` calls `checked_draws`, `refreshes`, `completed`, `observed`, `direction` and `ready`, and calls
    `start` for the check of the state. No method reads the value of an array that is not in host memory.
    """

    @property
    def default_tau(self) -> Damping:
        """The damping tau that `GaussNewton` uses if its argument `tau` is None."""

    @property
    def default_gamma(self) -> Damping:
        """The damping gamma that `GaussNewton` uses if its argument `gamma` is None."""

    @property
    def uses_gamma(self) -> bool:
        """True if the directions depend on `Added.blocks`, and False if they depend on `Added.full`."""

    def refreshes(self, t: int | Array) -> bool | Array:
        """True if step t = 1, 2, ... computes the factors again; a Python bool if t is a Python integer."""

    def draw(self, network: Network, seed: int, t: int, N: int) -> NDArray[Any] | None:
        """The random numbers of step t for N datapoints, in float32; None if nothing is sampled."""

    def checked_draws(self, network: Network, X: Array, draws: Array | None) -> Array | None:
        """The draws, after a check.

        Raises `TypeError` or `ValueError` if the draws do not fit the estimate or the batch.
        """

    def check_memory(self, network: Network, like: Array) -> None:
        """Raise `MemoryError` if a step in the dtype of `like` needs more memory than the device has available."""

    def start(self, network: Network, like: Array) -> Kept:
        """The arrays `kept` before the first step, in the dtype and on the device of `like`."""

    def completed(self, kept: Kept, added: Added) -> Kept:
        """The complete arrays `kept`: arrays that the user left out are computed from the other arrays."""

    def observed(
        self, at: GaussNewtonLinearisation, kept: Kept, draws: Array | None, refresh: bool | Array
    ) -> tuple[Arrays, Kept]:
        """The gradient of the mean loss of the batch, and the arrays `kept`, updated with the batch.

        refresh: the result of `refreshes`; if false, the factors in `kept` do not change
        """

    def direction(
        self, at: GaussNewtonLinearisation, kept: Kept, gradient: Arrays, added: Added, invert: bool | Array
    ) -> tuple[Arrays, Kept, Array]:
        """The uphill direction C~^-1 grad f, the arrays `kept` with the inverses that gave the direction, and `ok`.

        `ok` is a 0-d boolean, false if the damped matrix cannot be inverted.

        invert: true if inverses are computed, and false if the inverses in `kept` are used again
        """

    def ready(self, at: GaussNewtonLinearisation, kept: Kept, draws: Array | None) -> Array:
        """A 0-d boolean: true if a curvature has been computed and the draws are in range.

        If the boolean is false, the step is rejected with every damping.
        """
