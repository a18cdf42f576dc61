"""The Kronecker-factored curvature of a run: averaged factors, and directions from the inverses of damped blocks."""

from __future__ import annotations  # PyTorch's compiler cannot evaluate the annotations of nested functions

from dataclasses import dataclass
from typing import Any, ClassVar

from array_api_compat import array_namespace

from .._algebra.damping import INVERSIONS, DampedInverse, blank_inverse, damped_inverses
from .._curvature.factor_memory import check_memory
from .._curvature.random_projections import projection_shape
from .._curvature.sharing import by_group, checked_sharing, of_groups
from .._documentation import Documented
from .._linearisation.arguments import checked_projections, draws_allowed
from .._linearisation.linearisation import GaussNewtonLinearisation
from .._network.network import Network
from .._network.padded import values_of
from .._types import Array, Arrays
from .._validation.scalars import checked_count, checked_name, checked_number, set_fields
from ..backends import branch, in_library_of
from .adaptation import Damping
from .arrays import zero_count, zeros
from .averages import averaged
from .curvature_estimate import Added
from .draws import checked_label_draws, label_draws, normals
from .factor_methods import METHODS, OF_PAIRS, WITH_SHARING
from .schedule import is_multiple
from .state import Factors


@dataclass(frozen=True)
class KroneckerFactored(metaclass=Documented):
    """The Kronecker-factored curvature Q_l kron G_l, equation (20), averaged over the batches of a run.

    Parameters
    ----------
    method : {"kfra", "kflr", "kfac", "rp", "tkfac", "tnt", "kfoc", "foof"}, optional
        The method that computes the factors: KFRA (26), KFLR (25), KFAC (59), random projections (`rp`), or the
        function `tkfac`, `tnt`, `kfoc` or `foof`. `rp` and these four functions are not in the paper.
    samples : int or None, optional
        The number S of labels (KFAC) or of projections (`rp`) per datapoint, where None means 1. For TKFAC, TNT and
        KFOC, None selects the exact root of H_L, and a number S selects the gradients at S sampled labels. The other
        methods ignore `samples`.
    inversion : {"trace", "frobenius", "spectral", "exact"}, optional
        The method that damps and inverts a block. The name of a norm selects the factored damping (36), whose omega
        (38) balances Q_l and G_l in this norm. The name "exact" selects the inversion of the damped block (35) by
        eigenvalues.
    average : float, optional
        The upper bound of the weight of earlier batches in the averages of Q_l and G_l, from 0 to 1. Section 5 of the
        paper uses the bound 0.9. With average=0 only the last computed factors are used.
    refresh : int, optional
        The factors and inverses are computed every `refresh` steps. A step that does not compute the factors costs
        a gradient, a pass of tangents and the products with the inverses. A step that adapts gamma also computes the
        inverses again.
    sharing : {"expand", "reduce"}, optional
        The treatment of the positions of a datapoint, if the network has positions. With "expand", Q_l and G_l contain
        the products at each position. With "reduce", Q_l contains the products of means over the positions, and G_l
        those of sums. KFLR, KFAC and `rp` accept both values, and the other methods accept "expand" alone.

    Raises
    ------
    TypeError
        If `average` is not a number, or if `samples` or `refresh` is not an integer.
    ValueError
        If a name is unknown, if a number is out of range, or if `sharing` is "reduce" for a method without "reduce".

    Notes
    -----
    The n-th batch enters the averages with the weight 1 - min(average, 1 - 1/n). Over the first batches the averages
    are therefore arithmetic means.

    In the factored damping (36), a positive damping of a factor A (D, D) is at least 8 sqrt(D) u tr(A), where u is the
    unit roundoff of the dtype. A damping below the lower bound could be lost in the rounding errors of the Cholesky
    factorisation of A. The lower bound is not in the paper.

    An instance is passed to `GaussNewton`, which calls the methods of the instance.

    Examples
    --------
    >>> import kfgn
    >>> network = kfgn.Network.dense((64, 16, 10), ("tanh",), "categorical")
    >>> optimiser = kfgn.GaussNewton(network, kfgn.KroneckerFactored("kfac", samples=2, refresh=10))
    >>> optimiser.draw(seed=0, t=1, N=5).shape
    (5, 2)
    """

    # docs/experiments.md contains the evidence for the default dampings. The lower bound is 1e-6, because float32 could
    # lose a smaller damping in rounding. A damping of 0 would stay 0, since the adaptation only multiplies or divides.
    default_tau: ClassVar[Damping] = Damping(initial=1e-2, period=5, lower=1e-6)
    default_gamma: ClassVar[Damping] = Damping(initial=1e-2, period=20, lower=1e-6)
    uses_gamma: ClassVar[bool] = True

    method: str = "kfra"
    samples: int | None = None
    inversion: str = "trace"
    average: float = 0.9
    refresh: int = 1
    sharing: str = "expand"

    def __post_init__(self) -> None:
        set_fields(
            self,
            method=checked_name("method", self.method, tuple(METHODS)),
            samples=self._checked_samples(),
            inversion=checked_name("inversion", self.inversion, INVERSIONS),
            average=checked_number("average", self.average, upper=1.0),
            refresh=checked_count("refresh", self.refresh),
            sharing=checked_sharing(self.sharing),
        )
        if self.method not in WITH_SHARING and self.sharing != "expand":
            raise ValueError(f"sharing: expected 'expand' for {self.method}, got {self.sharing!r}")

    def _checked_samples(self) -> int | None:
        if self.samples is None:
            return None if self.method in OF_PAIRS else 1
        return checked_count("samples", self.samples)

    @property
    def samples_labels(self) -> bool:
        """True if a step samples labels."""
        return self.method == "kfac" or (self.method in OF_PAIRS and self.samples is not None)

    def refreshes(self, t: int | Array) -> bool | Array:
        """True if step t = 1, 2, ... computes the factors again."""
        return is_multiple(t - 1, self.refresh)

    def draw(self, network: Network, seed: Any, t: int | Array, N: int) -> Array | None:
        """The random numbers of step t for N datapoints, in float32; None if nothing is sampled."""
        S = self.samples or 1
        if self.method == "rp":
            return normals(seed, t, projection_shape(network, N, S))
        return label_draws(network, seed, t, N, S) if self.samples_labels else None

    def checked_draws(self, network: Network, X: Array, draws: Array | None) -> Array | None:
        """The draws in the library of X (N, D_0), checked for the method and the batch.

        The values of the draws are not read on the host.
        """
        if self.method == "rp" and draws is not None:
            return checked_projections(network, X, in_library_of(draws, values_of(X)), check=False)
        sampled = self.method == "rp" or self.samples_labels
        return checked_label_draws(network, X, draws, self.method, sampled=sampled)

    def check_memory(self, network: Network, like: Array) -> None:
        """Raise `MemoryError` if the factors of a step need more memory than the device reports as available.

        A step needs three sets of factors: the averages before and after the step, and the factors of the batch or,
        later, the inverses. If `refresh` is above 1, the state before the step has a fourth set, its inverses.
        """
        check_memory(network, like, sets=3 if self.refresh == 1 else 4)

    def start(self, network: Network, like: Array) -> Factors:
        """Factors before the first batch, in the dtype and on the device of `like`.

        The inverses are placeholders if `refresh` is above 1, and () if `refresh` is 1.
        """
        Q = tuple(zeros((P, P), like) for _, P in network.block_shapes)
        G = tuple(zeros((D, D), like) for D, _ in network.block_shapes)
        inverses: tuple[DampedInverse, ...] = ()
        if self.refresh > 1:
            inverses = tuple(
                blank_inverse(zeros(A.shape, like), zeros(B.shape, like), self.inversion)
                for A, B in zip(Q, G, strict=True)
            )
        return Factors(zero_count(like), Q, G, inverses)

    def completed(self, kept: Factors, added: Added) -> Factors:
        """The factors `kept`. If `refresh` is above 1, inverses that are missing in `kept` are computed."""
        if self.refresh == 1 or kept.inverses:
            return kept
        return kept._replace(inverses=self._inverses(kept, added)[0])

    def observed(
        self, at: GaussNewtonLinearisation, kept: Factors, draws: Array | None, refresh: bool | Array
    ) -> tuple[Arrays, Factors]:
        """The gradient of the mean loss, and the averaged factors, which a refresh updates with those of the batch."""

        def with_batch() -> tuple[Arrays, Factors]:
            dE_dh, Q, G = METHODS[self.method](at, draws, self.sharing)
            n, blocks = kept.count + 1, len(G)
            averages = averaged(at.xp, kept.Q + kept.G, Q + G, n, self.average)
            return at.mean_gradient(dE_dh), kept._replace(count=n, Q=averages[:blocks], G=averages[blocks:])

        return branch(refresh, with_batch, lambda: (at.mean_gradient(at.dE_dh()), kept))

    def direction(
        self, at: GaussNewtonLinearisation, kept: Factors, gradient: Arrays, added: Added, invert: bool | Array
    ) -> tuple[Arrays, Factors, Array]:
        """The direction (34), the factors with their inverses, and a 0-d boolean `ok`.

        If inverses are computed, `ok` is true if all of them exist. Otherwise `ok` is true if the damping is finite.
        """
        unchanged = lambda: (kept.inverses, at.xp.isfinite(added.blocks))  # noqa: E731
        inverses, ok = branch(invert, lambda: self._inverses(kept, added), unchanged)
        parts = zip(inverses, by_group(at.network, gradient), strict=True)
        delta = of_groups(at.network, tuple(inverse.times(g) for inverse, g in parts))
        serves_again = inverses if self.refresh > 1 else ()
        return delta, kept._replace(inverses=serves_again), ok

    def ready(self, at: GaussNewtonLinearisation, kept: Factors, draws: Array | None) -> Array:
        """A 0-d boolean, true if the averages contain a batch and the draws are in range."""
        averages_exist = kept.count > 0  # false in a step without a refresh, if no earlier step was accepted
        if draws is None:
            return averages_exist
        return averages_exist & draws_allowed(at.xp, at.network, draws, self.samples_labels)

    def _inverses(self, kept: Factors, added: Added) -> tuple[tuple[DampedInverse, ...], Array]:
        """The inverse of each damped block, and a 0-d boolean, true if all blocks can be inverted."""
        xp = array_namespace(added.blocks)
        return damped_inverses(xp, kept.Q, kept.G, added.blocks, self.inversion, floored=True)
