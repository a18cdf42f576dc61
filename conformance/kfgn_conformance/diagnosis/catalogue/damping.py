"""omega, and where the damping goes."""

from typing import Any

import numpy as np

from ...problems.problem import Array
from ..mistake import mistake
from ..textbook import Textbook


@mistake("https://github.com/Thrandis/EKFAC-pytorch/issues/4")
class OmegaUnrooted(Textbook):
    """omega is the quotient of the norms, where it should be its root."""

    def omega(self, Q: Array, G: Array, norm: str = "trace") -> Any:
        return super().omega(Q, G, norm) ** 2


@mistake()
class OmegaRootedTwice(Textbook):
    """omega is the fourth root of the quotient of the norms."""

    def omega(self, Q: Array, G: Array, norm: str = "trace") -> Any:
        return np.sqrt(super().omega(Q, G, norm))


@mistake()
class OmegaInverted(Textbook):
    """omega is 1 / omega."""

    def omega(self, Q: Array, G: Array, norm: str = "trace") -> Any:
        return 1 / super().omega(Q, G, norm)


@mistake()
class OmegaForgotten(Textbook):
    """omega is 1: the factors are damped alike."""

    def omega(self, Q: Array, G: Array, norm: str = "trace") -> Any:
        return 1.0


@mistake()
class OmegaWithoutDimensions(Textbook):
    """In omega the norms of the factors are not divided by those of the identities."""

    def size(self, A: Array, norm: str) -> Any:
        return {"trace": np.trace(A), "frobenius": np.linalg.norm(A)}.get(norm, super().size(A, norm))


class _Damped(Textbook):
    """Other amounts on the diagonals of the factors."""

    def amounts(self, omega: Any, k: Any) -> tuple[Any, Any]:
        """That of Q and that of G."""
        raise NotImplementedError

    def damped_factors(self, Q: Array, G: Array, norm: str = "trace") -> tuple[Array, Array]:
        of_Q, of_G = self.amounts(self.omega(Q, G, norm), self.block_damping())
        return Q + of_Q * np.eye(len(Q)), G + of_G * np.eye(len(G))


@mistake()
class DampingUnrooted(_Damped):
    """The factors are damped with omega k and k / omega, where sqrt(k) should be."""

    def amounts(self, omega: Any, k: Any) -> tuple[Any, Any]:
        return omega * k, k / omega


@mistake()
class DampingOnBothFactors(_Damped):
    """Both factors are damped with k itself, without omega and without its root."""

    def amounts(self, omega: Any, k: Any) -> tuple[Any, Any]:
        return k, k


@mistake()
class FirstFactorNotDamped(_Damped):
    """G alone is damped."""

    def amounts(self, omega: Any, k: Any) -> tuple[Any, Any]:
        return 1e-9, np.sqrt(k) / omega


@mistake()
class DampingExchanged(_Damped):
    """Q has the damping of G, and G that of Q."""

    def amounts(self, omega: Any, k: Any) -> tuple[Any, Any]:
        return np.sqrt(k) / omega, omega * np.sqrt(k)


@mistake("https://github.com/f-dangel/curvlinops/pull/156")
class DampingTwice(Textbook):
    """The damping of the blocks is added twice, as where it is added in place and then again."""

    def block_damping(self) -> Any:
        return 2 * super().block_damping()


@mistake()
class EtaForgotten(Textbook):
    """The dampings do not contain eta."""

    def block_damping(self) -> Any:
        return self.problem.arguments.gamma

    def full_damping(self) -> Any:
        return self.problem.arguments.tau


@mistake()
class GammaForgotten(Textbook):
    """The blocks are damped with eta alone."""

    def block_damping(self) -> Any:
        return self.eta()


@mistake()
class TauForGamma(Textbook):
    """The blocks are damped with tau, where gamma should be."""

    def block_damping(self) -> Any:
        return self.full_damping()


@mistake()
class GammaForTau(Textbook):
    """The full matrix is damped with gamma, where tau should be."""

    def full_damping(self) -> Any:
        return self.block_damping()


@mistake()
class TauForgotten(Textbook):
    """The full matrix is damped with eta alone."""

    def full_damping(self) -> Any:
        return self.eta()
