"""Mistakes that compute a different quantity, and mistakes in KFRA's recursion."""

import numpy as np

from ...problems.problem import Array
from ..mistake import mistake
from ..textbook import Textbook
from ..textbook.passes import PerLayer


@mistake()
class KfraForKflr(Textbook):
    """KFRA is computed instead of KFLR."""

    def kflr(self) -> PerLayer:
        return self.kfra()


@mistake()
class KflrForKfra(Textbook):
    """KFLR is computed instead of KFRA."""

    def kfra(self) -> PerLayer:
        return self.kflr()


@mistake()
class KfacForKflr(Textbook):
    """KFAC is computed instead of KFLR: sampled labels replace the exact mean over the labels."""

    def kflr(self) -> PerLayer:
        return self.kfac()


@mistake()
class KflrForKfac(Textbook):
    """KFLR is computed instead of KFAC: the sampled labels are not used."""

    def kfac(self) -> PerLayer:
        return self.kflr()


@mistake()
class SlopesAveragedFirst(Textbook):
    """KFRA uses E[f'] E[f']^T instead of E[f' f'^T]."""

    def derivative_moments(self, l: int) -> Array:
        mean = self.mean(self.derivative(l))
        return np.outer(mean, mean)


@mistake()
class SlopesDiagonal(Textbook):
    """KFRA uses only the diagonal of E[f' f'^T]."""

    def derivative_moments(self, l: int) -> Array:
        return np.diag(np.diag(super().derivative_moments(l)))


@mistake()
class KfraDividedAtEachLayer(Textbook):
    """KFRA's recursion divides G by N at every layer."""

    def pulled(self, l: int, G: Array) -> Array:
        return super().pulled(l, G) / self.N


@mistake()
class KfraSummedAtEachLayer(Textbook):
    """In KFRA's recursion, the sum of f' f'^T over the datapoints replaces the mean at every layer."""

    def pulled(self, l: int, G: Array) -> Array:
        return super().pulled(l, G) * self.N


@mistake()
class HessianForGaussNewton(Textbook):
    """The Hessian is computed instead of the Gauss-Newton matrix."""

    def preactivation_gauss_newton(self) -> PerLayer:
        return self.preactivation_hessians()

    def gauss_newton_product(self, V: PerLayer) -> PerLayer:
        return self.hessian_product(V)


@mistake()
class GaussNewtonForHessian(Textbook):
    """The Gauss-Newton matrix is computed instead of the Hessian."""

    def preactivation_hessians(self) -> PerLayer:
        return self.preactivation_gauss_newton()

    def hessian_product(self, V: PerLayer) -> PerLayer:
        return self.gauss_newton_product(V)


@mistake()
class BlocksForTheWhole(Textbook):
    """V is multiplied by the diagonal blocks instead of the full matrix."""

    def gauss_newton_product(self, V: PerLayer) -> PerLayer:
        product = super().gauss_newton_product
        return {l: product({m: U if m == l else 0 * U for m, U in V.items()})[l] for l in V}

    def hessian_product(self, V: PerLayer) -> PerLayer:
        product = super().hessian_product
        return {l: product({m: U if m == l else 0 * U for m, U in V.items()})[l] for l in V}


@mistake()
class WholeForTheBlocks(Textbook):
    """V is multiplied by the full matrix instead of the diagonal blocks."""

    def only_layer(self, _l: int) -> PerLayer:
        return self.V


@mistake()
class FactoredForExactBlocks(Textbook):
    """The exact block E[Q kron G] is replaced by E[Q] kron E[G], as in KFLR."""

    def blocks(self, of: PerLayer) -> PerLayer:
        Q = self.q()
        return {l: np.kron(Q[l], self.mean(G)) for l, G in of.items()}
