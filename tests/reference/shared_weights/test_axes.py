"""Two axes of positions: convolutions, pooling and labels of images by their definition."""

import itertools

import kfgn_reference as ref
import kfgn_reference.shared_weights as shared
import numpy as np
import pytest
from flint import fmpq

from .problems import Numbers, problem


def by_definition(layer, a):
    """The convolution as its sum over both taps and over channels, for the kernel (C', C / groups, height, width)."""
    C, *positions = a.shape
    outputs, (height, width) = len(layer.weight), layer.width
    reads = C // layer.groups
    kernel = layer.weight[:, : height * width * reads].reshape(outputs, height, width, reads).transpose(0, 3, 1, 2)
    strides, dilations = (np.broadcast_to(x, 2) for x in (layer.stride, layer.dilation))
    padding = np.broadcast_to(layer.padding, (2, 2))

    def read(channel, row, column):
        place = [row - padding[0, 0], column - padding[1, 0]]
        if layer.circular:
            place = [p % T for p, T in zip(place, positions, strict=True)]
        inside = all(0 <= p < T for p, T in zip(place, positions, strict=True))
        return a[channel, *place] if inside else fmpq(0)

    sides = [
        range((T + sum(padding[i]) - dilations[i] * (layer.width[i] - 1) - 1) // strides[i] + 1)
        for i, T in enumerate(positions)
    ]
    h = np.zeros((outputs, *map(len, sides)), dtype=object)
    for o, i, j in itertools.product(range(outputs), *sides):
        first = o // (outputs // layer.groups) * reads
        h[o, i, j] = layer.weight[o, -1] if layer.bias else fmpq(0)
        for c, k, m in itertools.product(range(reads), range(height), range(width)):
            row, column = i * strides[0] + k * dilations[0], j * strides[1] + m * dilations[1]
            h[o, i, j] += kernel[o, c, k, m] * read(first + c, row, column)
    return h


CONVOLUTIONS = {
    "plain": {},
    "stride": {"stride": (3, 2)},
    "zeros": {"padding": ((2, 0), (1, 3))},
    "circular": {"padding": ((0, 2), (3, 1)), "circular": True},
    "dilation": {"dilation": (1, 3), "padding": ((1, 0), (0, 1))},
    "one number": {"stride": 2, "dilation": 2},
    "groups": {"groups": 2, "stride": (2, 1), "padding": ((0, 3), (1, 0))},
    "depthwise": {"groups": 4, "dilation": (2, 1), "padding": ((3, 3), (0, 2)), "circular": True, "bias": False},
}


@pytest.mark.parametrize("options", CONVOLUTIONS.values(), ids=CONVOLUTIONS)
def test_convolution(options):
    """The patches and the matrix M give the same rationals as the definition."""
    n = Numbers(61, exact=True)
    layer, a = n.convolution(8, 4, width=(3, 2), **options), n(4, 5, 6)
    h = by_definition(layer, a)
    assert np.array_equal(layer.forward(a), h)
    assert layer.output_shape(*a.shape) == h.shape
    bias = layer.weight[:, -1:] if layer.bias else 0
    by_matrix = (shared.layer_matrix(layer, a) @ a.reshape(4, -1).T.reshape(-1)).reshape(-1, 8).T
    assert np.array_equal(by_matrix + bias, h.reshape(8, -1))


def test_a_patch_has_its_taps_in_row_major_order():
    n = Numbers(62, exact=True)
    layer, a = n.convolution(1, 2, width=(2, 3)), n(2, 4, 5)
    (patches,) = layer.patches(a)
    expected = [a[c, 1 + k, 2 + m] for k in range(2) for m in range(3) for c in range(2)]
    assert patches.shape == (13, 9)
    assert np.array_equal(patches[:, 5], [*expected, 1])  # position (1, 2) of (3, 3)


def test_pooling():
    n = Numbers(63, exact=True)
    a = n(2, 6, 5)
    mean, total = (shared.Pooling(width=(3, 2), stride=(2, 1), kind=kind) for kind in ("mean", "sum"))
    expected = [[[np.sum(c[i : i + 3, j : j + 2]) for j in range(4)] for i in (0, 2)] for c in a]
    assert np.array_equal(total.forward(a), expected)
    assert np.array_equal(6 * mean.forward(a), total.forward(a))
    assert np.array_equal(
        shared.layer_matrix(total, a) @ ref.vec(a.reshape(2, -1)), ref.vec(np.reshape(expected, (2, 8)))
    )


def test_flatten_has_the_channels_of_a_pixel_next_to_each_other():
    a = np.arange(12).reshape(2, 2, 3)
    assert shared.Flatten().forward(a)[:, 0].tolist() == [0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11]


def test_labels_are_drawn_for_each_pixel():
    """In the order of the positions, for class indices and for real labels."""
    n = Numbers(67)
    net, X, _ = problem(n, (n.dense(3, 2),), "categorical", (2, 4, 5))
    uniforms = n.rng.uniform(size=(3, 7, 4, 5))
    rows = shared.draw_labels(net, X.reshape(3, 2, 20), uniforms.reshape(3, 7, 20))
    labels = shared.draw_labels(net, X, uniforms)
    assert np.array_equal(np.reshape(labels, (3, 7, 20)), rows)
    normal = net._replace(objective="squared_error")
    z = n.rng.normal(size=(3, 7, 4, 5, 3))
    drawn = np.array(shared.draw_labels(normal, X, z))
    assert np.array_equal(drawn, z + np.stack([shared.forward(net, x)[1] for x in X]).transpose(0, 2, 3, 1)[:, None])
    sampled = shared.sampled_pairs(normal, X, drawn)[1, 1]
    by_rows = shared.sampled_pairs(normal, X.reshape(3, 2, 20), drawn.reshape(3, 7, 20, 3))[1, 1]
    assert all(map(np.array_equal, (one.C for one in sampled), (one.C for one in by_rows)))


def test_one_axis_accepts_a_pair_in_a_tuple():
    """The width (3,) is the width 3, also with padding ((1, 2),)."""
    n = Numbers(69, exact=True)
    layer, a = n.convolution(3, 2, width=3, stride=2, padding=(1, 2)), n(2, 6)
    same = layer._replace(width=(3,), stride=(2,), padding=((1, 2),))
    assert np.array_equal(layer.forward(a), same.forward(a))


def test_the_order_of_the_columns_of_pytorch(relative_error):
    """`unfold` of PyTorch has the channels before the taps. Q is the same in the other order, and so is the block."""
    torch = pytest.importorskip("torch")
    n = Numbers(70)
    layer = n.convolution(3, 2, width=(2, 3), stride=(2, 1), padding=((1, 1), (2, 2)), bias=False)
    net, X, Y = problem(n, (layer,), "squared_error", (2, 5, 4))
    columns = torch.nn.functional.unfold(torch.tensor(X), (2, 3), padding=(1, 2), stride=(2, 1)).numpy()
    of_torch = np.mean([a @ a.T / a.shape[1] for a in columns], axis=0)
    order = np.arange(12).reshape(2, 3, 2).transpose(2, 0, 1).reshape(-1)  # the place in W of each column of PyTorch
    assert relative_error(shared.expand(shared.pairs(net, X, Y)[1, 1]).Q[np.ix_(order, order)], of_torch) < 1e-12
