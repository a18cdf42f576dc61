"""The curvature of a run by EKFAC (George et al., 2018): averages of factors and of eigenvalues, and eigenvectors."""

# ruff: noqa: ARG002  (methods of an interface)

from __future__ import annotations  # PyTorch's compiler cannot evaluate the annotations of nested functions

from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import Any, ClassVar

from .._algebra.damping import damped_spectrum
from .._curvature.ekfac import diagonals, eigenbasis, factors_of_bases
from .._curvature.factor_memory import check_memory
from .._curvature.sharing import by_group, checked_sharing, of_groups
from .._documentation import Documented
from .._linearisation.arguments import draws_allowed
from .._linearisation.linearisation import GaussNewtonLinearisation
from .._network.network import Network
from .._types import Array, Arrays
from .._validation.scalars import checked_count, checked_number, set_fields
from ..backends import branch
from .adaptation import Damping
from .arrays import identity, zero_count, zeros
from .averages import averaged
from .curvature_estimate import Added
from .draws import checked_label_draws, label_draws
from .eigen_factors import EigenFactors, in_new_basis
from .factor_methods import drawn_pairs
from .schedule import is_multiple


@dataclass(frozen=True)
class EigenvalueCorrected(metaclass=Documented):
    """The curvature of EKFAC: eigenvectors of averaged Kronecker factors, and averaged diagonals of the exact blocks.

    Parameters
    ----------
    samples : int or None, optional
        The number of sampled labels per datapoint. The gradients at these labels replace the exact root of H_L. With
        None the exact root is used, and a step needs no draws.
    average : float, optional
        The upper bound of the weight of earlier batches in the averages of Q_l, of G_l and of the eigenvalues, from
        0 to 1.
    refresh : int, optional
        The factors Q_l and G_l, and their eigenvectors, are computed every `refresh` steps. The eigenvalues are
        computed in every step.
    sharing : {"expand", "reduce"}, optional
        The factors whose eigenvectors are used, if the network has positions. With "expand", Q_l and G_l contain the
        products at each position. With "reduce", Q_l contains the products of means over the positions, and G_l those
        of sums. In both cases, the eigenvalues are the diagonal of the exact block, or of the estimate of this block
        from sampled labels.

    Raises
    ------
    TypeError
        If `average` is not a number, or if `samples` or `refresh` is not an integer.
    ValueError
        If a name is unknown, or if a number is out of range.

    Notes
    -----
    With the eigenvectors U_Q and U_G of the averages of Q_l and G_l, the curvature of a layer is U diag(vec S) U^T with
    U = U_Q kron U_G. S is the average of the diagonals of the exact blocks in this basis. With sampled labels, S is the
    average of the diagonals of estimates of these blocks. The damping is added to the eigenvalues::

        direction = U_G ((U_G^T grad f U_Q) / (S + gamma + eta)) U_Q^T

    When the basis changes, the average S is replaced by the diagonal of U diag(vec S) U^T in the new basis. This
    replacement keeps the trace of the curvature, and the weights of all batches in the average. If the average began
    again instead, S would be the diagonal of the block of a single batch, and such a block has a low rank.

    An eigendecomposition of a factor costs about ten times its Cholesky factorisation, so a larger `refresh` lowers the
    mean cost of a step. No inverse is kept, since a new gamma changes only the denominator of the direction.

    An instance is passed to `GaussNewton`, which calls the methods of the instance.

    Examples
    --------
    >>> import kfgn
    >>> network = kfgn.Network.dense((64, 16, 10), ("tanh",), "categorical")
    >>> optimiser = kfgn.GaussNewton(network, kfgn.EigenvalueCorrected(samples=2, refresh=10))
    >>> optimiser.draw(seed=0, t=1, N=5).shape
    (5, 2)
    """

    # docs/experiments.md contains the evidence for the default dampings, which are those of `KroneckerFactored`.
    default_tau: ClassVar[Damping] = Damping(initial=1e-2, period=5, lower=1e-6)
    default_gamma: ClassVar[Damping] = Damping(initial=1e-2, period=20, lower=1e-6)
    uses_gamma: ClassVar[bool] = True

    samples: int | None = None
    average: float = 0.9
    refresh: int = 1
    sharing: str = "expand"

    def __post_init__(self) -> None:
        set_fields(
            self,
            samples=None if self.samples is None else checked_count("samples", self.samples),
            average=checked_number("average", self.average, upper=1.0),
            refresh=checked_count("refresh", self.refresh),
            sharing=checked_sharing(self.sharing),
        )

    def refreshes(self, t: int | Array) -> bool | Array:
        """True if step t = 1, 2, ... computes the factors and their eigenvectors again."""
        return is_multiple(t - 1, self.refresh)

    def draw(self, network: Network, seed: Any, t: int | Array, N: int) -> Array | None:
        """The random numbers of step t for N datapoints, in float32; None if nothing is sampled."""
        return None if self.samples is None else label_draws(network, seed, t, N, self.samples)

    def checked_draws(self, network: Network, X: Array, draws: Array | None) -> Array | None:
        """The draws in the library of X (N, D_0), checked for the batch. No value is read on the host."""
        return checked_label_draws(network, X, draws, "ekfac", sampled=self.samples is not None)

    def check_memory(self, network: Network, like: Array) -> None:
        """Raise `MemoryError` if the factors of a step need more memory than the device reports as available.

        A step needs five sets of factors: averages and eigenvectors before and after the step, and the factors of the
        batch.
        """
        check_memory(network, like, sets=5)

    def start(self, network: Network, like: Array) -> EigenFactors:
        """Averages before the first batch, in the dtype and on the device of `like`, with identities as bases."""
        shapes = network.block_shapes
        return EigenFactors(
            count=zero_count(like),
            Q=tuple(zeros((P, P), like) for _, P in shapes),
            G=tuple(zeros((D, D), like) for D, _ in shapes),
            U_Q=tuple(identity(P, like) for _, P in shapes),
            U_G=tuple(identity(D, like) for D, _ in shapes),
            batches=zero_count(like),
            S=tuple(zeros(shape, like) for shape in shapes),
        )

    def completed(self, kept: EigenFactors, added: Added) -> EigenFactors:
        """The arrays `kept`, which are always complete."""
        return kept

    def observed(
        self, at: GaussNewtonLinearisation, kept: EigenFactors, draws: Array | None, refresh: bool | Array
    ) -> tuple[Arrays, EigenFactors]:
        """The gradient of the mean loss, and `kept` with the batch in S. A refresh also updates factors and bases."""
        pairs = drawn_pairs(at, draws)

        def with_bases() -> EigenFactors:
            Q, G = factors_of_bases(pairs, self.sharing)
            n, blocks = kept.count + 1, len(Q)
            averages = averaged(at.xp, kept.Q + kept.G, Q + G, n, self.average)
            bases = tuple(map(eigenbasis, averages))
            old, new = (zip(U[:blocks], U[blocks:], strict=True) for U in (kept.U_Q + kept.U_G, bases))
            return EigenFactors(
                *(n, averages[:blocks], averages[blocks:], bases[:blocks], bases[blocks:], kept.batches),
                S=tuple(map(in_new_basis, kept.S, old, new)),
            )

        turned = branch(refresh, with_bases, lambda: kept)
        n, S = kept.batches + 1, diagonals(pairs, turned.U_Q, turned.U_G)
        kept = turned._replace(batches=n, S=averaged(at.xp, turned.S, S, n, self.average))
        return at.mean_gradient(at.dE_dh()), kept

    def direction(
        self, at: GaussNewtonLinearisation, kept: EigenFactors, gradient: Arrays, added: Added, invert: bool | Array
    ) -> tuple[Arrays, EigenFactors, Array]:
        """The direction (34), `kept`, and a 0-d boolean: true if all damped eigenvalues are positive and finite."""
        blocks = zip(kept.U_Q, kept.U_G, kept.S, strict=True)
        inverses, ok = zip(*(damped_spectrum(at.xp, *block, added.blocks) for block in blocks), strict=True)
        parts = zip(inverses, by_group(at.network, gradient), strict=True)
        delta = of_groups(at.network, tuple(inverse.times(g) for inverse, g in parts))
        return delta, kept, reduce(and_, ok)

    def ready(self, at: GaussNewtonLinearisation, kept: EigenFactors, draws: Array | None) -> Array:
        """A 0-d boolean, true if the averages contain a batch and the draws are in range."""
        averages_exist = kept.batches > 0
        return averages_exist if draws is None else averages_exist & draws_allowed(at.xp, at.network, draws, True)
