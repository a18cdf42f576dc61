"""The number of windows of a pooling and of a convolution for every stride, and strides that leave out positions."""

import itertools

import kfgn_reference.shared_weights as shared
import numpy as np
import pytest

import kfgn
from kfgn._linearisation.passes import forward

from .problems import Conv, Dense, Pool, close, in_order, only_numpy, problem, reference

LAYERS = {"pooling": lambda w, s: Pool(w, s, "sum"), "convolution": lambda w, s: Conv(2, w, stride=s)}
AXES = [(T, width, stride) for T in range(1, 15) for width in range(1, T + 1) for stride in range(1, 18)]


def outputs(layer, *lengths):
    return kfgn.Network((1, *lengths), (layer, Dense(2)), "squared_error").shapes[1][1:]


@pytest.mark.parametrize("layer", LAYERS)
def test_number_of_windows(layer):
    for T, width, stride in AXES:
        assert outputs(LAYERS[layer](width, stride), T) == ((T - width) // stride + 1,)


@pytest.mark.parametrize("layer", LAYERS)
def test_number_of_windows_of_planes(layer):
    for (H, *first), (W, *second) in itertools.pairwise(AXES[::7]):
        sizes = tuple((T - width) // stride + 1 for T, width, stride in ((H, *first), (W, *second)))
        assert outputs(LAYERS[layer](*zip(first, second, strict=True)), H, W) == sizes


APART = {
    "one pooling window": ((1, 5), Pool(2, 4, "mean")),
    "two pooling windows": ((2, 7), Pool(2, 4, "mean")),
    "one pooling window, long stride": ((2, 6), Pool(2, 17, "sum")),
    "planes of pooling windows": ((2, 5, 8), Pool((2, 3), (4, 5), "sum")),
    "one patch": ((1, 5), Conv(2, 2, "tanh", stride=4)),
    "two patches": ((2, 7), Conv(2, 2, "tanh", stride=4)),
    "patches of planes": ((2, 5, 8), Conv(2, (2, 3), "tanh", stride=(4, 5))),
}


@pytest.mark.parametrize("name", APART)
@pytest.mark.parametrize("above", [True, False])
@only_numpy
def test_strides_greater_than_the_width(backend, name, above):
    """The outputs, the loss, the gradient and KFLR. A dense layer is before or after the layer with the stride."""
    inputs, layer = APART[name]
    layers = (Dense(3, "tanh"), layer, Dense(2)) if above else (layer, Dense(3, "tanh"), Dense(2))
    p = problem(kfgn.Network(inputs, layers, "squared_error"))
    net = reference(p)
    rows = [shared.forward(net, x)[net.L].reshape(2, -1).T for x in p.X]
    close(backend, [forward(np, *p[:3]).outputs], [np.concatenate(rows)])
    close(backend, [kfgn.loss(*p[:4])], [shared.loss(net, p.X, p.of_reference.Y)])
    close(backend, kfgn.gradient(*p[:4]), in_order(net, shared.gradient(net, p.X, p.of_reference.Y)))
    pairs = shared.pairs(net, p.X, p.of_reference.Y)
    close(backend, kfgn.kflr(*p[:4]).G, [shared.expand(pairs[key]).G for key in sorted(pairs)])
