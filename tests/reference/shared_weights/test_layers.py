"""Layers: their matrix, their patches and their sum over taps agree, and dense layers are convolutions."""

from fractions import Fraction

import kfgn_reference as ref
import kfgn_reference.shared_weights as shared
import numpy as np
import pytest
from flint import fmpq

from .problems import NETWORKS, Numbers, problem
from .problems_of_rationals import mixed, one_position, per_token


def by_definition(layer, a):
    """The convolution as its sum over taps and channels, with the kernel indexed directly."""
    C, T = a.shape
    outputs = len(layer.weight)
    per_group, reads = outputs // layer.groups, C // layer.groups
    padded = np.zeros((C, T + sum(layer.padding)), dtype=object)
    for t in range(padded.shape[1]):
        source = t - layer.padding[0]
        if 0 <= source < T or layer.circular:
            padded[:, t] = a[:, source % T]
    span = layer.dilation * (layer.width - 1)
    starts = range(0, padded.shape[1] - span, layer.stride)
    h = np.zeros((outputs, len(starts)), dtype=object)
    for o in range(outputs):
        for i, start in enumerate(starts):
            h[o, i] = layer.weight[o, -1] if layer.bias else fmpq(0)
            for k in range(layer.width):
                for c in range(reads):
                    channel = o // per_group * reads + c
                    h[o, i] += layer.weight[o, k * reads + c] * padded[channel, start + k * layer.dilation]
    return h


CONVOLUTIONS = {
    "plain": {},
    "stride": {"stride": 3},
    "zeros": {"padding": (2, 1)},
    "circular": {"padding": (1, 2), "circular": True},
    "dilation": {"dilation": 3, "padding": (1, 0)},
    "groups": {"groups": 2, "stride": 2, "padding": (0, 3)},
    "depthwise": {"groups": 4, "dilation": 2, "padding": (3, 3), "circular": True, "bias": False},
}


@pytest.mark.parametrize("options", CONVOLUTIONS.values(), ids=CONVOLUTIONS)
def test_convolution(options):
    """The sum over taps, the patches, and the matrix M give the same rationals as the definition."""
    n = Numbers(21, exact=True)
    layer, a = n.convolution(8, 4, width=3, **options), n(4, 9)
    h = by_definition(layer, a)
    assert np.array_equal(layer.forward(a), h)
    bias = layer.weight[:, -1:] if layer.bias else 0
    M = shared.layer_matrix(layer, a)
    assert np.array_equal((M @ ref.vec(a)).reshape(h.shape[1], -1).T + bias, h)
    kernel = layer._replace(weight=layer.weight[:, :-1], bias=False) if layer.bias else layer
    taps = sum(tap.matrix @ a @ tap.positions for tap in kernel.taps(a))
    assert np.array_equal(taps + bias, h)


def test_convolution_as_a_dense_layer_on_patches():
    """A convolution is a dense layer with the same weights on its unfolded input."""
    n = Numbers(22, exact=True)
    layer, a = n.convolution(5, 2, width=3, stride=2, padding=(1, 1)), n(2, 8)
    (patches,) = layer.patches(a)
    assert np.array_equal(patches[:, 1], [*a[:, 1], *a[:, 2], *a[:, 3], 1])
    assert np.array_equal(shared.Dense(layer.weight).forward(patches[:-1]), layer.forward(a))


def everything(problem):
    """Every quantity of a problem that does not depend on the number or the kind of layers."""
    batch = shared.pairs(*problem)
    quantities = {
        "loss": shared.loss(*problem),
        **{f"gradient {l}": g for l, g in shared.gradient(*problem).items()},
        **{f"Hessian {l}": H for l, H in shared.hessian_blocks(*problem).items()},
        **{f"Gauss-Newton {l}": G for l, G in shared.gauss_newton_blocks(*problem).items()},
    }
    for function in (shared.expand, shared.reduce, shared.tkfac, shared.tnt, shared.foof):
        quantities |= {f"{function.__name__} {l}": function(batch[l, 1]).block for l in problem.net.weighted}
    return quantities


def assert_equal(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert np.array_equal(one[name], other[name]), name


@pytest.mark.parametrize("make", [one_position, per_token])
def test_dense_is_a_convolution_of_width_one(make):
    """On one position, and over 5 tokens."""
    dense = make()
    as_convolutions = tuple(
        shared.Convolution(layer.weight, width=1) if isinstance(layer, shared.Dense) else layer
        for layer in dense.net.layers
    )
    assert_equal(everything(dense), everything(dense._replace(net=dense.net._replace(layers=as_convolutions))))


def test_dense_is_a_convolution_over_the_whole_input():
    """A dense layer on a flattened input is a convolution whose kernel is the whole input."""
    n = Numbers(24, exact=True)
    layers = shared.Flatten(), n.dense(3, 10), shared.Elementwise("leaky_relu"), n.dense(2, 3)
    dense = problem(n, layers, "squared_error", (2, 5))
    whole = (shared.Convolution(layers[1].weight, width=5), *layers[2:])
    convolution = everything(dense._replace(net=dense.net._replace(layers=whole)))
    renamed = {name[:-1] + str(int(name[-1]) + 1) if name != "loss" else name: v for name, v in convolution.items()}
    assert_equal(everything(dense), renamed)


def test_pooling():
    a = np.array([[fmpq(t * t + c) for t in range(8)] for c in range(2)])
    mean, total = (shared.Pooling(width=3, stride=2, kind=kind) for kind in ("mean", "sum"))
    expected = [[sum(row[t : t + 3]) for t in (0, 2, 4)] for row in a]
    assert total.forward(a).tolist() == expected
    assert np.array_equal(3 * mean.forward(a), total.forward(a))
    assert np.array_equal(shared.layer_matrix(total, a) @ ref.vec(a), ref.vec(total.forward(a)))


def test_flatten():
    a = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert shared.Flatten().forward(a)[:, 0].tolist() == [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]
    assert np.array_equal(shared.layer_matrix(shared.Flatten(), a), np.eye(6))


def test_every_number_of_a_rational_problem_is_a_fraction():
    for name, value in everything(mixed(rational=Fraction)).items():
        assert all(isinstance(x, Fraction) for x in np.ravel(value)), name


@pytest.mark.parametrize("name", NETWORKS)
def test_float32_stays_float32(name):
    """No number of a problem in float32 is computed in float64."""
    net, X, Y = NETWORKS[name]()

    def single(array):
        return array.astype(np.float32) if array.dtype == np.float64 else array

    layers = [
        layer._replace(weight=single(layer.weight)) if hasattr(layer, "weight") else layer for layer in net.layers
    ]
    problem = net._replace(layers=tuple(layers)), single(X), single(Y)
    batch = shared.pairs(*problem)
    found = {
        **shared.hessian_blocks(*problem),
        **{f"exact {key}": shared.exact_block(pairs) for key, pairs in batch.items()},
        **{f"expand {key}": shared.expand(pairs).block for key, pairs in batch.items()},
        **{f"ekfac {key}": shared.ekfac(pairs) for key, pairs in batch.items()},
        **{f"kfoc {key}": shared.kfoc(pairs).block for key, pairs in batch.items()},
        **{f"positions {l}": G for l, G in shared.kfra_over_positions(*problem).items()},
        **{f"taps {l}": G for l, G in shared.kfra_over_taps(*problem).items()},
    }
    assert {name: value.dtype for name, value in found.items() if value.dtype != np.float32} == {}


def test_an_unknown_transfer_function_is_refused_without_a_batch():
    with pytest.raises(ValueError, match=r"^transfer: expected one of identity, relu, .*, gelu_tanh, got 'linear'$"):
        shared.Elementwise("linear").forward(np.ones((1, 2)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda net, X, Y: (net, X[0], Y),
            r"X: expected shape \(N, C, T\) or \(N, C, H, W\) with N > 0, got \(2, 5\)",
        ),
        (
            lambda net, X, Y: (net, X[:, :, :, None], Y),
            r"layer 1: x: expected 1 axis of positions, got 2, for an X \(N, C, \*positions\) with C = 2 channels and"
            r" positions \(5, 1\)",
        ),
        (lambda net, X, Y: (net, X[:, :1], Y), "layer 1: groups: expected a positive divisor of the 1 channels, got 2"),
        (
            lambda net, X, Y: (net, X.transpose(0, 2, 1), Y),
            r"layer 1: groups: expected a positive .*, for an X \(N, C, T\) with C = 5 channels and T = 2 positions",
        ),
        (
            lambda net, X, Y: (net._replace(layers=(shared.Elementwise("linear"), *net.layers)), X, Y),
            "layer 1: transfer: expected one of identity, relu, .*, gelu_tanh, got 'linear'",
        ),
        (
            lambda net, X, Y: (net._replace(objective="mse"), X, Y),
            "^objective: expected one of squared_error, bernoulli, categorical, mixture, got 'mse'$",
        ),
        (
            lambda net, X, Y: (net, X[:, :, :1], Y),
            "layer 1: x: expected at least 3 positions for a window that spans 3, got 1",
        ),
        (lambda net, X, Y: (net, X, Y[:, 1:]), r"Y: expected shape \(2, 4, 2\) for squared_error, got \(2, 3, 2\)"),
        (lambda net, X, Y: (net, X, Y[:1]), r"Y: expected shape \(2, 4, 2\)"),
        (lambda net, X, Y: (net._replace(divisor=0), X, Y), "divisor: expected a positive int or Fraction, got 0"),
        (
            lambda net, X, Y: (net._replace(layers=(shared.Pooling(9, 1, "mean"), *net.layers)), X, Y),
            "layer 1: x: expected at least 9 positions for a window that spans 9, got 5",
        ),
        (
            lambda net, X, Y: (net._replace(layers=(shared.Pooling(2, 1, "max"), *net.layers)), X, Y),
            "layer 1: kind: expected mean or sum, got 'max'",
        ),
        (
            lambda net, X, Y: (net._replace(layers=(*net.layers, shared.Dense(np.ones((2, 4)))), objective="x"), X, Y),
            "layer 7: weight: expected shape",
        ),
        (
            lambda net, X, Y: (net._replace(objective="categorical"), X, Y),
            r"Y: expected shape \(2, 4\) for",
        ),
        (
            lambda net, X, Y: (net._replace(objective="categorical"), X, np.full((2, 4), 2)),
            "Y: expected class indices from 0 to 1, got 2 to 2",
        ),
    ],
)
def test_a_batch_that_does_not_fit_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        shared.loss(*change(*mixed(rational=Fraction)))
