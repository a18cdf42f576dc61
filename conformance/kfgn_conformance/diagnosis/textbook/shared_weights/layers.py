"""The layers with shared weights as batched formulas: patches, and both passes through each layer.

An activation of N datapoints with C channels at T positions is an array (N, C, T). A patch array (N, groups, T, I) has
the I inputs of the weights of each group at each position. A mistake is planted in one of the methods.
"""

import numpy as np

from ....problems.layers import Convolution, Dense, Flatten, Pooling, Weighted
from ....problems.problem import Array, Problem


class Layers:
    """Formulas of single layers. The argument l of a method is the number of a layer, 1, ..., L, of any kind."""

    def __init__(self, problem: Problem) -> None:
        if not problem.is_shared:
            raise ValueError(f"problem {problem.id}: expected a network with shared weights")
        self.problem, self.N, self.L = problem, problem.N, len(problem.layers)
        self.weighted = [l for l in range(1, self.L + 1) if isinstance(self.layer(l), Weighted)]
        self.W = dict(zip(self.weighted, problem.weights, strict=True))

    def layer(self, l: int) -> Dense | Convolution | Pooling | Flatten:
        """The record of layer l."""
        return self.problem.layers[l - 1]

    def of_weights(self, l: int) -> Convolution:
        """The record of a layer with weights as a convolution. A dense layer is a convolution with one tap."""
        layer = self.layer(l)
        assert isinstance(layer, Weighted)
        return layer if isinstance(layer, Convolution) else Convolution(layer.units, 1, layer.transfer, layer.bias)

    def positions(self, l: int) -> int:
        """The number of positions of the outputs of layer l."""
        return self.problem.shapes[l][1]

    def kernel(self, l: int) -> Array:
        """W_l without the bias as (groups, O, taps, C), for the outputs and the channels of a group."""
        layer, W = self.of_weights(l), self.W[l]
        return (W[:, :-1] if layer.bias else W).reshape(layer.groups, W.shape[0] // layer.groups, layer.width, -1)

    def padded(self, layer: Convolution, a: Array) -> Array:
        """Add the padding to activations: zeros, or the positions at the other end if the padding is circular."""
        if layer.padding == (0, 0):
            return a
        widths = ((0, 0), (0, 0), layer.padding)
        return np.pad(a, widths, mode="wrap") if layer.circular else np.pad(a, widths)

    def sources(self, layer: Convolution, T: int) -> Array:
        """The padded position that each tap reads at each of T output positions, (T, taps)."""
        return layer.stride * np.arange(T)[:, None] + layer.dilation * np.arange(layer.width)

    def windows(self, layer: Convolution, a: Array, T: int) -> Array:
        """The inputs of every tap at every output position, (N, groups, T, taps, C), with the channels of a group."""
        padded, sources = self.padded(layer, a), self.sources(layer, T)
        beyond = int(sources.max()) + 1 - padded.shape[2]
        if beyond > 0:  # a mistake may read beyond the end
            padded = np.pad(padded, ((0, 0), (0, 0), (0, beyond)))
        by_group = self.in_groups(padded[:, :, sources], layer.groups)
        return by_group.transpose(0, 1, 3, 4, 2)

    def in_groups(self, x: Array, groups: int) -> Array:
        """Split the channels (N, C, ...) into consecutive groups: (N, groups, C / groups, ...)."""
        return x.reshape(len(x), groups, x.shape[1] // groups, *x.shape[2:])

    def patches(self, layer: Convolution, a: Array, T: int) -> Array:
        """The inputs of the weights, tap by tap, without the 1 for the bias: (N, groups, T, I)."""
        windows = self.windows(layer, a, T)
        return windows.reshape(*windows.shape[:3], -1)

    def with_unit(self, layer: Convolution, patches: Array) -> Array:
        """Append the 1 that multiplies the bias, if the layer has a bias."""
        return np.concatenate([patches, np.ones((*patches.shape[:3], 1))], axis=3) if layer.bias else patches

    def forward_of(self, l: int, a: Array) -> Array:
        """The result of layer l before its transfer function, (N, C', T')."""
        layer = self.layer(l)
        if isinstance(layer, Pooling):
            return self.pooled(layer, a)
        if isinstance(layer, Flatten):
            return self.flattened(a)
        of, T = self.of_weights(l), self.positions(l)
        inputs = self.with_unit(of, self.patches(of, a, T))
        weights = self.W[l].reshape(of.groups, -1, inputs.shape[3])
        h = np.einsum("ngti,goi->ngot", inputs, weights)
        return h.reshape(self.N, -1, T)

    def share(self, layer: Pooling) -> float:
        """The factor of each position in a window."""
        return 1 / layer.width if layer.kind == "mean" else 1.0

    def share_back(self, layer: Pooling) -> float:
        """The factor of each position in a window, in the backward pass."""
        return self.share(layer)

    def pooled(self, layer: Pooling, a: Array) -> Array:
        """The means or the sums over windows."""
        T = layer.output_shape(a.shape[1:])[1]
        at = layer.stride * np.arange(T)[:, None] + np.arange(layer.width)
        return self.share(layer) * np.sum(a[:, :, at], axis=3)

    def flattened(self, a: Array) -> Array:
        """The entries of an activation, position by position, as the channels of a single position."""
        return a.transpose(0, 2, 1).reshape(len(a), -1, 1)

    def back_through(self, l: int, d: Array) -> Array:
        """Multiply columns by the transpose of the matrix of layer l: (N, K, C', T') becomes (N, K, C, T)."""
        layer, (C, T) = self.layer(l), self.problem.shapes[l - 1]
        if isinstance(layer, Flatten):
            return self.unflattened(d, C, T)
        if isinstance(layer, Pooling):
            found = np.zeros((*d.shape[:2], C, T))
            for t in range(d.shape[3]):
                window = slice(layer.stride * t, layer.stride * t + layer.width)
                found[:, :, :, window] += self.share_back(layer) * d[:, :, :, t : t + 1]
            return found
        return self.back_through_weights(l, d)

    def unflattened(self, d: Array, C: int, T: int) -> Array:
        """The columns of a flattened activation as (N, K, C, T)."""
        return d.reshape(*d.shape[:2], T, C).transpose(0, 1, 3, 2)

    def taps_back(self, l: int) -> Array:
        """W_l without the bias, (groups, O, taps, C), in the backward pass."""
        return self.kernel(l)

    def back_through_weights(self, l: int, d: Array) -> Array:
        """Multiply columns by the transpose of the matrix of a convolution or of a dense layer."""
        layer, (C, T) = self.of_weights(l), self.problem.shapes[l - 1]
        by_group = d.reshape(*d.shape[:2], layer.groups, -1, d.shape[3])
        carried = np.einsum("nkgot,gouc->nkgctu", by_group, self.taps_back(l))
        carried = carried.reshape(*d.shape[:2], C, *carried.shape[4:])
        left, right = layer.padding
        padded = np.zeros((*d.shape[:2], C, T + left + right))
        for t, row in enumerate(self.sources_back(layer, d.shape[3])):
            for k, source in enumerate(row):
                padded[:, :, :, source] += carried[:, :, :, t, k]
        return self.unpadded(layer, padded, T)

    def sources_back(self, layer: Convolution, T: int) -> Array:
        """The padded position of each tap at each output position, (T, taps), in the backward pass."""
        return layer.stride * np.arange(T)[:, None] + layer.dilation * np.arange(layer.width)

    def unpadded(self, layer: Convolution, padded: Array, T: int) -> Array:
        """Remove the padding. With circular padding, add each removed position to the position that it repeats."""
        left = layer.padding[0]
        inside = padded[..., left : left + T].copy()
        if layer.circular:
            for i in [*range(left), *range(left + T, padded.shape[-1])]:
                inside[..., (i - left) % T] += padded[..., i]
        return inside
