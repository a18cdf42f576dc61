"""Mistakes in the derivatives f' and f'' of the transfer functions."""

import numpy as np

from ...problems.problem import Array
from ..mistake import mistake
from ..textbook import Textbook


@mistake()
class SlopeForgotten(Textbook):
    """The vectors and matrices that are propagated through a layer are not multiplied by f'."""

    def derivative(self, l: int) -> Array:
        return np.ones_like(super().derivative(l))


@mistake()
class SlopeTwice(Textbook):
    """The vectors and matrices that are propagated through a layer are multiplied by f' twice."""

    def derivative(self, l: int) -> Array:
        return super().derivative(l) ** 2


@mistake()
class SlopeOfAnotherLayer(Textbook):
    """f' of a layer is the derivative of a different layer's transfer function."""

    def derivative(self, l: int) -> Array:
        return self.transfer(l % (self.L - 1) + 1).first(self.h[l])


@mistake()
class SlopeAtTheActivation(Textbook):
    """f' is evaluated at f(h) instead of h."""

    def derivative(self, l: int) -> Array:
        return self.transfer(l).first(self.transfer(l).f(self.h[l]))


@mistake("https://github.com/f-dangel/backpack/pull/53")
class SlopeOnOneSide(Textbook):
    """KFRA's recursion multiplies the rows of W^T G W by the means of f', but not the columns."""

    def derivative_moments(self, l: int) -> Array:
        mean = self.mean(self.derivative(l))
        return mean[:, None] * np.ones_like(mean)


@mistake()
class SecondDerivativeForgotten(Textbook):
    """The recursion for the Hessian lacks the term with f'', so it is the recursion for the Gauss-Newton matrix."""

    def second_derivative_term(self, l: int) -> Array:
        return np.zeros_like(super().second_derivative_term(l))


@mistake()
class SecondDerivativeNegated(Textbook):
    """The term with f'' in the recursion for the Hessian has the wrong sign."""

    def second_derivative_term(self, l: int) -> Array:
        return -super().second_derivative_term(l)
