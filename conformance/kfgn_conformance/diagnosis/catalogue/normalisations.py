"""Mistakes in normalisations, in the scale and the shift that follow a normalisation, and in embeddings."""

import numpy as np

from ...problems.layers import Convolution, Embedding, Normalisation, ScaleShift
from ...problems.problem import Array
from ..mistake import mistake
from ..textbook.shared_weights import SharedTextbook
from ..textbook.shared_weights.normalising import Statistics
from .patches import OtherInputs


@mistake()
class VarianceOfASample(SharedTextbook):
    """The variance of a normalisation is divided by C - 1 instead of C, as `torch.var` does by default."""

    def divisor_of_variance(self, channels: int) -> int:
        return channels - 1


@mistake()
class EpsilonOutsideTheRoot(SharedTextbook):
    """Epsilon is added to the standard deviation of a normalisation instead of the variance."""

    def deviation(self, variance: Array, epsilon: float) -> tuple[Array, Array]:
        r = np.sqrt(variance)
        return r + epsilon, r

    def normalised_curvature(self, a: Array, epsilon: float, d: Array) -> Array:
        at = self.statistics(a, epsilon)
        z, along = at.z.transpose(0, 2, 1), np.sum(at.z * d, axis=1)[..., None, None]
        k, s = (x[:, 0, :, None, None] for x in (at.k, at.s))
        of_k = along * k * epsilon / (a.shape[1] * (s - epsilon) ** 2 * s)  # since k depends on a
        return super().normalised_curvature(a, epsilon, d) + of_k * z[..., :, None] * z[..., None, :]


@mistake()
class EpsilonForgotten(SharedTextbook):
    """A normalisation does not add epsilon to the variance."""

    def deviation(self, variance: Array, epsilon: float) -> tuple[Array, Array]:
        return super().deviation(variance, 0.0)


@mistake()
class MeanConstantBackward(SharedTextbook):
    """In the backward pass through a normalisation, the mean of the channels is regarded as a constant."""

    def of_mean(self, d: Array) -> Array:
        return np.zeros_like(super().of_mean(d))


@mistake()
class VarianceConstantBackward(SharedTextbook):
    """In the backward pass through a normalisation, the variance of the channels is regarded as a constant."""

    def of_variance(self, at: Statistics, d: Array) -> Array:
        return np.zeros_like(super().of_variance(at, d))


@mistake()
class StatisticsConstantBackward(SharedTextbook):
    """In the backward pass through a normalisation, mean and variance of the channels are regarded as constants."""

    def of_mean(self, d: Array) -> Array:
        return np.zeros_like(super().of_mean(d))

    def of_variance(self, at: Statistics, d: Array) -> Array:
        return np.zeros_like(super().of_variance(at, d))


@mistake()
class NormalisationLinearInTheHessian(SharedTextbook):
    """The recursion (8s) for the Hessian with shared weights lacks the second derivatives of a normalisation."""

    def normalised_curvature(self, a: Array, epsilon: float, d: Array) -> Array:
        return np.zeros_like(super().normalised_curvature(a, epsilon, d))


@mistake()
class ScaleInputsBeforeTheNormalisation(OtherInputs):
    """The gradient and the curvature of a scale are computed from the inputs of the normalisation below it.

    The right inputs of the scale are the outputs of this normalisation.
    """

    def wrong_inputs(self, l: int, layer: Convolution) -> Array:
        inputs = self.unfolded(l, layer)
        if isinstance(self.layer(l), ScaleShift) and l > 1 and isinstance(self.layer(l - 1), Normalisation):
            inputs[..., :1] = self.patches(l, layer, self.a[l - 2])
        return inputs


@mistake()
class ShiftCountedAtEachPosition(OtherInputs):
    """The derivative with respect to the shift of a channel is multiplied by the number of positions."""

    def wrong_inputs(self, l: int, layer: Convolution) -> Array:
        inputs = self.unfolded(l, layer)
        if isinstance(self.layer(l), ScaleShift) and layer.bias:
            inputs[..., -1] = self.counts(l)[:, None, None]
        return inputs


@mistake()
class ScaleApartFromShift(SharedTextbook):
    """The exact block of a scale-and-shift layer, and its approximations, lack the terms between scale and shift."""

    def block(self, l: int, H: Array) -> Array:
        whole = super().block(l, H)
        if not isinstance(self.layer(l), ScaleShift):
            return whole
        part = np.arange(len(whole)) // self.problem.widths[l]
        return np.asarray(whole * (part[:, None] == part))

    def pairs_of(self, l: int, C: Array) -> list[tuple[Array, Array]]:
        if not isinstance(self.layer(l), ScaleShift):
            return super().pairs_of(l, C)
        ((a, columns),) = super().pairs_of(l, C)
        channels = self.problem.widths[l]
        parts = [np.zeros_like(columns) for _ in range(columns.shape[2] // channels)]
        for i, part in enumerate(parts):
            part[:, :, i * channels : (i + 1) * channels] = columns[:, :, i * channels : (i + 1) * channels]
        return [(a, np.concatenate(parts, axis=1))]


@mistake()
class ChannelsApartInTheScale(SharedTextbook):
    """The exact block of a scale-and-shift layer, and its approximations, lack the terms between different channels."""

    def block(self, l: int, H: Array) -> Array:
        whole = super().block(l, H)
        if not isinstance(self.layer(l), ScaleShift):
            return whole
        channel = np.arange(len(whole)) % self.problem.widths[l]
        return np.asarray(whole * (channel[:, None] == channel))

    def pairs_of(self, l: int, C: Array) -> list[tuple[Array, Array]]:
        if not isinstance(self.layer(l), ScaleShift):
            return super().pairs_of(l, C)
        ((a, columns),) = super().pairs_of(l, C)
        channels = self.problem.widths[l]
        channel = np.arange(columns.shape[2]) % channels
        parts = [columns * (channel == c)[:, None] for c in range(channels)]
        return [(a, np.concatenate(parts, axis=1))]


class OtherTokens(OtherInputs):
    """The network is evaluated correctly, but the one-hot inputs of an embedding are wrong."""

    def wrong_inputs(self, l: int, layer: Convolution) -> Array:
        inputs = self.unfolded(l, layer)
        return self.wrong_tokens(inputs) if isinstance(self.layer(l), Embedding) else inputs

    def wrong_tokens(self, inputs: Array) -> Array:
        """The wrong inputs, for one-hot inputs (N, 1, T, V)."""
        raise NotImplementedError


@mistake()
class RepeatedTokensCountedOnce(OtherTokens):
    """Only the first occurrence of a token in a datapoint counts: the gradients of later occurrences are dropped."""

    def wrong_tokens(self, inputs: Array) -> Array:
        return inputs * (np.cumsum(inputs, axis=2) == 1)


@mistake()
class LastOfRepeatedTokens(OtherTokens):
    """The last occurrence of a token in a datapoint overwrites the earlier ones, as an indexed assignment does."""

    def wrong_tokens(self, inputs: Array) -> Array:
        return inputs * (np.cumsum(inputs[:, :, ::-1], axis=2)[:, :, ::-1] == 1)


@mistake()
class FirstTokenAsPadding(OtherTokens):
    """Token 0 is not counted, as with `padding_idx=0` of PyTorch."""

    def wrong_tokens(self, inputs: Array) -> Array:
        wrong = inputs.copy()
        wrong[..., 0] = 0
        return wrong
