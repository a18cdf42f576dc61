"""Two axes of positions: convolutions and pooling of images by their definition, and as sequences in special cases."""

import itertools
import re

import kfgn_reference as ref
import kfgn_reference.shared_weights as shared
import numpy as np
import pytest
from flint import fmpq

from .problems import Numbers, problem
from .problems_of_rationals import mixed, one_position
from .test_layers import assert_equal, everything


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


def on_two_axes(problem, axis):
    """The same network over images with one row, or with one column."""

    def converted(layer):
        if isinstance(layer, shared.Convolution):
            padding = [(0, 0), (0, 0)]
            padding[1 - axis] = layer.padding
            pairs = {name: [1, 1] for name in ("width", "stride", "dilation")}
            for name, pair in pairs.items():
                pair[1 - axis] = getattr(layer, name)
            return layer._replace(padding=tuple(padding), **{name: tuple(pair) for name, pair in pairs.items()})
        if isinstance(layer, shared.Pooling):
            width, stride = ([1, 1] for _ in range(2))
            width[1 - axis], stride[1 - axis] = layer.width, layer.stride
            return layer._replace(width=tuple(width), stride=tuple(stride))
        return layer

    net, X, Y = problem
    layers = tuple(map(converted, net.layers))
    return type(problem)(net._replace(layers=layers), np.expand_dims(X, 2 + axis), np.expand_dims(Y, 1 + axis))


@pytest.mark.parametrize("axis", [0, 1], ids=["one row", "one column"])
def test_a_sequence_is_an_image_with_one_row_or_one_column(axis):
    """Every quantity is the same, between rationals."""
    sequence = mixed()
    image = on_two_axes(sequence, axis)
    assert_equal(everything(sequence), everything(image))
    for kfra in (shared.kfra_over_positions, shared.kfra_over_taps):
        ours, truth = kfra(*image), kfra(*sequence)
        assert all(np.array_equal(ours[l], truth[l]) for l in truth)


def transposed(layer):
    """The convolution of a transposed image with the transposed kernel."""
    (height, width), C = layer.width, layer.weight.shape[1] // np.prod(layer.width)
    kernel = (
        layer.weight[:, : C * height * width]
        .reshape(-1, height, width, C)
        .swapaxes(1, 2)
        .reshape(-1, C * height * width)
    )
    swapped = {name: getattr(layer, name)[::-1] for name in ("width", "stride", "padding", "dilation")}
    return layer._replace(weight=np.concatenate([kernel, layer.weight[:, C * height * width :]], axis=1), **swapped)


def test_transposed_images():
    """The factors of the outputs, and the sums of blocks, do not depend on the order of the axes."""
    n = Numbers(64, exact=True)
    convolution = n.convolution(
        4, 2, width=(3, 2), stride=(1, 2), padding=((1, 0), (0, 1)), dilation=(2, 1), groups=2, bias=True
    )
    layers = convolution, shared.Elementwise("leaky_relu"), n.dense(3, 4)
    net, X, Y = problem(n, layers, "squared_error", (2, 5, 6), N=2)
    upright = shared.pairs(net, X, Y)
    turned = net._replace(layers=(transposed(convolution), *layers[1:])), X.swapaxes(2, 3), Y.swapaxes(1, 2)
    assert shared.loss(*turned) == shared.loss(net, X, Y)
    for key, pairs in shared.pairs(*turned).items():
        for function in (shared.expand, shared.reduce):
            assert np.array_equal(function(pairs).G, function(upright[key]).G)
            assert ref.trace(function(pairs).Q) == ref.trace(function(upright[key]).Q)
        assert ref.trace(shared.exact_block(pairs)) == ref.trace(shared.exact_block(upright[key]))


def test_dense_is_a_convolution_of_one_pixel():
    """A dense layer on one position is a 1 x 1 convolution of a 1 x 1 image."""
    net, X, Y = one_position()
    layers = tuple(
        shared.Convolution(layer.weight, width=(1, 1)) if isinstance(layer, shared.Dense) else layer
        for layer in net.layers
    )
    assert_equal(everything(one_position()), everything(problem_of(net, layers, X[:, :, :, None], Y[:, :, None])))


def problem_of(net, layers, X, Y):
    return type(one_position())(net._replace(layers=layers), X, Y)


def test_dense_is_a_convolution_whose_kernel_is_the_whole_image():
    """Every quantity of a flattened image, with the layers above it, is that of the convolution."""
    n = Numbers(65, exact=True)
    layers = shared.Flatten(), n.dense(3, 12), shared.Elementwise("leaky_relu"), n.dense(2, 3)
    dense = problem(n, layers, "squared_error", (2, 2, 3))
    whole = shared.Convolution(layers[1].weight, width=(2, 3)), *layers[2:]
    convolution = everything(problem_of(dense.net, whole, dense.X, dense.Y[:, None]))
    renamed = {name[:-1] + str(int(name[-1]) + 1) if name != "loss" else name: v for name, v in convolution.items()}
    assert_equal(everything(dense), renamed)


def convolutions_of_images(padding, circular=False):
    """Two linear convolutions of images, and a sum over all positions."""
    n = Numbers(66, exact=True)
    options = {"padding": padding, "circular": circular}
    layers = n.convolution(3, 2, width=(3, 2), **options), n.convolution(4, 3, width=(3, 2), **options)
    positions = layers[1].output_shape(*layers[0].output_shape(2, 5, 4))[1:]
    pooling = shared.Pooling(width=positions, stride=1, kind="sum")
    return problem(n, (*layers, pooling, n.dense(2, 4)), "squared_error", (2, 5, 4))


def squared_error(ours, truth):
    return np.sum((ours - truth) ** 2) / np.sum(truth**2)


def test_reduce_is_exact_for_circular_images():
    """In every layer, for linear convolutions of stride 1 and a sum over positions. Expand is not exact."""
    for (l, _), pairs in shared.pairs(*convolutions_of_images(((1, 1), (1, 0)), circular=True)).items():
        exact = shared.exact_block(pairs)
        assert np.array_equal(shared.reduce(pairs).block, exact)
        assert (squared_error(shared.expand(pairs).block, exact) > fmpq(1, 100)) == (l < 4)


@pytest.mark.parametrize("padding", [((1, 1), (1, 0)), ((0, 0), (0, 0))], ids=["zeros", "none"])
def test_reduce_is_exact_for_the_last_convolution_alone(padding):
    batch = shared.pairs(*convolutions_of_images(padding))
    first, last = (shared.exact_block(batch[l, 1]) for l in (1, 2))
    assert np.array_equal(shared.reduce(batch[2, 1]).block, last)
    for approximation in (shared.expand, shared.reduce):
        assert squared_error(approximation(batch[1, 1]).block, first) > fmpq(1, 100)


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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stride": (1, 2, 1)}, r"stride: expected a positive int, or 2 of them as in the width, got \(1, 2, 1\)"),
        ({"stride": 0}, "stride: expected a positive int, or 2 of them as in the width, got 0"),
        ({"stride": (1, 1.5)}, r"stride: expected a positive int, or 2 of them as in the width, got \(1, 1.5\)"),
        ({"dilation": (2,)}, r"dilation: expected a positive int, or 2 of them as in the width, got \(2,\)"),
        ({"dilation": (2, -1)}, r"dilation: expected a positive int, or 2 of them as in the width, got \(2, -1\)"),
        ({"dilation": True}, "dilation: expected a positive int, or 2 of them as in the width, got True"),
        (
            {"padding": (1, 1)},
            r"padding: expected a pair of ints of at least 0 for each axis of the width \(3, 2\), got \(1, 1\)",
        ),
        ({"padding": ((0, 0), (0, 0), (0, 0))}, "padding: expected a pair of ints"),
        ({"padding": ((0, -1), (0, 0))}, r"padding: expected a pair of ints .*, got \(\(0, -1\), \(0, 0\)\)"),
        ({"padding": ((0, 1), (0, 0, 0))}, "padding: expected a pair of ints"),
        ({"padding": "same"}, "padding: expected a pair of ints of at least 0 .*, got 'same'"),
        ({"dilation": (1, 4)}, "x: expected at least 5 positions along axis 2 for a window that spans 5, got 4"),
        (
            {"padding": ((0, 6), (0, 0)), "circular": True},
            "x: expected at least 6 positions along axis 1 for a window that spans 3, got 5",
        ),
    ],
)
def test_arguments_that_do_not_fit_are_refused(options, message):
    layer = Numbers(68).convolution(1, 2, width=(3, 2), **options)
    with pytest.raises(ValueError, match=message):
        layer.output_shape(2, 5, 4)


MATRIX, IMAGE = np.ones((1, 1)), np.ones((2, 5, 4))

OUT_OF_RANGE = {
    "width: expected a positive int, or one for each axis, got 0": shared.Convolution(MATRIX, width=0),
    "width: expected a positive int, or one for each axis, got (2, 0)": shared.Convolution(MATRIX, width=(2, 0)),
    "width: expected a positive int, or one for each axis, got ()": shared.Convolution(MATRIX, width=()),
    "width: expected a positive int, or one for each axis, got -1": shared.Pooling(-1, 1, "mean"),
    "stride: expected a positive int, or 1 of them as in the width, got 0": shared.Pooling(2, 0, "mean"),
    "groups: expected a positive divisor of the 2 channels, got 0": shared.Convolution(MATRIX, width=1, groups=0),
    "groups: expected a positive divisor of the 2 channels, got 3": shared.Convolution(MATRIX, width=1, groups=3),
    "weight: expected shape (C', 3) for 2 channels in 1 groups, got (3,)": shared.Convolution(np.ones(3), width=1),
    "weight: expected shape (C', 3), got (3,)": shared.Dense(np.ones(3)),
    "weight: expected shape (2, 2), got ()": shared.ScaleShift(np.ones(())),
    "weight: expected shape (C', V), got (3,)": shared.Embedding(np.ones(3)),
}


@pytest.mark.parametrize("message", OUT_OF_RANGE)
def test_an_argument_out_of_range_is_refused_in_one_line(message):
    """By every function that reads the argument. A negative padding is no crop, and no error is Python's own."""
    layer = OUT_OF_RANGE[message]
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        layer.output_shape(2, 5, 4)
    if isinstance(layer, shared.Convolution | shared.Pooling):
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            layer.taps(IMAGE)


def test_an_embedding_without_a_matrix_is_refused_before_its_tokens_are_read():
    net = shared.Network((shared.Embedding(np.ones(3)),), "squared_error")
    with pytest.raises(ValueError, match=r"^layer 1: weight: expected shape \(C', V\), got \(3,\)$"):
        shared.loss(net, np.array([[0, 1]]), np.zeros((1, 2, 3)))


def test_the_smallest_image():
    """A window fits if it spans the padded image along each axis."""
    layer = Numbers(68).convolution(1, 2, width=(3, 2), dilation=(2, 3), padding=((1, 0), (0, 1)))
    assert layer.output_shape(2, 4, 3) == (1, 1, 1)


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
