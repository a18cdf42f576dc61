"""Mistakes in the order and the dimensions of Kronecker products."""

from typing import Any

import numpy as np

from ...problems.problem import Array
from ..mistake import mistake
from ..textbook import Textbook


@mistake("https://github.com/f-dangel/curvlinops/issues/182")
class FactorsExchanged(Textbook):
    """The block is G kron Q instead of Q kron G. It is the block for weights that are stacked row by row."""

    def kronecker(self, Q: Array, G: Array) -> Array:
        return np.kron(G, Q)


@mistake()
class RowsStacked(Textbook):
    """A direction is stacked row by row, while the matrix is for directions that are stacked column by column."""

    def vec(self, V: Array) -> Array:
        return V.reshape(-1)

    def unvec(self, v: Array, shape: tuple[int, ...]) -> Array:
        return v.reshape(shape)


@mistake()
class TracesAdded(Textbook):
    """The trace is that of a Kronecker sum, tr(Q) D + tr(G) P."""

    def kronecker_trace(self, Q: Array, G: Array) -> Any:
        return np.trace(Q) * len(G) + np.trace(G) * len(Q)


@mistake()
class DimensionsExchanged(Textbook):
    """In log det, each factor's term is multiplied by the factor's own dimension instead of the other factor's."""

    def logdet_factored(self, Q: Array, G: Array) -> Any:
        Q, G = self.damped_factors(Q, G)
        return len(Q) * np.linalg.slogdet(Q)[1] + len(G) * np.linalg.slogdet(G)[1]


@mistake()
class DimensionsForgotten(Textbook):
    """log det of a Kronecker product is the sum of the log determinants of its factors."""

    def logdet_factored(self, Q: Array, G: Array) -> Any:
        Q, G = self.damped_factors(Q, G)
        return np.linalg.slogdet(Q)[1] + np.linalg.slogdet(G)[1]


@mistake("laplace-torch 0.3, KronLaplace(damping=True)")
class ExactForFactoredDamping(Textbook):
    """The damping is added to the Kronecker product instead of being divided between its factors."""

    def factored_solve(self, Q: Array, G: Array, V: Array, norm: str = "trace") -> Array:
        return self.exact_solve(Q, G, V)

    def logdet_factored(self, Q: Array, G: Array) -> Any:
        return self.logdet_exact(Q, G)


@mistake()
class FactoredForExactDamping(Textbook):
    """The damping is divided between the factors instead of being added to their Kronecker product."""

    def exact_solve(self, Q: Array, G: Array, V: Array) -> Array:
        return self.factored_solve(Q, G, V)

    def logdet_exact(self, Q: Array, G: Array) -> Any:
        return self.logdet_factored(Q, G)


@mistake("https://github.com/aleximmer/Laplace/pull/270")
class CholeskyNotTransposed(Textbook):
    """The second triangular solve uses L again instead of L^T."""

    def solved(self, A: Array, B: Array) -> Array:
        L = np.linalg.cholesky(A)
        return np.linalg.solve(L, np.linalg.solve(L, B))
