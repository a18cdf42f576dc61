"""f' and f'' in the wrong place, too often or not at all."""

import numpy as np

from ...problems.problem import Array
from ..mistake import mistake
from ..textbook import Textbook


@mistake()
class SlopeForgotten(Textbook):
    """What is propagated is not multiplied by f'."""

    def slope(self, l: int) -> Array:
        return np.ones_like(super().slope(l))


@mistake()
class SlopeTwice(Textbook):
    """What is propagated is multiplied by f' twice."""

    def slope(self, l: int) -> Array:
        return super().slope(l) ** 2


@mistake()
class SlopeOfAnotherLayer(Textbook):
    """f' is that of another layer's transfer function."""

    def slope(self, l: int) -> Array:
        return self.transfer(l % (self.L - 1) + 1).first(self.h[l])


@mistake()
class SlopeAtTheActivation(Textbook):
    """f' is taken at f(h), where it should be at h."""

    def slope(self, l: int) -> Array:
        return self.transfer(l).first(self.transfer(l).f(self.h[l]))


@mistake("https://github.com/f-dangel/backpack/pull/53")
class SlopeOnOneSide(Textbook):
    """KFRA's recursion has B_l on one side of W^T G W alone."""

    def slopes_between(self, l: int) -> Array:
        mean = self.mean(self.slope(l))
        return mean[:, None] * np.ones_like(mean)


@mistake()
class SecondDerivativeForgotten(Textbook):
    """The Hessian's recursion has no term with f'': it is the Gauss-Newton matrix's."""

    def curving(self, l: int) -> Array:
        return np.zeros_like(super().curving(l))


@mistake()
class SecondDerivativeNegated(Textbook):
    """The term with f'' has the wrong sign."""

    def curving(self, l: int) -> Array:
        return -super().curving(l)
