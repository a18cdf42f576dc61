"""Networks with shared weights: of float64 with every kind of layer, and linear ones of rationals.

Channels and positions of all activations are pairwise different where the layers allow it, and no number of positions
is a multiple of the number of taps.
"""

from typing import NamedTuple

import kfgn_reference.shared_weights as shared
import numpy as np
from flint import fmpq


class Problem(NamedTuple):
    """A network, a batch X (N, C_0, T_0) and its labels, for `shared.f(*problem)`."""

    net: shared.Network
    X: np.ndarray
    Y: np.ndarray


class Numbers:
    """Random weights and inputs, of float64 or of rationals with the denominator 7.

    The rationals are those of FLINT, which are nine times as fast as Fractions, or have another type.
    """

    def __init__(self, seed, exact=False, rational=fmpq):
        self.rng, self.exact, self.rational = np.random.default_rng(seed), exact, rational

    def __call__(self, *shape):
        if self.exact:
            return np.frompyfunc(lambda k: self.rational(int(k), 7), 1, 1)(self.rng.integers(-9, 10, size=shape))
        return self.rng.normal(size=shape) * 1.5 / np.sqrt(shape[-1])

    def dense(self, outputs, inputs, bias=True):
        return shared.Dense(self(outputs, inputs + bias), bias)

    def convolution(self, outputs, inputs, width, groups=1, bias=True, **options):
        weight = self(outputs, inputs // groups * np.prod(width) + bias)
        return shared.Convolution(weight, width, groups=groups, bias=bias, **options)


f = shared.Elementwise
LABELS = {
    "squared_error": lambda rng, N, positions, D: rng.normal(size=(N, *positions, D)),
    "bernoulli": lambda rng, N, positions, D: rng.uniform(size=(N, *positions, D)),
    "categorical": lambda rng, N, positions, D: rng.integers(D, size=(N, *positions)),
}


def problem(numbers, layers, objective, inputs, N=3, divisor=1):
    """A problem with inputs (C_0, *positions), or tokens (*positions), and with labels of the right shape."""
    net = shared.Network(tuple(layers), objective, divisor)
    first = layers[0]
    tokens = isinstance(first, shared.Embedding)
    X = numbers.rng.integers(first.weight.shape[1], size=(N, *inputs)) if tokens else numbers(N, *inputs)
    D, *positions = shared.forward(net, X[0])[net.L].shape
    Y = numbers(N, *positions, D) if numbers.exact else LABELS[objective](numbers.rng, N, positions, D)
    return Problem(net, X, Y)


def strided():
    """A convolution with stride and zeros before another convolution: (2, 11), (3, 6), (5, 4), (20, 1), (4, 1)."""
    n = Numbers(1)
    first = n.convolution(3, 2, width=4, stride=2, padding=(1, 2))
    layers = first, f("tanh"), n.convolution(5, 3, width=3), f("softplus"), shared.Flatten(), n.dense(4, 20)
    return problem(n, layers, "categorical", (2, 11))


def grouped():
    """A dilated depthwise convolution with circular padding, a grouped one with zeros and no bias, and mean pooling."""
    n = Numbers(2)
    depthwise = n.convolution(4, 4, width=3, groups=4, dilation=2, padding=(3, 1), circular=True)
    halves = n.convolution(6, 4, width=2, groups=2, stride=2, padding=(1, 0), bias=False)
    pooling = shared.Pooling(width=3, stride=1, kind="mean")
    layers = depthwise, f("tanh"), halves, f("logistic"), pooling, shared.Flatten(), n.dense(3, 12)
    return problem(n, layers, "bernoulli", (4, 7))


def tokens():
    """Dense layers over tokens with a causal convolution between them, and a loss per token, averaged over tokens."""
    n = Numbers(3)
    layers = n.dense(4, 3), f("tanh"), n.convolution(2, 4, width=2, padding=(1, 0)), f("silu"), n.dense(6, 2)
    return problem(n, layers, "categorical", (3, 5), divisor=5)


def pooled():
    """A convolution with strides and a dilation, sums of windows, and a dense layer without bias over the windows."""
    n = Numbers(4)
    layers = (
        n.convolution(3, 2, width=3, stride=2, dilation=2, padding=(0, 1)),
        f("softplus"),
        shared.Pooling(width=3, stride=2, kind="sum"),
        n.dense(5, 3, bias=False),
    )
    return problem(n, layers, "squared_error", (2, 14), N=2)


def image():
    """Convolutions of images, different along both axes: (2, 7, 5), (3, 3, 6), (5, 2, 2), (20, 1), (4, 1)."""
    n = Numbers(5)
    first = n.convolution(3, 2, width=(3, 2), stride=(2, 1), padding=((1, 0), (0, 2)))
    second = n.convolution(5, 3, width=(2, 3), dilation=(1, 2))
    layers = first, f("tanh"), second, f("softplus"), shared.Flatten(), n.dense(4, 20)
    return problem(n, layers, "categorical", (2, 7, 5))


def pixels():
    """Depthwise, grouped and circular convolutions of images, mean pooling, and a loss per pixel: (2, 3) of them."""
    n = Numbers(6)
    depthwise = n.convolution(
        4, 4, width=(3, 2), groups=4, dilation=(1, 2), padding=((1, 1), (2, 1)), circular=True, bias=False
    )
    layers = (
        *(depthwise, f("tanh"), n.convolution(6, 4, width=(2, 3), groups=2), f("silu")),
        shared.Pooling(width=(2, 3), stride=(2, 1), kind="mean"),
        n.dense(5, 6),
    )
    return problem(n, layers, "bernoulli", (4, 5, 6), N=2, divisor=6)


def sentence():
    """An embedding, normalisations, a scale with and without a shift, and a loss per token: 8 tokens, T = 5."""
    n = Numbers(7)
    layers = (
        shared.Embedding(n(4, 8)),
        shared.Normalisation(0.25),
        shared.ScaleShift(n(4, 2)),
        *(n.dense(3, 4), f("tanh"), shared.Normalisation(0.125), shared.ScaleShift(n(3, 1), bias=False), n.dense(6, 3)),
    )
    return problem(n, layers, "categorical", (5,), N=4, divisor=5)


FLOATS = {"strided": strided, "grouped": grouped, "tokens": tokens, "pooled": pooled}
"""Networks with dense layers, 1-d convolutions, pooling, flattening and transfer functions."""

NETWORKS = FLOATS | {"image": image, "pixels": pixels, "sentence": sentence}
"""The same, with networks of images, and of tokens with an embedding and layer normalisation."""
