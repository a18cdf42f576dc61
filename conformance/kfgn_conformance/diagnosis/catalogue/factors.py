"""Mistakes in Kronecker products, their traces, determinants and damping, and in solves with Cholesky factors."""

from typing import Any

import numpy as np

from ...problems.problem import Array
from ..mistake import mistake
from ..textbook import Textbook


@mistake("https://github.com/f-dangel/curvlinops/issues/182")
class FactorsExchanged(Textbook):
    """The block is G kron Q instead of Q kron G. The product G kron Q is right for stacked rows of W_l."""

    def kronecker(self, Q: Array, G: Array) -> Array:
        return np.kron(G, Q)


@mistake()
class RowsStacked(Textbook):
    """vec(V) consists of the stacked rows of V, although the block is defined for stacked columns."""

    def vec(self, V: Array) -> Array:
        return V.reshape(-1)

    def unvec(self, v: Array, shape: tuple[int, ...]) -> Array:
        return v.reshape(shape)


@mistake()
class TracesAdded(Textbook):
    """The trace is that of a Kronecker sum, tr(Q) D + tr(G) P, instead of tr(Q) tr(G).

    P is the order of Q, and D is the order of G.
    """

    def kronecker_trace(self, Q: Array, G: Array) -> Any:
        return np.trace(Q) * len(G) + np.trace(G) * len(Q)


@mistake()
class DimensionsExchanged(Textbook):
    """log det Q is multiplied by the order of Q instead of G, and log det G by the order of G instead of Q."""

    def logdet_factored(self, Q: Array, G: Array) -> Any:
        Q, G = self.damped_factors(Q, G)
        return len(Q) * np.linalg.slogdet(Q)[1] + len(G) * np.linalg.slogdet(G)[1]


@mistake()
class DimensionsForgotten(Textbook):
    """The log determinant of Q kron G is log det Q + log det G, without multiplication by the orders of the factors."""

    def logdet_factored(self, Q: Array, G: Array) -> Any:
        Q, G = self.damped_factors(Q, G)
        return np.linalg.slogdet(Q)[1] + np.linalg.slogdet(G)[1]


@mistake("laplace-torch 0.3, KronLaplace(damping=True)")
class ExactForFactoredDamping(Textbook):
    """The damping is added to the Kronecker product as in (35), instead of to the factors as in (36)."""

    def factored_solve(self, Q: Array, G: Array, V: Array, norm: str = "trace") -> Array:
        return self.exact_solve(Q, G, V)

    def logdet_factored(self, Q: Array, G: Array) -> Any:
        return self.logdet_exact(Q, G)


@mistake()
class FactoredForExactDamping(Textbook):
    """The damping is added to the factors as in (36), instead of to the Kronecker product as in (35)."""

    def exact_solve(self, Q: Array, G: Array, V: Array) -> Array:
        return self.factored_solve(Q, G, V)

    def logdet_exact(self, Q: Array, G: Array) -> Any:
        return self.logdet_factored(Q, G)


@mistake("https://github.com/aleximmer/Laplace/pull/270")
class CholeskyNotTransposed(Textbook):
    """In a solve with the Cholesky factor L, the second triangular system has L again instead of L^T."""

    def solved(self, A: Array, B: Array) -> Array:
        L = np.linalg.cholesky(A)
        return np.linalg.solve(L, np.linalg.solve(L, B))
