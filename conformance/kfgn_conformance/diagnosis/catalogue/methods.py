"""One quantity given where another was asked for, and KFRA's recursion taken for something else."""

import numpy as np

from ...problems.problem import Array
from ..mistake import mistake
from ..textbook import Textbook
from ..textbook.passes import PerLayer


@mistake()
class KfraForKflr(Textbook):
    """KFRA is given where KFLR was asked for."""

    def kflr(self) -> PerLayer:
        return self.kfra()


@mistake()
class KflrForKfra(Textbook):
    """KFLR is given where KFRA was asked for."""

    def kfra(self) -> PerLayer:
        return self.kflr()


@mistake()
class KfacForKflr(Textbook):
    """KFAC is given where KFLR was asked for: a sample, where the exact mean should be."""

    def kflr(self) -> PerLayer:
        return self.kfac()


@mistake()
class KflrForKfac(Textbook):
    """KFLR is given where KFAC was asked for: the labels are not looked at."""

    def kfac(self) -> PerLayer:
        return self.kflr()


@mistake()
class SlopesAveragedFirst(Textbook):
    """KFRA has E[f'] E[f']^T, where E[f' f'^T] should be."""

    def slopes_between(self, l: int) -> Array:
        mean = self.mean(self.slope(l))
        return np.outer(mean, mean)


@mistake()
class SlopesDiagonal(Textbook):
    """KFRA has only the diagonal of E[f' f'^T]."""

    def slopes_between(self, l: int) -> Array:
        return np.diag(np.diag(super().slopes_between(l)))


@mistake()
class KfraDividedAtEachLayer(Textbook):
    """KFRA's recursion divides by N anew at every layer."""

    def pulled(self, l: int, G: Array) -> Array:
        return super().pulled(l, G) / self.N


@mistake()
class KfraSummedAtEachLayer(Textbook):
    """KFRA's recursion multiplies with a sum over the datapoints at every layer, where a mean should be."""

    def pulled(self, l: int, G: Array) -> Array:
        return super().pulled(l, G) * self.N


@mistake()
class HessianForGaussNewton(Textbook):
    """The Hessian is given where the Gauss-Newton matrix was asked for."""

    def preactivation_gauss_newton(self) -> PerLayer:
        return self.preactivation_hessians()

    def gauss_newton_product(self, V: PerLayer) -> PerLayer:
        return self.hessian_product(V)


@mistake()
class GaussNewtonForHessian(Textbook):
    """The Gauss-Newton matrix is given where the Hessian was asked for."""

    def preactivation_hessians(self) -> PerLayer:
        return self.preactivation_gauss_newton()

    def hessian_product(self, V: PerLayer) -> PerLayer:
        return self.gauss_newton_product(V)


@mistake()
class BlocksForTheWhole(Textbook):
    """The product is with the diagonal blocks, where the whole matrix was asked for."""

    def gauss_newton_product(self, V: PerLayer) -> PerLayer:
        product = super().gauss_newton_product
        return {l: product({m: U if m == l else 0 * U for m, U in V.items()})[l] for l in V}

    def hessian_product(self, V: PerLayer) -> PerLayer:
        product = super().hessian_product
        return {l: product({m: U if m == l else 0 * U for m, U in V.items()})[l] for l in V}


@mistake()
class WholeForTheBlocks(Textbook):
    """The product is with the whole matrix, where the diagonal blocks were asked for."""

    def alone(self, _l: int) -> PerLayer:
        return self.V


@mistake()
class FactoredForExactBlocks(Textbook):
    """The block is Q kron G by KFLR, where the mean of the Kronecker products was asked for."""

    def blocks(self, of: PerLayer) -> PerLayer:
        Q = self.q()
        return {l: np.kron(Q[l], self.mean(G)) for l, G in of.items()}
