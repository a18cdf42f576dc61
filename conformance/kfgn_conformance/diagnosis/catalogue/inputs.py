"""The first factor, and the unit that stands for the bias."""

import numpy as np

from ...problems.problem import Array
from ..mistake import mistake
from ..textbook import Textbook
from ..textbook.passes import PerLayer


@mistake()
class BiasForgotten(Textbook):
    """The network is computed without its biases."""

    def with_unit(self, a: Array) -> Array:
        return np.hstack([a, np.zeros((len(a), 1))])


class _OtherInputs(Textbook):
    """The network is right, but Q and the gradient are made from other inputs."""

    def taken(self, l: int) -> Array:
        """What stands for a_{l-1} with its unit."""
        raise NotImplementedError

    def moments(self, l: int) -> Array:
        a = self.taken(l)
        return a[:, :, None] * a[:, None, :]

    def gradient(self) -> PerLayer:
        return {l: self.mean(d[:, :, None] * self.taken(l)[:, None, :]) for l, d in self.gradients().items()}


@mistake("https://github.com/tfjgeorge/nngeometry/commit/7cb2897")
class UnitForgotten(_OtherInputs):
    """The factors and the gradient have nothing for the bias: the unit of their inputs is 0."""

    def taken(self, l: int) -> Array:
        return np.hstack([self.a[l][:, :-1], np.zeros((self.N, 1))])


@mistake()
class BiasFirst(_OtherInputs):
    """The bias is the first column, where it should be the last."""

    def taken(self, l: int) -> Array:
        return np.roll(self.a[l], 1, axis=1)


@mistake()
class InputsCentred(_OtherInputs):
    """The mean over the batch is subtracted from the inputs, as for a covariance."""

    def taken(self, l: int) -> Array:
        return np.hstack([self.a[l][:, :-1] - np.mean(self.a[l][:, :-1], axis=0), self.a[l][:, -1:]])


@mistake()
class InputsBeforeTheTransfer(_OtherInputs):
    """The inputs of a layer are taken before the transfer function: h_{l-1}, where a_{l-1} should be."""

    def taken(self, l: int) -> Array:
        return self.a[1] if l == 1 else np.hstack([self.h[l - 1], self.a[l][:, -1:]])


@mistake()
class InputsAveragedFirst(Textbook):
    """Q is the outer product of the mean input, where it should be the mean of the outer products."""

    def q(self) -> PerLayer:
        means = {l: self.mean(self.a[l]) for l in self.W}
        return {l: np.outer(mean, mean) for l, mean in means.items()}
