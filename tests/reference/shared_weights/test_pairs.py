"""The pairs: the exact block from them, sampled labels, and the functions of the paper as the case T = 1."""

import itertools
import re

import kfgn_reference as ref
import kfgn_reference.shared_weights as shared
import numpy as np
import pytest
from flint import fmpq

from .problems import NETWORKS, Numbers
from .problems_of_rationals import mixed, one_position


def of_group(layer, block, j):
    """The part of the block of vec(W) that belongs to group j. A scale-and-shift layer has one pair for all groups."""
    if isinstance(layer, shared.ScaleShift):
        return block
    rows, columns = layer.weight.shape
    outputs = rows // layer.groups
    kept = slice((j - 1) * outputs, j * outputs)
    size = outputs * columns
    return block.reshape(columns, rows, columns, rows)[:, kept, :, kept].reshape(size, size)


def test_exact_block_between_rationals():
    """1/N sum_n sum_c g g^T is the block by (7s) with (15s), in every group."""
    problem = mixed()
    blocks, batch = shared.gauss_newton_blocks(*problem), shared.pairs(*problem)
    assert list(batch) == [(1, 1), (1, 2), (3, 1), (6, 1)]
    for (l, j), pairs in batch.items():
        assert np.array_equal(shared.exact_block(pairs), of_group(problem.net.weighted[l], blocks[l], j))


@pytest.mark.parametrize("name", NETWORKS)
def test_exact_block(name, relative_error):
    problem = NETWORKS[name]()
    blocks = shared.gauss_newton_blocks(*problem)
    for (l, j), pairs in shared.pairs(*problem).items():
        truth = of_group(problem.net.weighted[l], blocks[l], j)
        assert relative_error(shared.exact_block(pairs), truth) < 1e-12


def test_equation_7s_as_a_double_sum():
    """sum_t sum_t' (a_t a_t'^T) kron H[t, t'] over all pairs of positions is the block of the Hessian."""
    problem = mixed()
    blocks, l = shared.hessian_blocks(*problem), 3
    total = 0
    for x, y in zip(problem.X, problem.Y, strict=True):
        below, H = shared.forward(problem.net, x)[l - 1], shared.sample_preactivation_hessians(problem.net, x, y)[l]
        (A,) = problem.net.layers[l - 1].patches(below)
        O, T = len(problem.net.layers[l - 1].weight), A.shape[1]
        for t, other in itertools.product(range(T), repeat=2):
            part = H[t * O : (t + 1) * O, other * O : (other + 1) * O]
            total = total + np.kron(np.outer(A[:, t], A[:, other]), part)
    assert np.array_equal(total / len(problem.X), blocks[l])


MIXED = {
    "strided": (1, 3),
    "grouped": (1, 3),
    "tokens": (1,),
    "pooled": (1,),
    "image": (1, 3),
    "pixels": (1, 3),
    "sentence": (),
}
"""The layers of each network of which several positions reach the same output."""


def outside_the_square(batch):
    """The block with the sum over positions outside the square, which has no terms t != t'."""
    total = 0
    for pairs in batch:
        for a, C in zip(pairs.a, pairs.C, strict=True):
            total = total + np.kron(np.outer(a, a), C @ C.T)
    return total / len(batch)


@pytest.mark.parametrize("name", NETWORKS)
def test_pairs_of_different_positions_count(name, relative_error):
    """Without the terms t != t', the block is wrong by a tenth or more if an output depends on several positions."""
    for (l, j), pairs in shared.pairs(*NETWORKS[name]()).items():
        error = relative_error(outside_the_square(pairs), shared.exact_block(pairs))
        assert error > 0.1 if l in MIXED[name] else error < 1e-12, (l, j)


def test_roots_are_roots():
    problem = mixed()
    for x, y in zip(problem.X, problem.Y, strict=True):
        C, G = shared.sample_roots(problem.net, x, y), shared.sample_preactivation_gauss_newton(problem.net, x, y)
        assert C.keys() == G.keys()
        assert all(np.array_equal(C[l] @ C[l].T, G[l]) for l in G)


def all_labels(h_L):
    """The labels h + z with every matrix z of signs, whose mean outer product of gradients is that of normal labels."""
    D, T = h_L.shape
    signs = (np.reshape(z, (T, D)) for z in itertools.product((fmpq(-1), fmpq(1)), repeat=D * T))
    return np.stack([h_L.T + z for z in signs])


def test_sampled_labels_have_the_exact_mean():
    """The mean over labels of the model is the exact block, and every linear function of it, also with a divisor."""
    problem = mixed(outputs=1)
    assert problem.net.divisor == 4
    labels = [all_labels(shared.forward(problem.net, x)[problem.net.L]) for x in problem.X]
    assert len(labels[0]) == 16
    sampled, exact = shared.sampled_pairs(problem.net, problem.X, labels), shared.pairs(*problem)
    assert sampled.keys() == exact.keys()
    for key in exact:
        for function in (shared.exact_block, shared.expand, shared.reduce):
            assert all(map(np.array_equal, function(sampled[key]), function(exact[key])))


def test_labels_are_drawn_for_each_position():
    """The labels are those of the paper with tokens as datapoints, and pairs from them have the right scale."""
    net, X, _ = NETWORKS["tokens"]()
    rng = np.random.default_rng(9)
    draws = rng.uniform(size=(3, 40, 5))
    labels = np.array(shared.draw_labels(net, X, draws))
    assert labels.shape == (3, 40, 5)
    assert set(np.unique(labels)) <= set(range(6))
    h = np.stack([shared.forward(net, x)[net.L].T for x in X])
    identity = ref.Network((np.eye(6),), (), "categorical", biases=(False,))
    of_tokens = ref.draw_labels(identity, h.reshape(15, 6), draws.transpose(0, 2, 1).reshape(15, 40))
    assert np.array_equal(labels, np.reshape(of_tokens, (3, 5, 40)).transpose(0, 2, 1))
    sampled = shared.exact_block(shared.sampled_pairs(net, X, labels)[1, 1])
    gradients = [shared.sample_gradient(net, x, y)[1] for x, ys in zip(X, labels, strict=True) for y in ys]
    outer = sum(np.outer(ref.vec(g), ref.vec(g)) for g in gradients) / len(gradients)
    assert np.allclose(sampled, 5 * outer, rtol=0, atol=1e-12 * np.max(sampled))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda z: z[:, :0], "expected S > 0 samples per datapoint along axis 1, got shape (3, 0, 5)"),
        (lambda z: z[:, 0, 0], "expected S > 0 samples per datapoint along axis 1, got shape (3,)"),
        (lambda z: [], "expected S > 0 samples per datapoint along axis 1, got shape (0,)"),
        (lambda z: z[:, :, 0], "expected shape (3, 2, 5) for categorical, got (3, 2)"),
        (lambda z: z[:, :, :4], "expected shape (3, 2, 5) for categorical, got (3, 2, 4)"),
        (lambda z: z[:2], "expected shape (3, 2, 5) for categorical, got (2, 2, 5)"),
        (lambda z: z[..., None], "expected shape (3, 2, 5) for categorical, got (3, 2, 5, 1)"),
    ],
)
def test_labels_and_draws_have_s_samples_at_each_position(change, message):
    net, X, _ = NETWORKS["tokens"]()
    draws = np.random.default_rng(9).uniform(size=(3, 2, 5))
    labels = np.array(shared.draw_labels(net, X, draws))
    for name, function, array in (("draws", shared.draw_labels, draws), ("labels", shared.sampled_pairs, labels)):
        with pytest.raises(ValueError, match=f"^{re.escape(f'{name}: {message}')}$"):
            function(net, X, change(array))


@pytest.mark.parametrize("outputs", [(1,), (7,), ()])
def test_draws_have_a_number_for_each_output(outputs):
    """A single draw would be used for all outputs, and a draw for seven outputs would give seven labels."""
    net, X, Y = mixed()
    shape = np.shape(Y)
    draws = np.zeros((len(Y), 2, *shape[1:-1], *outputs))
    expected = (len(Y), 2, *shape[1:])
    message = f"draws: expected shape {expected} for squared_error, got {draws.shape}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        shared.draw_labels(net, X, draws)


def test_draws_of_datapoints_with_different_numbers_of_positions():
    """The draws of each datapoint have its own positions."""
    net, X, _ = NETWORKS["tokens"]()
    lengths = (5, 2, 3)
    rows = [x[..., :T] for x, T in zip(X, lengths, strict=True)]
    draws = [np.full((2, T), 0.5) for T in lengths]
    assert [np.shape(of_datapoint) for of_datapoint in shared.draw_labels(net, rows, draws)] == [(2, 5), (2, 2), (2, 3)]
    with pytest.raises(ValueError, match=r"^draws\[1\]: expected shape \(2, 2\) for categorical, got \(2, 5\)$"):
        shared.draw_labels(net, rows, [draws[0], draws[0], draws[2]])
    with pytest.raises(ValueError, match=r"^draws: expected 3 datapoints, got 2$"):
        shared.draw_labels(net, rows, draws[:2])


@pytest.mark.parametrize("psd", ["project", "scalar"])
def test_the_mixture(psd, relative_error):
    """With T = 1 the Gauss-Newton block of the mixture is that of the paper, and roots are roots for T > 1."""
    n = Numbers(41)
    layers = n.dense(4, 3), shared.Elementwise("tanh"), n.dense(3, 4)
    net, X, Y = shared.Network(layers, "mixture", psd=psd), n(5, 3, 1), np.array([[0], [1], [1], [0], [1]])
    paper = ref.Network((layers[0].weight, layers[2].weight), ("tanh",), "mixture", psd)
    truth = ref.gauss_newton_blocks(paper, X[:, :, 0], Y[:, 0])
    assert relative_error(shared.gauss_newton_blocks(net, X, Y), {1: truth[1], 3: truth[2]}) < 1e-12
    x, y = n(3, 4), np.array([0, 1, 1, 0])
    C, G = shared.sample_roots(net, x, y), shared.sample_preactivation_gauss_newton(net, x, y)
    assert relative_error({l: C[l] @ C[l].T for l in C}, G) < 1e-12


def test_one_position_is_the_paper():
    """With T = 1, every quantity is that of the paper, and expand and reduce are (20) with the G of KFLR."""
    problem = one_position()
    net, X, Y = problem
    weights = tuple(layer.weight for layer in net.weighted.values())
    paper = ref.Network(weights, ("leaky_relu",), "squared_error"), X[:, :, 0], Y[:, 0]
    layers = {1: 1, 2: 3}  # the number of a layer in the paper, and here
    assert shared.loss(*problem) == ref.loss(*paper)
    for name in ("gradient", "hessian_blocks", "gauss_newton_blocks"):
        ours, truth = getattr(shared, name)(*problem), getattr(ref, name)(*paper)
        assert all(np.array_equal(ours[here], truth[l]) for l, here in layers.items()), name
    Q, G = ref.expected_q(paper[0], paper[1]), ref.kflr(*paper)
    batch = shared.pairs(*problem)
    for function in (shared.expand, shared.reduce):
        for l, here in layers.items():
            factors = function(batch[here, 1])
            assert np.array_equal(factors.Q, Q[l])
            assert np.array_equal(factors.G, G[l])
    labels = np.stack([Y, 2 * Y, Y + 1, Y - 1], axis=1)
    sampled, truth = shared.sampled_pairs(net, X, labels), ref.kfac(paper[0], paper[1], labels[:, :, 0])
    assert all(np.array_equal(shared.expand(sampled[here, 1]).G, truth[l]) for l, here in layers.items())
