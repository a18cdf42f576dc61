"""The three kinds of KFRA: over all positions, over tokens, and over taps."""

import kfgn_reference as ref
import kfgn_reference.shared_weights as shared
import numpy as np
import pytest
from flint import fmpq

from . import problems_of_rationals as rationals
from .problems import NETWORKS, Numbers, problem


def one_datapoint(net, X, Y):
    return net, X[:1], Y[:1]


def mean_gauss_newton(net, X, Y):
    """The mean over datapoints of the exact matrix over all positions, for each layer."""
    samples = [shared.sample_preactivation_gauss_newton(net, x, y) for x, y in zip(X, Y, strict=True)]
    return {l: sum(sample[l] for sample in samples) / len(X) for l in samples[0]}


def test_one_position_is_the_paper():
    """With T = 1 all three are (26)."""
    net, X, Y = rationals.one_position()
    weights = tuple(layer.weight for layer in net.weighted.values())
    truth = ref.kfra(ref.Network(weights, ("leaky_relu",), "squared_error"), X[:, :, 0], Y[:, 0])
    for kfra in (shared.kfra_over_positions, shared.kfra_over_tokens, shared.kfra_over_taps):
        ours = kfra(net, X, Y)
        assert sorted(ours) == [1, 2, 3]
        assert np.array_equal(ours[1], truth[1])
        assert np.array_equal(ours[3], truth[2])


def test_over_positions_for_one_datapoint():
    """With N = 1 the recursion over all positions is (15s), so its sums are the second factors of expand and reduce."""
    single = one_datapoint(*rationals.mixed())
    G, truth = shared.kfra_over_positions(*single), mean_gauss_newton(*single)
    assert all(np.array_equal(G[l], truth[l]) for l in truth)
    for (l, j), pairs in shared.pairs(*single).items():
        O = pairs[0].C.shape[1]
        kept = slice((j - 1) * O, j * O)
        channels = len(single[0].weighted[l].weight)
        for function, total in ((shared.expand, shared.diagonal_sum), (shared.reduce, shared.whole_sum)):
            assert np.array_equal(total(G[l], channels)[kept, kept], function(pairs).G)


@pytest.mark.parametrize("name", NETWORKS)
def test_over_positions_with_curved_transfer_functions(name, relative_error):
    """For one datapoint, with transfer functions whose derivative differs at h and at f(h)."""
    single = one_datapoint(*NETWORKS[name]())
    assert relative_error(shared.kfra_over_positions(*single), mean_gauss_newton(*single)) < 1e-12


def test_one_position_with_curved_transfer_functions(relative_error):
    """With T = 1 all three are (26), also for tanh and softplus."""
    n = Numbers(36)
    layers = n.dense(4, 3), shared.Elementwise("tanh"), n.dense(5, 4), shared.Elementwise("softplus"), n.dense(2, 5)
    net, X, Y = problem(n, layers, "squared_error", (3, 1), N=4)
    weights = tuple(layer.weight for layer in net.weighted.values())
    truth = ref.kfra(ref.Network(weights, ("tanh", "softplus"), "squared_error"), X[:, :, 0], Y[:, 0])
    for kfra in (shared.kfra_over_positions, shared.kfra_over_tokens, shared.kfra_over_taps):
        ours = kfra(net, X, Y)
        assert relative_error({l: ours[here] for l, here in {1: 1, 2: 3, 3: 5}.items()}, truth) < 1e-12


@pytest.mark.parametrize("circular", [True, False])
def test_over_positions_in_a_linear_network(circular):
    """In a linear network the recursion over all positions is exact for any N."""
    problem = rationals.convolutions(circular)
    G, truth = shared.kfra_over_positions(*problem), mean_gauss_newton(*problem)
    assert all(np.array_equal(G[l], truth[l]) for l in truth)


def test_over_positions_is_an_approximation(relative_error):
    """In a nonlinear network with N > 1 it is not the exact mean, below the second transfer function."""
    problem = NETWORKS["strided"]()
    G, truth = shared.kfra_over_positions(*problem), mean_gauss_newton(*problem)
    assert relative_error(G[1], truth[1]) > 0.01


def token_network(divisor):
    n = Numbers(31, exact=True)
    f = shared.Elementwise("leaky_relu")
    layers = n.dense(4, 3), f, n.dense(5, 4, bias=False), f, n.dense(2, 5)
    return problem(n, layers, "squared_error", (3, 5), divisor=divisor)


@pytest.mark.parametrize("divisor", [1, 5])
def test_over_tokens_is_the_paper_with_tokens_as_datapoints(divisor):
    """G is T / divisor times (26) for the N T tokens, and over taps it is the same."""
    net, X, Y = token_network(divisor)
    weights = tuple(layer.weight for layer in net.weighted.values())
    paper = ref.Network(weights, ("leaky_relu",) * 2, "squared_error", biases=(True, False, True))
    truth = ref.kfra(paper, X.transpose(0, 2, 1).reshape(-1, 3), Y.reshape(-1, 2))
    for kfra in (shared.kfra_over_tokens, shared.kfra_over_taps):
        ours = kfra(net, X, Y)
        for l, here in {1: 1, 2: 3, 3: 5}.items():
            assert np.array_equal(ours[here] * divisor, truth[l] * X.shape[2])


def test_over_tokens_refuses_a_layer_that_mixes():
    with pytest.raises(ValueError, match="expected no convolution, pooling or flattening, got one as layer 1"):
        shared.kfra_over_tokens(*rationals.mixed())


def test_over_taps_with_one_mixing_layer():
    """In a linear network it is the second factor of expand, if one layer mixes positions and the loss is per token."""
    n = Numbers(32, exact=True)
    for options in ({"padding": (1, 0)}, {"stride": 2}, {"groups": 2, "padding": (2, 1), "circular": True}):
        mixing = n.convolution(4, 2, width=3, **options)
        linear = problem(n, (n.dense(2, 3), mixing, n.dense(3, 4)), "squared_error", (3, 7))
        G = shared.kfra_over_taps(*linear)
        for l in (1, 3):
            assert np.array_equal(G[l], shared.expand(shared.pairs(*linear)[l, 1]).G)
        whole = shared.diagonal_sum(shared.kfra_over_positions(*linear)[2], 4)
        assert np.array_equal(G[2], whole)


def test_over_taps_drops_the_products_between_positions():
    """Below two layers that mix positions it is not exact, even in a linear network."""
    problem = rationals.padded()
    exact = shared.expand(shared.pairs(*problem)[1, 1]).G
    ours = shared.kfra_over_taps(*problem)[1]
    assert np.sum((ours - exact) ** 2) / np.sum(exact**2) > fmpq(1, 100)


LAYERS = {
    "plain": lambda n: n.convolution(3, 2, width=3),
    "stride": lambda n: n.convolution(3, 2, width=3, stride=2, padding=(1, 0)),
    "zeros": lambda n: n.convolution(3, 2, width=4, padding=(3, 1)),
    "circular": lambda n: n.convolution(3, 2, width=3, stride=2, dilation=2, padding=(2, 2), circular=True),
    "groups": lambda n: n.convolution(4, 2, width=3, groups=2, dilation=2),
    "mean": lambda n: shared.Pooling(width=3, stride=2, kind="mean"),
    "sum": lambda n: shared.Pooling(width=3, stride=1, kind="sum"),
    "flatten": lambda n: shared.Flatten(),
    "dense": lambda n: n.dense(3, 2),
}


@pytest.mark.parametrize("name", LAYERS)
def test_closed_form_over_taps(name):
    """The closed form is the sum of the diagonal blocks of M^T (I kron G / T') M."""
    n = Numbers(33, exact=True)
    layer, a = LAYERS[name](n), n(2, 7)
    outputs, positions = layer.forward(a).shape
    G = n(outputs, outputs)
    G = G @ G.T
    M = shared.layer_matrix(layer, a)
    whole = M.T @ np.kron(np.eye(positions, dtype=bool), G) @ M
    assert np.array_equal(shared.carried_over_taps(layer, [a], G) * positions, shared.diagonal_sum(whole, len(a)))


def test_interior_positions_have_all_taps():
    """For stride 1 the block of M^T (I kron G) M at a position is sum_k W_k^T G W_k, with fewer taps at the border."""
    n = Numbers(34, exact=True)
    layer, a = n.convolution(3, 2, width=3), n(2, 7)
    G = n(3, 3)
    G = G @ G.T
    kernels = np.split(layer.weight[:, :-1], 3, axis=1)
    M = shared.layer_matrix(layer, a)
    whole = (M.T @ np.kron(np.eye(5, dtype=bool), G) @ M).reshape(7, 2, 7, 2)
    all_taps = sum(W.T @ G @ W for W in kernels)
    assert [np.array_equal(whole[s, :, s], all_taps) for s in range(7)] == [False] * 2 + [True] * 3 + [False] * 2
    assert np.array_equal(whole[0, :, 0], kernels[0].T @ G @ kernels[0])


def test_sums_of_blocks():
    n = Numbers(35, exact=True)
    G = n(6, 6)
    parts = [[G[2 * t : 2 * t + 2, 2 * s : 2 * s + 2] for s in range(3)] for t in range(3)]
    assert np.array_equal(shared.diagonal_sum(G, 2), parts[0][0] + parts[1][1] + parts[2][2])
    assert np.array_equal(shared.whole_sum(G, 2), sum(map(sum, parts)))
