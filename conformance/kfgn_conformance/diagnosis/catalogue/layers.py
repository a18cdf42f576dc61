"""Mistakes that use an array of a wrong layer, or the transpose of a square matrix.

In an implementation, most of these mistakes raise an error unless two layers have the same number of units. A mistake
of this module therefore uses the wrong array where its shape fits, and the right array elsewhere.
"""

import numpy as np

from ...problems.problem import Array
from ...quantities import Arrays
from ..mistake import mistake
from ..textbook import Textbook


def broadcast(wrong: Array, right: Array) -> Array:
    """Return the wrong array if it broadcasts to the shape of the right array, and otherwise the right array."""
    try:
        return np.broadcast_to(wrong, right.shape)
    except ValueError:
        return right


class _OtherSlopes(Textbook):
    """Base class: f' of a hidden layer l is replaced by f' of the hidden layer `taken(l)`."""

    def taken(self, l: int) -> int:
        """The layer whose f' is used for layer l."""
        raise NotImplementedError

    def derivative(self, l: int) -> Array:
        return broadcast(super().derivative(self.taken(l)), super().derivative(l))


@mistake()
class SlopeOfTheLayerAbove(_OtherSlopes):
    """f' of layer l is replaced by f' of layer l + 1, except in the last hidden layer, where f' is right."""

    def taken(self, l: int) -> int:
        return min(l + 1, self.L - 1)


@mistake()
class SlopeOfTheLayerBelow(_OtherSlopes):
    """f' of layer l is replaced by f' of layer l - 1, except in the first layer, where f' is right."""

    def taken(self, l: int) -> int:
        return max(l - 1, 1)


@mistake()
class SlopesReversed(_OtherSlopes):
    """The list of f' of the hidden layers is used in reversed order."""

    def taken(self, l: int) -> int:
        return self.L - l


@mistake()
class SlopeAtTheOutputsAbove(Textbook):
    """f' of layer l is evaluated at h of layer l + 1. In the last hidden layer, f' is evaluated at the outputs."""

    def derivative(self, l: int) -> Array:
        return broadcast(self.transfer(l).first(self.h[l + 1]), super().derivative(l))


@mistake()
class SlopeAtTheInputsBelow(Textbook):
    """f' of layer l is evaluated at h of layer l - 1. In the first layer, f' is evaluated at the inputs x."""

    def derivative(self, l: int) -> Array:
        below = self.problem.X if l == 1 else self.h[l - 1]
        return broadcast(self.transfer(l).first(below), super().derivative(l))


class _OtherWeights(Textbook):
    """Base class: the backward pass uses the weights of layer `taken(l)` instead of layer l, if the shapes agree."""

    def taken(self, l: int) -> int:
        """The layer whose weights are used for layer l, where l is at least 2."""
        raise NotImplementedError

    def kernel(self, l: int) -> Array:
        right, wrong = super().kernel(l), super().kernel(self.taken(l))
        return wrong if wrong.shape == right.shape else right


@mistake()
class WeightsOfTheLayerAbove(_OtherWeights):
    """The backward pass multiplies by W of layer l + 1 instead of layer l, except in the last layer."""

    def taken(self, l: int) -> int:
        return min(l + 1, self.L)


@mistake()
class WeightsOfTheLayerBelow(_OtherWeights):
    """The backward pass multiplies by W of layer l - 1 instead of layer l."""

    def taken(self, l: int) -> int:
        return l - 1


@mistake()
class WeightsReversed(_OtherWeights):
    """The backward pass uses the weights W_2, ..., W_L in this order, and not in the order W_L, ..., W_2."""

    def taken(self, l: int) -> int:
        return self.L + 2 - l


@mistake()
class WeightsFromTheFirst(_OtherWeights):
    """The backward pass uses the weights in the order of the forward pass, and begins with W_1."""

    def taken(self, l: int) -> int:
        return self.L + 1 - l


@mistake()
class WeightsTransposed(Textbook):
    """The backward pass multiplies by the transpose of W where W is square."""

    def kernel(self, l: int) -> Array:
        W = super().kernel(l)
        return W.T if W.shape[0] == W.shape[1] else W


@mistake()
class LayersReversed(Textbook):
    """The arrays of the answer are right, but in reversed order: the array of the last layer comes first."""

    def answer(self, quantity: str) -> Arrays:
        arrays = super().answer(quantity)
        shapes = [array.shape for array in arrays]
        return arrays[::-1] if shapes == shapes[::-1] and quantity != "optimiser_step" else arrays
