"""Mistakes in EKFAC, KFOC, TKFAC and TNT, in the order of Kronecker factors, and in KFRA with shared weights."""

import numpy as np

from ...problems.problem import Array
from ..mistake import mistake
from ..textbook.shared_weights import PerLayer, SharedTextbook


@mistake()
class SharedFactorsExchanged(SharedTextbook):
    """The block of a group is G kron Q instead of Q kron G."""

    def kronecker(self, Q: Array, G: Array) -> Array:
        return super().kronecker(G, Q)


@mistake()
class EkfacPositionsApart(SharedTextbook):
    """In EKFAC's diagonal, the gradients of single positions are squared, and the squares are summed."""

    def squares(self, a: Array, C: Array, U_Q: Array, U_G: Array) -> Array:
        rotated = np.einsum("po,nkpt,nti,ij->nktoj", U_G, C, a, U_Q, optimize=True)
        return np.sum(rotated**2, axis=(1, 2))


@mistake()
class EkfacPositionsAveraged(SharedTextbook):
    """In EKFAC's diagonal, the gradient of the weights is a mean over the positions."""

    def squares(self, a: Array, C: Array, U_Q: Array, U_G: Array) -> Array:
        return super().squares(a, C, U_Q, U_G) / self.positions_of_datapoints(a)[:, None, None] ** 2


@mistake()
class EkfacColumnsTogether(SharedTextbook):
    """In EKFAC's diagonal, the columns of the root are summed before the square, and not after the square."""

    def squares(self, a: Array, C: Array, U_Q: Array, U_G: Array) -> Array:
        return super().squares(a, np.sum(C, axis=1, keepdims=True), U_Q, U_G)


@mistake()
class EkfacBasesTransposed(SharedTextbook):
    """In EKFAC, the transposes of the eigenbases replace the eigenbases in the product with the gradient."""

    def squares(self, a: Array, C: Array, U_Q: Array, U_G: Array) -> Array:
        return super().squares(a, C, U_Q.T, U_G.T)


@mistake()
class EkfacWithoutItsDiagonal(SharedTextbook):
    """EKFAC has the products of the eigenvalues of the factors as its diagonal, so EKFAC equals expand."""

    def ekfac_block(self, a: Array, C: Array) -> Array:
        return self.expand_block(a, C)


@mistake()
class KfocOfExpand(SharedTextbook):
    """KFOC is the block of expand instead of the nearest Kronecker product to the exact block."""

    def kfoc_block(self, a: Array, C: Array) -> Array:
        return self.expand_block(a, C)


@mistake()
class KfocPositionsApart(SharedTextbook):
    """KFOC is the nearest Kronecker product to a block without the terms of two different positions."""

    def group_block(self, a: Array, C: Array) -> Array:
        each = np.einsum("nkot,nti->nktio", C, a)
        g = each.reshape(len(a), -1, a.shape[2] * C.shape[2])
        return self.mean(g.swapaxes(1, 2) @ g)


@mistake()
class KfocAfterOneStep(SharedTextbook):
    """KFOC is computed by a single step of the power iteration from the identity, without convergence."""

    def kfoc_block(self, a: Array, C: Array) -> Array:
        P = self.weight_gradients(a, C)
        G = self.mean(np.einsum("nkoi,nkpi->nop", P, P))
        G = G / np.linalg.norm(G)
        return np.kron(self.mean(np.einsum("nkoi,op,nkpj->nij", P, G, P, optimize=True)), G)


@mistake()
class TkfacOfTheTracesOfTheBatch(SharedTextbook):
    """In TKFAC, the traces of the factors of the batch replace the traces at single datapoints and positions."""

    def tkfac_block(self, a: Array, C: Array) -> Array:
        return np.kron(self.expand_q(a) * self.mean_positions(a), self.expand_g(C))


@mistake()
class TkfacWithoutItsTrace(SharedTextbook):
    """The product of TKFAC is not divided by the trace of its first factor."""

    def tkfac_block(self, a: Array, C: Array) -> Array:
        of_roots = np.sum(C**2, axis=(1, 2))
        return super().tkfac_block(a, C) * np.sum(self.mean(of_roots * np.sum(a**2, axis=2)))


@mistake()
class TntForTkfac(SharedTextbook):
    """TNT is computed instead of TKFAC: the gradients are summed over the positions before the square."""

    def tkfac_block(self, a: Array, C: Array) -> Array:
        return self.tnt_block(a, C)


@mistake()
class TkfacForTnt(SharedTextbook):
    """TKFAC is computed instead of TNT: the gradients of single positions are squared."""

    def tnt_block(self, a: Array, C: Array) -> Array:
        return self.tkfac_block(a, C)


@mistake()
class TntWithoutItsTrace(SharedTextbook):
    """The product of TNT is not divided by the trace of its first factor."""

    def tnt_block(self, a: Array, C: Array) -> Array:
        P = self.weight_gradients(a, C)
        return super().tnt_block(a, C) * np.sum(self.mean(P**2))


@mistake()
class KfraWithoutBorder(SharedTextbook):
    """KFRA over taps counts every tap at every position, although a tap may read a zero of the padding."""

    def share_of_tap(self, l: int) -> Array:
        return np.ones_like(super().share_of_tap(l))


@mistake()
class KfraTapsTogether(SharedTextbook):
    """KFRA over taps sums the kernel over its taps before the product with G."""

    def over_taps(self, l: int, G: Array) -> Array:
        if l not in self.W:
            return super().over_taps(l, G)
        W = np.sum(self.kernel(l), axis=2)
        groups, O, C = W.shape
        blocks = G.reshape(groups, O, groups, O)
        return np.einsum("goc,gohp,hpd->gchd", W, blocks, W).reshape(groups * C, groups * C)


@mistake()
class KfraSlopesAveragedFirst(SharedTextbook):
    """KFRA uses the outer product of the mean f' instead of the mean of the outer products f' f'^T."""

    def slope_moments(self, l: int) -> Array:
        mean = self.mean(np.sum(self.only_counted(l, self.slope(l)), axis=2)) / self.mean_count(l)
        return np.outer(mean, mean)


@mistake()
class KfraSlopesSummed(SharedTextbook):
    """KFRA's recursion has a sum of f' f'^T over the positions instead of a mean."""

    def slope_moments(self, l: int) -> Array:
        return super().slope_moments(l) * self.mean_count(l)


@mistake()
class KfraOutputsAveraged(SharedTextbook):
    """KFRA's recursion begins with the mean of H_L over the positions of the outputs instead of the sum."""

    def output_factor(self) -> Array:
        return super().output_factor() / self.mean_count(self.L)


@mistake()
class KfraSlopesOfPositionsAlone(SharedTextbook):
    """KFRA over positions multiplies all pairs of positions by the same mean of f' f'^T, as KFRA over taps does."""

    def kfra_over_positions(self) -> PerLayer:
        G = {self.L: self.mean(self.over_positions(self.output_columns()))}
        for l in range(self.L - 1, 0, -1):
            T = self.positions(l)
            G[l] = self.pulled_mean(l + 1, G[l + 1]) * np.tile(self.slope_moments(l), (T, T))
        return {l: G[l] for l in self.weighted}
