"""Directions by conjugate gradients, with the exact Gauss-Newton matrix of a batch or with its diagonal blocks."""

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
    """The exact Gauss-Newton matrix of the current batch, used only in products with vectors.

    Parameters
    ----------
    blocks : bool, optional
        False for the full matrix (13), damped by tau + eta. True for the diagonal blocks (16) of the layers, damped by
        gamma + eta.
    iterations : int, optional
        The largest number of iterations of conjugate gradients.
    tolerance : float, optional
        The ratio |residual| / |gradient| at which the solution stops changing, at least 0.

    Raises
    ------
    TypeError
        If an argument has a wrong type.
    ValueError
        If a number is out of range.

    Notes
    -----
    Every iteration computes a product of the matrix with a vector, which costs about two gradients. For arrays in host
    memory, the iterations end once the solution no longer changes. For all other arrays, a step computes all
    iterations, because the host would have to wait for the device in order to stop early. The state contains no factors
    and no averages of curvature.

    An instance is passed to `GaussNewton`, which calls the methods of the instance.

    Examples
    --------
    >>> import kfgn
    >>> network = kfgn.Network.dense((3, 5, 2), ("tanh",), "squared_error")
    >>> optimiser = kfgn.GaussNewton(network, kfgn.HessianFree(iterations=20))
    >>> optimiser.dampings.tau.initial, optimiser.draw(seed=0, t=1, N=5)
    (1.0, None)
    """

    # The default dampings are a hundred times those of `KroneckerFactored`, whose averages act as a damping too. With
    # dampings of 1e-2, training on the data set digits diverges.
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
        """True for the blocks, which are damped by gamma + eta."""
        return self.blocks

    def refreshes(self, t: int | Array) -> bool:
        """True, since every step uses the matrix of the current batch."""
        return True

    def draw(self, network: Network, seed: Any, t: int | Array, N: int) -> None:
        """None, since conjugate gradients sample nothing."""
        return

    def checked_draws(self, network: Network, X: Array, draws: Array | None) -> None:
        """Raise `ValueError` for draws other than None, since conjugate gradients sample nothing."""
        if draws is not None:
            raise ValueError("draws: expected None for HessianFree, which samples nothing, got an array")

    def check_memory(self, network: Network, like: Array) -> None:
        """Do nothing, since `HessianFree` has no factors."""

    def start(self, network: Network, like: Array) -> tuple[()]:
        """The empty tuple, since no array is kept between steps."""
        return ()

    def completed(self, kept: tuple[()], added: Added) -> tuple[()]:
        """The empty tuple `kept`, since no array is kept between steps."""
        return kept

    def observed(
        self, at: GaussNewtonLinearisation, kept: tuple[()], draws: Array | None, refresh: bool | Array
    ) -> tuple[Arrays, tuple[()]]:
        """The gradient of the mean loss of the batch, and the empty tuple `kept`."""
        return at.mean_gradient(at.dE_dh()), kept

    def direction(
        self, at: GaussNewtonLinearisation, kept: tuple[()], gradient: Arrays, added: Added, invert: bool | Array
    ) -> tuple[Arrays, tuple[()], Array]:
        """The direction (33) or (34) by conjugate gradients, `kept`, and a 0-d boolean: true for a finite damping."""
        product = gauss_newton_block_operator(at) if self.blocks else gauss_newton_operator(at)
        damping = added.blocks if self.blocks else added.full
        solution = conjugate_gradient(
            lambda v: plus(product(v), v, damping),
            gradient,
            iterations=self.iterations,
            tolerance=self.tolerance,
            separate=self.blocks,
            residual=False,
        )
        return solution.x, kept, at.xp.isfinite(damping)

    def ready(self, at: GaussNewtonLinearisation, kept: tuple[()], draws: Array | None) -> Array:
        """A 0-d boolean that is always true, since the matrix depends on the current batch alone."""
        return true(at.X)
