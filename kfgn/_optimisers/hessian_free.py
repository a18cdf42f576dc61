"""The exact Gauss-Newton matrix of a batch, whole or its blocks: directions by conjugate gradients."""

# ruff: noqa: ARG002  (methods of an interface)

from dataclasses import dataclass
from typing import Any, ClassVar

from .._algebra.conjugate_gradient import ITERATIONS, TOLERANCE, conjugate_gradient
from .._algebra.layerwise import plus
from .._documentation import Documented
from .._linearisation.linearisation import GaussNewtonLinearisation
from .._network.network import Network
from .._products.diagonal_blocks import gauss_newton_block_operator
from .._products.full_matrix import gauss_newton_operator
from .._types import Array, Arrays
from .._validation.scalars import checked_count, checked_flag, checked_number, set_fields
from .adaptation import Damping
from .arrays import true
from .curvature_estimate import Added


@dataclass(frozen=True)
class HessianFree(metaclass=Documented):
    """The exact Gauss-Newton matrix of the current batch, by products with it alone.

    Parameters
    ----------
    blocks : bool, optional
        False for the full matrix damped by tau + eta (33), which does not depend on gamma. True for the blocks of the
        layers damped by gamma + eta (34).
    iterations : int, optional
        The number of iterations of conjugate gradients.
    tolerance : float, optional
        From 0: the norm of the residual relative to that of the gradient, below which the solution no longer changes.

    Raises
    ------
    TypeError
        For a value of a wrong type.
    ValueError
        For a number out of range.

    Notes
    -----
    Every iteration has a product of the matrix with a vector, which costs about two gradients. All iterations are
    computed, since a step would have to wait for the device to stop earlier. No factor and no average is kept between
    steps.

    An instance is an argument of `GaussNewton`, which calls the other methods.

    Examples
    --------
    >>> import kfgn
    >>> network = kfgn.Network.dense((3, 5, 2), ("tanh",), "squared_error")
    >>> optimiser = kfgn.GaussNewton(network, kfgn.HessianFree(iterations=20))
    >>> optimiser.dampings.tau.initial, optimiser.draw(seed=0, t=1, N=5)
    (1.0, None)
    """

    # A hundred times the defaults of `KroneckerFactored`, whose averages are a damping too. With 1e-2 runs on digits
    # diverge.
    default_tau: ClassVar[Damping] = Damping(initial=1.0, period=5, lower=1e-6)
    default_gamma: ClassVar[Damping] = Damping(initial=1.0, period=20, lower=1e-6)

    blocks: bool = False
    iterations: int = ITERATIONS
    tolerance: float = TOLERANCE

    def __post_init__(self) -> None:
        set_fields(
            self,
            blocks=checked_flag("blocks", self.blocks),
            iterations=checked_count("iterations", self.iterations),
            tolerance=checked_number("tolerance", self.tolerance),
        )

    @property
    def uses_gamma(self) -> bool:
        """True if the matrix is damped by gamma, as the blocks are."""
        return self.blocks

    def refreshes(self, t: int | Array) -> bool:
        """True, since every step has the matrix of its own batch."""
        return True

    def draw(self, network: Network, seed: Any, t: int | Array, N: int) -> None:
        """None, since nothing is sampled."""
        return

    def checked_draws(self, network: Network, X: Array, draws: Array | None) -> None:
        """Raise `ValueError` for draws, since nothing is sampled."""
        if draws is not None:
            raise ValueError("draws: expected None for HessianFree, which samples nothing, got an array")

    def check_memory(self, network: Network, like: Array) -> None:
        """Do nothing, since no array that may not fit is kept between steps."""

    def start(self, network: Network, like: Array) -> tuple[()]:
        """No array is kept between steps."""
        return ()

    def completed(self, kept: tuple[()], added: Added) -> tuple[()]:
        """No array is kept between steps."""
        return kept

    def observed(
        self, at: GaussNewtonLinearisation, kept: tuple[()], draws: Array | None, refresh: bool | Array
    ) -> tuple[Arrays, tuple[()]]:
        """The gradient of the mean loss of the batch."""
        return at.mean_gradient(at.dE_dh()), kept

    def direction(
        self, at: GaussNewtonLinearisation, kept: tuple[()], gradient: Arrays, added: Added, invert: bool | Array
    ) -> tuple[Arrays, tuple[()], Array]:
        """The direction (33) or (34) by conjugate gradients, `kept`, and a 0-d boolean: true if it is usable."""
        product = gauss_newton_block_operator(at) if self.blocks else gauss_newton_operator(at)
        damping = added.blocks if self.blocks else added.full
        solution = conjugate_gradient(
            lambda v: plus(product(v), v, damping),
            gradient,
            iterations=self.iterations,
            tolerance=self.tolerance,
            separate=self.blocks,
        )
        return solution.x, kept, at.xp.isfinite(damping)

    def ready(self, at: GaussNewtonLinearisation, kept: tuple[()], draws: Array | None) -> Array:
        """A 0-d boolean that is always true, since only the batch is needed."""
        return true(at.X)
