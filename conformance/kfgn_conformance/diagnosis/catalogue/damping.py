"""Mistakes in omega, and in the damping of the blocks and of the full matrix."""

from typing import Any

import numpy as np

from ...problems.problem import Array
from ..mistake import mistake
from ..textbook import Textbook


@mistake("https://github.com/Thrandis/EKFAC-pytorch/issues/4")
class OmegaUnrooted(Textbook):
    """omega is the ratio of the norms of the factors instead of the square root of this ratio."""

    def omega(self, Q: Array, G: Array, norm: str = "trace") -> Any:
        return super().omega(Q, G, norm) ** 2


@mistake()
class OmegaRootedTwice(Textbook):
    """omega is the fourth root of the ratio of the norms of the factors instead of the square root."""

    def omega(self, Q: Array, G: Array, norm: str = "trace") -> Any:
        return np.sqrt(super().omega(Q, G, norm))


@mistake()
class OmegaInverted(Textbook):
    """omega is replaced by 1 / omega."""

    def omega(self, Q: Array, G: Array, norm: str = "trace") -> Any:
        return 1 / super().omega(Q, G, norm)


@mistake()
class OmegaForgotten(Textbook):
    """omega is 1, so both factors have the same damping."""

    def omega(self, Q: Array, G: Array, norm: str = "trace") -> Any:
        return 1.0


@mistake()
class OmegaWithoutDimensions(Textbook):
    """In omega, the norm of a factor is not divided by the norm of the identity of the same order."""

    def relative_norm(self, A: Array, norm: str) -> Any:
        return {"trace": np.trace(A), "frobenius": np.linalg.norm(A)}.get(norm, super().relative_norm(A, norm))


class _Damped(Textbook):
    """Base class of mistakes in the numbers that (36) adds to the diagonals of Q and G."""

    def amounts(self, omega: Any, k: Any) -> tuple[Any, Any]:
        """The number that is added to the diagonal of Q, and the number that is added to the diagonal of G."""
        raise NotImplementedError

    def damped_factors(self, Q: Array, G: Array, norm: str = "trace") -> tuple[Array, Array]:
        damping_Q, damping_G = self.amounts(self.omega(Q, G, norm), self.block_damping())
        return Q + damping_Q * np.eye(len(Q)), G + damping_G * np.eye(len(G))


@mistake()
class DampingUnrooted(_Damped):
    """The damping of Q is omega k, and the damping of G is k / omega: the square root of k = gamma + eta is missing."""

    def amounts(self, omega: Any, k: Any) -> tuple[Any, Any]:
        return omega * k, k / omega


@mistake()
class DampingOnBothFactors(_Damped):
    """Both factors are damped with k = gamma + eta, without omega and without the square root of k."""

    def amounts(self, omega: Any, k: Any) -> tuple[Any, Any]:
        return k, k


@mistake()
class FirstFactorNotDamped(_Damped):
    """Only G is damped."""

    def amounts(self, omega: Any, k: Any) -> tuple[Any, Any]:
        return 1e-9, np.sqrt(k) / omega


@mistake()
class DampingExchanged(_Damped):
    """Q has the damping of G, and G has the damping of Q."""

    def amounts(self, omega: Any, k: Any) -> tuple[Any, Any]:
        return np.sqrt(k) / omega, omega * np.sqrt(k)


@mistake("https://github.com/f-dangel/curvlinops/pull/156")
class DampingTwice(Textbook):
    """The damping of the blocks is added twice, for example because the first addition changes a stored block."""

    def block_damping(self) -> Any:
        return 2 * super().block_damping()


@mistake()
class EtaForgotten(Textbook):
    """Neither the damping of the blocks nor the damping of the full matrix includes eta."""

    def block_damping(self) -> Any:
        return self.problem.arguments.gamma

    def full_damping(self) -> Any:
        return self.problem.arguments.tau


@mistake()
class GammaForgotten(Textbook):
    """The blocks are damped with eta instead of gamma + eta."""

    def block_damping(self) -> Any:
        return self.eta()


@mistake()
class TauForGamma(Textbook):
    """The blocks are damped with tau + eta instead of gamma + eta."""

    def block_damping(self) -> Any:
        return self.full_damping()


@mistake()
class GammaForTau(Textbook):
    """The full Gauss-Newton matrix is damped with gamma + eta instead of tau + eta."""

    def full_damping(self) -> Any:
        return self.block_damping()


@mistake()
class TauForgotten(Textbook):
    """The full Gauss-Newton matrix is damped with eta instead of tau + eta."""

    def full_damping(self) -> Any:
        return self.eta()
