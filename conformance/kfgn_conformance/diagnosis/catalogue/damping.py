"""Mistakes in omega and in the damping."""

from typing import Any

import numpy as np

from ...problems.problem import Array
from ..mistake import mistake
from ..textbook import Textbook


@mistake("https://github.com/Thrandis/EKFAC-pytorch/issues/4")
class OmegaUnrooted(Textbook):
    """omega is the ratio of the norms instead of its square root."""

    def omega(self, Q: Array, G: Array, norm: str = "trace") -> Any:
        return super().omega(Q, G, norm) ** 2


@mistake()
class OmegaRootedTwice(Textbook):
    """omega is the fourth root of the ratio of the norms."""

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
    """The norms in omega are not divided by the norms of the identities."""

    def relative_norm(self, A: Array, norm: str) -> Any:
        return {"trace": np.trace(A), "frobenius": np.linalg.norm(A)}.get(norm, super().relative_norm(A, norm))


class _Damped(Textbook):
    """Wrong amounts of damping on the diagonals of the factors."""

    def amounts(self, omega: Any, k: Any) -> tuple[Any, Any]:
        """The damping of Q and the damping of G."""
        raise NotImplementedError

    def damped_factors(self, Q: Array, G: Array, norm: str = "trace") -> tuple[Array, Array]:
        damping_Q, damping_G = self.amounts(self.omega(Q, G, norm), self.block_damping())
        return Q + damping_Q * np.eye(len(Q)), G + damping_G * np.eye(len(G))


@mistake()
class DampingUnrooted(_Damped):
    """The factors are damped with omega k and k / omega instead of omega sqrt(k) and sqrt(k) / omega."""

    def amounts(self, omega: Any, k: Any) -> tuple[Any, Any]:
        return omega * k, k / omega


@mistake()
class DampingOnBothFactors(_Damped):
    """Both factors are damped with k, without omega and without the square root."""

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
    """The damping of the blocks is added twice, for example once in place and once in a copy."""

    def block_damping(self) -> Any:
        return 2 * super().block_damping()


@mistake()
class EtaForgotten(Textbook):
    """The dampings do not include eta."""

    def block_damping(self) -> Any:
        return self.problem.arguments.gamma

    def full_damping(self) -> Any:
        return self.problem.arguments.tau


@mistake()
class GammaForgotten(Textbook):
    """The blocks are damped with eta only."""

    def block_damping(self) -> Any:
        return self.eta()


@mistake()
class TauForGamma(Textbook):
    """The blocks are damped with tau instead of gamma."""

    def block_damping(self) -> Any:
        return self.full_damping()


@mistake()
class GammaForTau(Textbook):
    """The full matrix is damped with gamma instead of tau."""

    def full_damping(self) -> Any:
        return self.block_damping()


@mistake()
class TauForgotten(Textbook):
    """The full matrix is damped with eta only."""

    def full_damping(self) -> Any:
        return self.eta()
