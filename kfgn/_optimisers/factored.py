"""The Kronecker-factored curvature of a run: factors of every batch, their moving average, and the damped direction."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, TypeAlias

from numpy.typing import NDArray

from .._algebra.damping import INVERSIONS, DampedInverse, blank_inverse, damped_inverse
from .._curvature.factor_memory import check_memory
from .._curvature.kfac import drawn_labels, kfac_factor, label_draws_shape
from .._curvature.kflr import kflr_factor
from .._curvature.kfra import kfra_factor
from .._curvature.random_projections import projection_shape, rp_factor
from .._linearisation.arguments import checked_draws, checked_projections, draws_allowed
from .._linearisation.linearisation import GaussNewtonLinearisation
from .._network.network import Network
from .._types import Array, Arrays
from .._validation.scalars import checked_count, checked_name, checked_number, set_fields
from .adaptation import Damping
from .averages import averaged
from .draws import normals, uniforms

Factor: TypeAlias = Callable[[GaussNewtonLinearisation, Any], tuple[Arrays, Arrays]]
"""dE/dh_l (N, D_l) at the targets, and G_l (D_l, D_l), from a batch and the draws of a method that samples."""

METHODS: dict[str, Factor] = {
    "kflr": lambda at, _draws: kflr_factor(at),
    "kfra": lambda at, _draws: kfra_factor(at),
    "kfac": lambda at, draws: kfac_factor(at, drawn_labels(at, draws)),
    "rp": rp_factor,
}


class Factors(NamedTuple):
    """What a run keeps of the curvature.

    count:    how many batches are in the averages, 0-d integer
    Q, G:     averages of the factors of each layer, (D_{l-1} + 1, D_{l-1} + 1) and (D_l, D_l)
    inverses: of the damped blocks, where they serve more than one step; empty where each step makes its own
    """

    count: Array
    Q: Arrays
    G: Arrays
    inverses: tuple[DampedInverse, ...]


@dataclass(frozen=True)
class KroneckerFactored:
    """The Kronecker-factored blocks Q_l kron G_l, equation (20), of every batch and averaged over them.

    method:    kflr (25), kfra (26), kfac (59) or rp, which make G_l
    samples:   S, the labels of kfac or the projections of rp for each datapoint
    inversion: the damping and inversion of a block: factored (36) with omega in the norm trace, frobenius or spectral,
               or exact, by eigenvalues. The damping of each factor of (36) is at least that of `visible` in kfgn/_algebra/damping.py
    average:   the most weight that the factors of earlier batches keep, 0.9 in Section 5; 0 keeps none
    refresh:   the number of steps after which factors and inverses are computed again; other steps cost little more
               than a gradient

    Raises `ValueError` for unknown names and numbers out of range, and `TypeError` for values that are no numbers.
    """

    # docs/experiments.md has the evidence; below the floors float32 would see no damping, and 0 is for ever
    TAU: ClassVar[Damping] = Damping(initial=1e-2, period=5, lower=1e-6)
    GAMMA: ClassVar[Damping] = Damping(initial=1e-2, period=20, lower=1e-6)

    method: str = "kfra"
    samples: int = 1
    inversion: str = "trace"
    average: float = 0.9
    refresh: int = 1

    def __post_init__(self) -> None:
        set_fields(
            self,
            method=checked_name("method", self.method, tuple(METHODS)),
            samples=checked_count("samples", self.samples),
            inversion=checked_name("inversion", self.inversion, INVERSIONS),
            average=checked_number("average", self.average, upper=1.0),
            refresh=checked_count("refresh", self.refresh),
        )

    has_gamma = True

    def due(self, t: int) -> bool:
        """True if step t = 1, 2, ... computes the factors again."""
        return (t - 1) % self.refresh == 0

    def draw(self, network: Network, seed: int, t: int, N: int) -> NDArray[Any] | None:
        """The random numbers of step t for N datapoints, in float32 on the host; None where nothing is sampled."""
        if self.method == "kfac":
            kind = normals if network.objective == "squared_error" else uniforms
            return kind(seed, t, label_draws_shape(network, N, self.samples))
        if self.method == "rp":
            return normals(seed, t, projection_shape(network, N, self.samples))
        return None

    def checked_draws(self, network: Network, X: Array, draws: Array | None) -> Array | None:
        """Draws that fit the method and the batch; no value is read."""
        if self.method in ("kflr", "kfra"):
            if draws is not None:
                raise ValueError(f"draws: expected None for {self.method}, which samples nothing, got an array")
            return None
        if draws is None:
            raise ValueError(f"draws: expected the random numbers of {self.method}, see `draw`, got None")
        checked = checked_draws if self.method == "kfac" else checked_projections
        return checked(network, X, draws, check=False)

    def check_memory(self, network: Network, like: Array) -> None:
        """`MemoryError` if the averages before and after a step, and a batch's factors, exceed the known memory."""
        check_memory(network, like, sets=3)

    def start(self, zeros: Callable[..., Array], network: Network, count: Array) -> Factors:
        """Empty averages; `zeros(shape)` makes arrays like the weights."""
        Q = tuple(zeros((P, P)) for _, P in network.weight_shapes)
        G = tuple(zeros((D, D)) for D, _ in network.weight_shapes)
        inverses: tuple[DampedInverse, ...] = ()
        if self.refresh > 1:
            inverses = tuple(
                blank_inverse(zeros(A.shape), zeros(B.shape), self.inversion) for A, B in zip(Q, G, strict=True)
            )
        return Factors(count, Q, G, inverses)

    def observed(
        self, at: GaussNewtonLinearisation, factors: Factors, draws: Array | None, refresh: bool
    ) -> tuple[Arrays, Factors]:
        """The gradient of the batch's mean loss, and the factors with those of the batch in their averages."""
        if not refresh:
            return at.mean_gradient(at.dE_dh()), factors
        dE_dh, G = METHODS[self.method](at, draws)
        Q = at.input_moments()
        n = factors.count + 1
        Q, G = (averaged(at.xp, old, new, n, self.average) for old, new in ((factors.Q, Q), (factors.G, G)))
        return at.mean_gradient(dE_dh), factors._replace(count=n, Q=Q, G=G)

    def ready(self, at: GaussNewtonLinearisation, factors: Factors, draws: Array | None) -> Array:
        """True if there are factors, and the draws are those of `draw`. If not, no damping helps. 0-d."""
        there = factors.count > 0  # there are none until a first step has not been rejected
        return there if draws is None else there & draws_allowed(at.xp, at.network, draws, self.method == "kfac")

    def direction(
        self, at: GaussNewtonLinearisation, factors: Factors, g: Arrays, _full: Array, blocks: Array, anew: bool
    ) -> tuple[Arrays, Factors, Array]:
        """The direction (34) of the damped blocks, the factors with the inverses that made it, and ok.

        blocks: gamma + eta; tau + eta is not used. anew: whether the inverses are computed again.
        """
        inverses, ok = factors.inverses, at.xp.isfinite(blocks)
        if anew:
            made = [
                damped_inverse(at.xp, Q, G, blocks, self.inversion, floored=True)
                for Q, G in zip(factors.Q, factors.G, strict=True)
            ]
            inverses = tuple(inverse for inverse, _ in made)
            for _, one in made:
                ok = ok & one
        delta = tuple(inverse.times(g_l) for inverse, g_l in zip(inverses, g, strict=True))
        kept = inverses if self.refresh > 1 else ()
        return delta, factors._replace(inverses=kept), ok
