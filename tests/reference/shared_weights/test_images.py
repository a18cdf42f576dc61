"""Networks of images that are equal to other networks, and those on which `reduce` is exact."""

import kfgn_reference as ref
import kfgn_reference.shared_weights as shared
import numpy as np
import pytest
from flint import fmpq

from .problems import Numbers, problem
from .problems_of_rationals import mixed, one_position
from .test_layers import assert_equal, everything


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
