"""Mistakes in the first factor Q, and in the 1 that is appended to the inputs of a layer for its bias."""

import numpy as np

from ...problems.problem import Array
from ..mistake import mistake
from ..textbook import Textbook
from ..textbook.passes import PerLayer


@mistake()
class BiasForgotten(Textbook):
    """The appended input that multiplies the bias is 0 instead of 1, in the forward pass and in all derivatives."""

    def with_unit(self, a: Array) -> Array:
        return np.hstack([a, np.zeros((len(a), 1))])


@mistake()
class BiasNotAdded(Textbook):
    """The network is evaluated without its biases, although Q and all derivatives include the appended input 1."""

    def preactivations(self, l: int, a: Array) -> Array:
        return self.without_bias(l, a) @ self.without_bias(l, self.W[l]).T


class _OtherInputs(Textbook):
    """The network is evaluated correctly, but Q, the exact blocks and the gradient are computed from wrong inputs."""

    def wrong_inputs(self, l: int) -> Array:
        """The wrong inputs of layer l, an array of the shape of the right inputs `self.a[l]`."""
        raise NotImplementedError

    def moments(self, l: int) -> Array:
        a = self.wrong_inputs(l)
        return a[:, :, None] * a[:, None, :]

    def gradient(self) -> PerLayer:
        return {l: self.mean(d[:, :, None] * self.wrong_inputs(l)[:, None, :]) for l, d in self.gradients().items()}


@mistake("https://github.com/tfjgeorge/nngeometry/commit/7cb2897")
class UnitForgotten(_OtherInputs):
    """In Q, the exact blocks and the gradient, the appended input that multiplies the bias is 0 instead of 1."""

    def wrong_inputs(self, l: int) -> Array:
        a = self.a[l]
        return np.hstack([a[:, :-1], np.zeros((self.N, 1))]) if self.has_bias(l) else a


@mistake()
class BiasFirst(_OtherInputs):
    """In Q, the exact blocks and the gradient, the 1 for the bias is the first input of a layer instead of the last."""

    def wrong_inputs(self, l: int) -> Array:
        return np.roll(self.a[l], 1, axis=1) if self.has_bias(l) else self.a[l]


@mistake()
class InputsCentred(_OtherInputs):
    """In Q, the exact blocks and the gradient, the batch mean is subtracted from the inputs, as for a covariance."""

    def wrong_inputs(self, l: int) -> Array:
        a = self.without_bias(l, self.a[l])
        return self.inputs(l, a - np.mean(a, axis=0))


@mistake()
class InputsBeforeTheTransfer(_OtherInputs):
    """In Q, the exact blocks and the gradient, the inputs of layer l are h_{l-1} instead of a_{l-1} = f(h_{l-1})."""

    def wrong_inputs(self, l: int) -> Array:
        return self.a[1] if l == 1 else self.inputs(l, self.h[l - 1])


@mistake()
class InputsAveragedFirst(Textbook):
    """Q is the outer product of the mean input of a layer instead of the mean of the outer products."""

    def q(self) -> PerLayer:
        means = {l: self.mean(self.a[l]) for l in self.W}
        return {l: np.outer(mean, mean) for l, mean in means.items()}
