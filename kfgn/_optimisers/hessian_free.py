"""Hessian-free Gauss-Newton: the exact damped system of the batch by conjugate gradients, whole or block by block."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from numpy.typing import NDArray

from .._algebra.conjugate_gradient import ITERATIONS, TOLERANCE, conjugate_gradient
from .._algebra.layerwise import plus
from .._linearisation.linearisation import GaussNewtonLinearisation
from .._network.network import Network
from .._products.diagonal_blocks import gauss_newton_block_operator
from .._products.full_matrix import gauss_newton_operator
from .._types import Array, Arrays
from .._validation.scalars import checked_count, checked_flag, checked_number, set_fields
from ..backends import device
from .adaptation import Damping


@dataclass(frozen=True)
class HessianFree:
    """The exact Gauss-Newton matrix of every batch, never formed and never averaged.

    blocks:     its diagonal blocks with gamma + eta (34), or the whole with tau + eta (33), in which gamma has no part
    iterations: of conjugate gradients, a product with the matrix each, about two gradients
    tolerance:  the residual relative to the gradient at which they have arrived

    Raises `ValueError` and `TypeError` for numbers out of range.
    """

    # a hundred times those of `KroneckerFactored`, whose averages are themselves a damping: with 1e-2 digits diverge
    TAU: ClassVar[Damping] = Damping(initial=1.0, period=5, lower=1e-6)
    GAMMA: ClassVar[Damping] = Damping(initial=1.0, period=20, lower=1e-6)

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
    def has_gamma(self) -> bool:
        """Whether gamma has a part in the direction."""
        return self.blocks

    def due(self, _t: int) -> bool:
        """Every step."""
        return True

    def draw(self, _network: Network, _seed: int, _t: int, _N: int) -> NDArray[Any] | None:
        """None: nothing is sampled."""
        return None

    def checked_draws(self, _network: Network, _X: Array, draws: Array | None) -> None:
        """`ValueError` for any."""
        if draws is not None:
            raise ValueError("draws: expected None for HessianFree, which samples nothing, got an array")

    def check_memory(self, _network: Network, _like: Array) -> None:
        """Do nothing, since no array that may not fit is kept between steps."""

    def start(self, _zeros: Callable[..., Array], _network: Network, _count: Array) -> tuple[()]:
        """Nothing is kept between steps."""
        return ()

    def observed(
        self, at: GaussNewtonLinearisation, kept: tuple[()], _draws: None, _refresh: bool
    ) -> tuple[Arrays, tuple[()]]:
        """The gradient of the batch's mean loss."""
        return at.mean_gradient(at.dE_dh()), kept

    def ready(self, at: GaussNewtonLinearisation, _kept: tuple[()], _draws: None) -> Array:
        """True, 0-d, since nothing is needed."""
        return at.xp.ones((), dtype=at.xp.bool, device=device(at.X))

    def direction(
        self, at: GaussNewtonLinearisation, kept: tuple[()], g: Arrays, full: Array, blocks: Array, _anew: bool
    ) -> tuple[Arrays, tuple[()], Array]:
        """The direction, and ok. full: tau + eta; blocks: gamma + eta."""
        G = gauss_newton_block_operator(at) if self.blocks else gauss_newton_operator(at)
        k = blocks if self.blocks else full
        solution = conjugate_gradient(
            lambda v: plus(G(v), v, k),
            g,
            iterations=self.iterations,
            tolerance=self.tolerance,
            separate=self.blocks,
        )
        return solution.x, kept, at.xp.isfinite(k)
