"""The layers with shared weights as batched formulas: patches, and both passes through each layer.

An activation of the batch is an array (N, C, T), where the positions of an image have row-major order. A patch array
(N, groups, T, I) has the inputs of the weights of each group at each position. A tap is a position of a kernel or of a
pooling window. If a shape has a prime, C and T belong to the inputs of a layer, and C' and T' belong to its outputs. If
the problem has a mask, the arrays have all positions, and the formulas put zeros at masked positions. A mistake
overrides one or more of the methods.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ....problems.layers import (
    Convolution,
    Flatten,
    Layer,
    Normalisation,
    Pooling,
    ScaleShift,
    Weighted,
    has_tokens,
    positions_of,
)
from ....problems.masked import has_all_positions
from ....problems.problem import CLASSIFIERS, Array, Problem
from .masking import Masking, masks_of
from .normalising import Normalising


def over_positions(problem: Problem) -> Problem:
    """The problem with one axis of positions in its batch: X (N, C, T), and Y and labels at T_L positions.

    Tokens are replaced by one-hot vectors. `Problem.shapes` still has all axes of an image.
    """
    N, S, T = problem.N, problem.labels.shape[1], positions_of(problem.shapes[-1])
    outputs = () if problem.objective in CLASSIFIERS else (problem.widths[-1],)
    X, V = problem.X, problem.widths[0]
    if has_tokens(problem.layers):
        X = (X.reshape(N, 1, -1) == np.arange(V)[:, None]).astype(np.float64)
    return replace(
        problem,
        X=X.reshape(N, V, -1),
        Y=problem.Y.reshape(N, T, *outputs),
        labels=problem.labels.reshape(N, S, T, *outputs),
    )


class Layers(Masking, Normalising):
    """Formulas of single layers. The argument l of a method is the number of a layer, or 0 for the network's inputs."""

    def __init__(self, problem: Problem) -> None:
        if not problem.is_shared:
            raise ValueError(f"problem {problem.id}: expected a network with shared weights")
        self.problem, self.N, self.L = over_positions(problem), problem.N, len(problem.layers)
        self.weighted = [l for l in range(1, self.L + 1) if isinstance(self.layer(l), Weighted)]
        self.W = dict(zip(self.weighted, problem.weights, strict=True))
        self.masks = masks_of(problem)

    @property
    def a(self) -> dict[int, Array]:
        """The activations a_l (N, C_l, T_l), as a dictionary with the keys l = 0, ..., L."""
        raise NotImplementedError

    def layer(self, l: int) -> Layer:
        """The record of layer l."""
        return self.problem.layers[l - 1]

    def of_weights(self, l: int) -> Convolution:
        """The record of the convolution that is equal to a layer with weights.

        A dense layer is a convolution with one tap, and an embedding is a dense layer of one-hot vectors. A
        scale-and-shift layer is a convolution with one tap and a group for each channel.
        """
        layer, channels = self.layer(l), self.problem.widths[l]
        assert isinstance(layer, Weighted)
        if isinstance(layer, Convolution):
            return layer
        groups = channels if isinstance(layer, ScaleShift) else 1
        return Convolution(channels, (1,) * len(self.along_axes(l)), layer.transfer, layer.bias, groups=groups)

    def along_axes(self, l: int) -> tuple[int, ...]:
        """The numbers of positions of a_l along each axis."""
        return self.problem.shapes[l][1:]

    def kernel(self, l: int) -> Array:
        """W_l without the bias, (groups, O, taps, C), where a group has O outputs and C input channels."""
        layer, W = self.of_weights(l), self.W[l]
        return (W[:, :-1] if layer.bias else W).reshape(layer.groups, W.shape[0] // layer.groups, layer.taps, -1)

    def padded(self, l: int, layer: Convolution, a: Array) -> Array:
        """Add the padding to activations: zeros, or the positions at the other end if the padding is circular.

        The result has the axes of the positions, (N, C, *positions).
        """
        image = a.reshape(*a.shape[:2], *self.along_axes(l - 1))
        if not any(side for window in layer.windows for side in window.padding):
            return image
        widths = ((0, 0), (0, 0), *(window.padding for window in layer.windows))
        return np.pad(image, widths, mode="wrap") if layer.circular else np.pad(image, widths)

    def sources(self, l: int, layer: Convolution | Pooling) -> list[Array]:
        """For each axis, the padded position that each tap reads at each output position, (T, taps)."""
        pairs = zip(layer.windows, self.along_axes(l), strict=True)
        return [w.stride * np.arange(T)[:, None] + w.dilation * np.arange(w.width) for w, T in pairs]

    def read(self, padded: Array, sources: Sequence[Array]) -> Array:
        """The inputs of every tap at every output position, (N, C, T, taps), read from `padded` (N, C, *positions)."""
        for axis, source in enumerate(sources):
            beyond = int(source.max()) + 1 - padded.shape[2 + 2 * axis]
            if beyond > 0:  # a mistake may read beyond the end, and then reads zeros
                padded = np.pad(padded, [(0, beyond if i == 2 + 2 * axis else 0) for i in range(padded.ndim)])
            padded = np.take(padded, source, axis=2 + 2 * axis)
        outputs, taps = range(2, padded.ndim, 2), range(3, padded.ndim, 2)
        size = int(np.prod([len(source) for source in sources]))
        return padded.transpose(0, 1, *outputs, *taps).reshape(*padded.shape[:2], size, -1)

    def windows(self, l: int, layer: Convolution, a: Array) -> Array:
        """The inputs of every tap at every output position, (N, groups, T, taps, C), where a group has C channels."""
        read = self.read(self.padded(l, layer, self.visible(l - 1, a)), self.sources(l, layer))
        return self.in_groups(read, layer.groups).transpose(0, 1, 3, 4, 2)

    def in_groups(self, x: Array, groups: int) -> Array:
        """Split the channels (N, C, ...) into consecutive groups: (N, groups, C / groups, ...)."""
        return x.reshape(len(x), groups, x.shape[1] // groups, *x.shape[2:])

    def patches(self, l: int, layer: Convolution, a: Array) -> Array:
        """The inputs of the weights, tap by tap, without the 1 for the bias: (N, groups, T, I)."""
        windows = self.windows(l, layer, a)
        return windows.reshape(*windows.shape[:3], -1)

    def with_unit(self, layer: Convolution, patches: Array) -> Array:
        """Append the 1 that multiplies the bias, if the layer has a bias."""
        return np.concatenate([patches, np.ones((*patches.shape[:3], 1))], axis=3) if layer.bias else patches

    def forward_of(self, l: int, a: Array) -> Array:
        """The result of layer l before its transfer function, (N, C', T')."""
        layer = self.layer(l)
        if isinstance(layer, Pooling):
            return self.pooled(l, layer, a)
        if isinstance(layer, Flatten):
            return self.flattened(l, a)
        if isinstance(layer, Normalisation):
            return self.statistics(a, layer.epsilon).z
        of = self.of_weights(l)
        inputs = self.with_unit(of, self.patches(l, of, a))
        weights = self.W[l].reshape(of.groups, -1, inputs.shape[3])
        h = np.einsum("ngti,goi->ngot", inputs, weights)
        return h.reshape(self.N, -1, h.shape[3])

    def window_sizes(self, l: int, layer: Pooling) -> Array:
        """The number of counted positions in a window for each datapoint, (N,).

        The window of a counted output has masked positions only if it is a window over all positions.
        """
        whole = has_all_positions(layer, self.problem.shapes[l - 1])
        return self.counts(l - 1) if whole else np.full(self.N, layer.taps)

    def share(self, l: int, layer: Pooling) -> Array:
        """The weight of each position in a window, (N,): 1 / the size of the window for a mean, and 1 for a sum."""
        return 1 / self.window_sizes(l, layer) if layer.kind == "mean" else np.ones(self.N)

    def share_back(self, l: int, layer: Pooling) -> Array:
        """The weight of each position in a window, in the backward pass."""
        return self.share(l, layer)

    def pooled(self, l: int, layer: Pooling, a: Array) -> Array:
        """The means or the sums over windows."""
        image = self.pooled_values(l - 1, a).reshape(*a.shape[:2], *self.along_axes(l - 1))
        sums = np.sum(self.read(image, self.sources(l, layer)), axis=3)
        return np.asarray(self.share(l, layer)[:, None, None] * sums)

    def flattened(self, l: int, a: Array) -> Array:
        """All entries of a_{l-1} as the channels of a single position, (N, C T, 1).

        The C channels of each position of a_{l-1} are next to each other.
        """
        assert a.shape[2] == self.positions(l - 1)
        return a.transpose(0, 2, 1).reshape(len(a), -1, 1)

    def back_through(self, l: int, d: Array) -> Array:
        """Multiply columns by the transposed Jacobian of layer l: (N, K, C', T') becomes (N, K, C, T).

        The Jacobian is that of the layer without its transfer function.
        """
        layer = self.layer(l)
        if isinstance(layer, Flatten):
            return self.unflattened(l, d)
        if isinstance(layer, Pooling):
            shares = self.share_back(l, layer)[: len(d), None, None, None]  # d may be one array for all datapoints
            carried = np.repeat((shares * d)[..., None], layer.taps, axis=4)
            whole = self.scattered(carried, self.sources(l, layer), self.along_axes(l - 1))
            return self.pooled_values(l - 1, whole.reshape(*d.shape[:3], -1))
        if isinstance(layer, Normalisation):
            return self.only_counted(l - 1, self.normalised_back(self.a[l - 1], layer.epsilon, d))
        return self.back_through_weights(l, d)

    def unflattened(self, l: int, d: Array) -> Array:
        """The columns of a flattened activation as (N, K, C, T)."""
        return d.reshape(*d.shape[:2], -1, self.problem.widths[l - 1]).transpose(0, 1, 3, 2)

    def taps_back(self, l: int) -> Array:
        """W_l without the bias, (groups, O, taps, C), in the backward pass."""
        return self.kernel(l)

    def back_through_weights(self, l: int, d: Array) -> Array:
        """Multiply columns by the transposed Jacobian of a layer l with weights, without its transfer function."""
        layer, C = self.of_weights(l), self.problem.widths[l - 1]
        by_group = d.reshape(*d.shape[:2], layer.groups, -1, d.shape[3])
        carried = np.einsum("nkgot,gouc->nkgctu", by_group, self.taps_back(l))
        carried = carried.reshape(*d.shape[:2], C, *carried.shape[4:])
        pairs = zip(self.along_axes(l - 1), layer.windows, strict=True)
        sizes = [T + sum(window.padding) for T, window in pairs]
        padded = self.scattered(carried, self.sources_back(l, layer), sizes)
        return self.visible(l - 1, self.unpadded(l, layer, padded).reshape(*d.shape[:2], C, -1))

    def scattered(self, carried: Array, sources: Sequence[Array], sizes: Sequence[int]) -> Array:
        """At every input, add up the derivatives of all taps that read this input: (N, K, C, *sizes).

        carried: the derivatives with respect to the input of each tap at each output position, (N, K, C, T', taps)
        """
        whole = np.zeros((*carried.shape[:3], *sizes))
        outputs = np.indices([len(source) for source in sources]).reshape(len(sources), -1)
        taps = np.indices([source.shape[1] for source in sources]).reshape(len(sources), -1)
        for tap, k in enumerate(taps.T):
            places = tuple(source[t, i] for source, t, i in zip(sources, outputs, k, strict=True))
            whole[(..., *places)] += carried[..., tap]  # two outputs never read the same input through the same tap
        return whole

    def sources_back(self, l: int, layer: Convolution) -> list[Array]:
        """For each axis, the padded position of each tap at each output position, in the backward pass."""
        return self.sources(l, layer)

    def unpadded(self, l: int, layer: Convolution, padded: Array) -> Array:
        """Remove the padding. Derivatives of circular padding are added to the positions that the padding repeats."""
        for axis, (T, window) in enumerate(zip(self.along_axes(l - 1), layer.windows, strict=True), 3):
            x, left = np.moveaxis(padded, axis, -1), window.padding[0]
            inside = x[..., left : left + T].copy()
            if layer.circular:
                for i in [*range(left), *range(left + T, x.shape[-1])]:
                    inside[..., (i - left) % T] += x[..., i]
            padded = np.moveaxis(inside, -1, axis)
        return padded
