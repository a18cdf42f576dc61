"""Mistakes that libraries make in networks with shared weights.

`docs/peers_shared_weights.md` has the versions of the libraries. T is the number of positions of a layer. With a
mask, only counted positions are positions, and T is the mean of their numbers over the datapoints. If a layer has a
bias, the last element of each input is the 1 that multiplies the bias. This element is called the unit of the bias.
"""

from dataclasses import replace

import numpy as np

from ...problems.layers import Convolution, Dense
from ...problems.problem import Array
from ..mistake import mistake
from ..textbook.shared_weights import SharedTextbook
from .patches import OtherInputs


class ChangedPairs(SharedTextbook):
    """Formulas whose approximations have changed inputs a (N, T, I) and columns C (N, K, O, T) in some layers.

    The K columns are those of the root of H_L, or the gradients at sampled labels, carried back to the O outputs of a
    group at T positions.
    """

    def changed(self, l: int, a: Array, C: Array) -> tuple[Array, Array]:
        """The changed inputs and columns of a group of layer l, where a and C are the right ones."""
        raise NotImplementedError

    def pairs_of(self, l: int, C: Array) -> list[tuple[Array, Array]]:
        """The changed inputs and columns of every group of a layer."""
        return [self.changed(l, *pair) for pair in super().pairs_of(l, C)]

    def is_over_tokens(self, l: int, a: Array) -> bool:
        """True for a dense layer at several positions."""
        return isinstance(self.layer(l), Dense) and a.shape[1] > 1

    def except_unit(self, l: int, a: Array, factor: float) -> Array:
        """The inputs times a factor. The unit of the bias is not multiplied."""
        inputs = a.shape[2] - self.of_weights(l).bias
        return np.concatenate([a[:, :, :inputs] * factor, a[:, :, inputs:]], axis=2)


@mistake(seen="nngeometry c04b984")
class TokensSummedInQ(ChangedPairs):
    """In dense layers alone, both factors of expand are sums over positions, so the blocks are T times too large."""

    def changed(self, l: int, a: Array, C: Array) -> tuple[Array, Array]:
        return a * self.mean_count(l) ** 0.5 if self.is_over_tokens(l, a) else a, C


@mistake(seen="asdfghjkl 0.1a5")
class TokensSummedExceptUnit(ChangedPairs):
    """In dense layers alone, both factors of expand are sums over positions, except for the 1 of the bias in Q."""

    def changed(self, l: int, a: Array, C: Array) -> tuple[Array, Array]:
        return self.except_unit(l, a, self.mean_count(l) ** 0.5) if self.is_over_tokens(l, a) else a, C


@mistake(seen="asdfghjkl 0.1a5")
class TokensAsDatapoints(SharedTextbook):
    """In dense layers alone, exact blocks lack the terms of two different positions, as if tokens were datapoints."""

    def block(self, l: int, H: Array) -> Array:
        if isinstance(self.layer(l), Dense):
            N, T, O, _ = self.inputs_of_outputs(l).shape
            same = np.eye(T, dtype=bool)[:, None, :, None]
            H = np.where(same, H.reshape(N, T, O, T, O), 0.0)
        return super().block(l, H)


@mistake(seen="backpack-for-pytorch 1.7.1")
class InputsExpandedRootsReducedExceptUnit(ChangedPairs):
    """G of expand is that of reduce, and Q is a sum over positions, except for the 1 that multiplies the bias."""

    def changed(self, l: int, a: Array, C: Array) -> tuple[Array, Array]:
        return self.except_unit(l, a, self.mean_count(l) ** 0.5), C

    def expand_g(self, C: Array) -> Array:
        # not self.reduce_g, which calls expand_g if the second mistake of a pair is in reduce_g
        return SharedTextbook.reduce_g(self, C)


@mistake(seen="kfac-jax 0.0.8")
class UnitNotMasked(ChangedPairs):
    """In Q of a dense layer, positions with zero derivatives are left out of the sum and of its divisor.

    The 1 that multiplies the bias is not left out at these positions.
    """

    def changed(self, l: int, a: Array, C: Array) -> tuple[Array, Array]:
        if not (self.is_over_tokens(l, a) and self.of_weights(l).bias):
            return a, C
        N, T, _ = a.shape
        # (N, T), as a mean over the columns; the derivatives at a masked position are 0
        counted = np.any(C != 0, axis=2).mean(axis=1)
        kept = np.sum(counted) / N
        # an additional position, whose derivatives are 0, contains the units of the positions that are left out
        rest = np.zeros_like(a[:, :1])
        rest[:, 0, -1] = np.sqrt(np.sum(1 - counted, axis=1))
        inputs = np.concatenate([a * np.sqrt(counted)[:, :, None], rest], axis=1)
        divisor = T + 1 if self.masks is None else self.mean_count(l)  # by which Q is divided
        return inputs * (divisor / kept) ** 0.5, np.concatenate([C, np.zeros_like(C[..., :1])], axis=3)


@mistake(seen="kfac-jax 0.0.8")
class ProbabilitiesOfOtherPositions(SharedTextbook):
    """For the softmax, a column of the root of H_L has the probabilities of all positions instead of one position."""

    def output_columns(self) -> Array:
        columns = super().output_columns()
        if self.problem.objective != "categorical":
            return columns
        N, T, D = self.outputs.shape
        p = np.exp(self.outputs - self.outputs.max(axis=2, keepdims=True))
        p /= p.sum(axis=2, keepdims=True)
        roots = np.einsum("ntc,td,cs->nctds", np.sqrt(p), np.eye(T), np.eye(D)).transpose(0, 2, 1, 4, 3)
        others = np.einsum("ntc,nsd->ntcds", np.sqrt(p), p)
        wrong = self.only_counted(self.L, self.counted_outputs(roots - others))
        return wrong.reshape(N, T * D, D, T) * np.sqrt(self.scale / self.divisor_of_curvature())


@mistake(seen="kfac_pytorch 0.4.2")
class PositionsDividedByKind(ChangedPairs):
    """Blocks of convolutions are T^5 times too small, and blocks of all other layers are T times too small.

    In convolutions, inputs and derivatives are divided by T, and both factors are means over the T positions. In all
    other layers, both factors are means over the T positions, without a further division.
    """

    def changed(self, l: int, a: Array, C: Array) -> tuple[Array, Array]:
        T = self.mean_count(l)
        if isinstance(self.layer(l), Convolution):
            return a / T, C / T**1.5
        return a, C / T**0.5


@mistake(seen="singd 0.0.5")
class PositionsOfLayerAsTerms(ChangedPairs):
    """The curvature of a layer is multiplied by T / T_L if the loss is a mean over T_L > 1 positions of the outputs.

    T is the number of positions of the layer.
    """

    def changed(self, l: int, a: Array, C: Array) -> tuple[Array, Array]:
        T, T_L = self.mean_count(l), self.mean_count(self.L)
        is_mean = self.problem.divisor == T_L > 1
        return a, C * (T / T_L) ** 0.5 if is_mean else C


def without_padding_mode(layer: Convolution) -> Convolution:
    """The layer with zeros instead of circular padding, if the padding has the same size on both sides of every axis.

    A convolution of PyTorch with a `padding_mode` adds the same padding on both sides. In PyTorch, circular padding
    with two different sizes is a separate module, which every library evaluates correctly.
    """
    symmetric = all(left == right for left, right in (window.padding for window in layer.windows))
    return replace(layer, circular=layer.circular and not symmetric)


@mistake(seen="singd 0.0.5")
class PaddingModeForgotten(OtherInputs):
    """In the patches, zeros replace circular padding of the same size on both sides, as in PyTorch's `padding_mode`."""

    def wrong_inputs(self, l: int, layer: Convolution) -> Array:
        return self.unfolded(l, without_padding_mode(layer))


@mistake(seen="kfac_pytorch 0.4.2")
class DilationAndPaddingModeForgotten(OtherInputs):
    """In the patches, taps are adjacent, and zeros replace circular padding of the same size on both sides."""

    def wrong_inputs(self, l: int, layer: Convolution) -> Array:
        return self.unfolded(l, replace(without_padding_mode(layer), dilation=1))
