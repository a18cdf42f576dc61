"""Embeddings: dense layers on one-hot vectors, the closed forms from counts, and a tied output layer."""

import kfgn_reference as ref
import kfgn_reference.shared_weights as shared
import numpy as np
import pytest
from flint import fmpq

from .problems import Numbers, Problem, problem
from .test_layers import assert_equal, everything

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script. is deprecated:DeprecationWarning")
V = 6


def embedded(inputs=(5,), divisor=1):
    """An embedding of 6 tokens, of which the last two do not occur, and a convolution over the positions."""
    n = Numbers(71, exact=True)
    axes = len(inputs)
    mixing = n.convolution(3, 4, width=(2,) * axes, padding=((1, 0),) * axes)
    layers = shared.Embedding(n(4, V)), shared.Elementwise("leaky_relu"), mixing, n.dense(2, 3)
    net, X, Y = problem(n, layers, "squared_error", inputs, divisor=divisor)
    return Problem(net, np.minimum(X, V - 3), Y)


@pytest.mark.parametrize("inputs", [(5,), (2, 3)], ids=["sequence", "image"])
def test_an_embedding_is_a_dense_layer_on_one_hot_vectors(inputs):
    """Every quantity is the same, between rationals."""
    net, X, Y = tokens = embedded(inputs, divisor=4)
    equal = X[:, None] == np.arange(V).reshape(-1, *[1] * len(inputs))
    one_hots = np.frompyfunc(lambda x: fmpq(int(x)), 1, 1)(equal)
    dense = net._replace(layers=(shared.Dense(net.layers[0].weight, bias=False), *net.layers[1:]))
    assert_equal(everything(tokens), everything(Problem(dense, one_hots, Y)))


@pytest.mark.parametrize("inputs", [(5,), (2, 3)], ids=["sequence", "image"])
def test_closed_forms(inputs):
    """Counts and sums of roots give expand, reduce, the exact block and the diagonal of EKFAC, between rationals."""
    tokens = embedded(inputs)
    X = tokens.X
    batch, by_token = shared.pairs(*tokens)[1, 1], shared.token_pairs(*tokens)
    q, G = shared.expand_tokens(by_token, V)
    expand = shared.expand(batch)
    counts = [np.count_nonzero(v == X) for v in range(V)]
    assert counts[-2:] == [0, 0]
    assert np.array_equal(q, [fmpq(int(count), X.size) for count in counts])
    assert np.array_equal(expand.Q, np.diag(q))
    assert np.array_equal(expand.G, G)
    of_datapoints = [np.array([fmpq(int(np.sum(x == v)), x.size) for v in range(V)]) for x in X]
    assert np.array_equal(shared.reduce(batch).Q, sum(np.outer(c, c) for c in of_datapoints) / len(X))
    exact = shared.exact_block(batch)
    blocks = shared.exact_token_blocks(by_token)
    for v in range(V):
        for w in range(V):
            expected = exact[4 * v : 4 * v + 4, 4 * w : 4 * w + 4]
            assert np.array_equal(blocks.get((v, w), np.zeros((4, 4), int)), expected)
    assert all(set(map(int, x.flat)) >= set(shared.token_roots(one)) for x, one in zip(X, by_token, strict=True))
    U_G = np.array([[3, -4, 0, 0], [4, 3, 0, 0], [0, 0, 5, 0], [0, 0, 0, 5]]) * fmpq(1, 5)
    S, unit = shared.ekfac_token_diagonal(by_token, U_G), np.eye(V, dtype=int) * fmpq(1)
    truth = shared.ekfac_diagonal(batch, unit, U_G)
    assert all(np.array_equal(S.get(v, np.zeros(4, int)), truth[:, v]) for v in range(V))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda net, X, Y: (net, X + 3, Y), "X: expected tokens from 0 to 5, got 3 to 6"),
        (lambda net, X, Y: (net, X - 1, Y), "X: expected tokens from 0 to 5, got -1 to 2"),
        (lambda net, X, Y: (net, X + 0.0, Y), "X: expected integers, the tokens of an embedding, got float64"),
        (lambda net, X, Y: (net, X[0], Y), r"X: expected shape \(N, T\) or \(N, H, W\) with N > 0, got \(5,\)"),
        (
            lambda net, X, Y: (net._replace(layers=(*net.layers, net.layers[0])), X, Y),
            "layer 5: expected an embedding only as layer 1, got one here",
        ),
    ],
)
def test_tokens_that_do_not_fit_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        shared.loss(*change(*embedded()))


def tied():
    """A language model of 7 tokens, whose output layer has the transposed matrix of the embedding."""
    n = Numbers(72)
    W = n(3, 7)
    layers = (
        shared.Embedding(W),
        *(n.convolution(3, 3, width=2, padding=(1, 0)), shared.Elementwise("tanh")),
        shared.Dense(W.T, bias=False),
    )
    return problem(n, layers, "categorical", (5,), N=4)


def by_torch(net, X, Y):
    """The gradient and J^T H_L J of the one variable of the embedding and of the output layer, vec(W)."""
    torch = pytest.importorskip("torch")
    F = torch.nn.functional
    convolution = net.layers[1]
    kernel = torch.tensor(convolution.weight[:, :-1].reshape(3, 2, 3).transpose(0, 2, 1).copy())
    bias = torch.tensor(convolution.weight[:, -1])

    def output(vec, x):
        W = vec.reshape(7, 3)  # the weight of an embedding of PyTorch
        a = F.pad(F.embedding(x, W).T, (1, 0))
        return F.linear(torch.tanh(F.conv1d(a[None], kernel, bias)[0]).T, W)

    vec = torch.tensor(net.layers[0].weight.T.reshape(-1))
    blocks, gradients = [], []
    for x, y in zip(torch.tensor(X), torch.tensor(Y), strict=True):

        def loss(h, y=y):
            return F.cross_entropy(h, y, reduction="sum")

        h = output(vec, x)
        J = torch.func.jacrev(output)(vec, x).reshape(h.numel(), -1)
        H_L = torch.func.hessian(loss)(h).reshape(h.numel(), -1)
        blocks.append(J.T @ H_L @ J)
        gradients.append(J.T @ torch.func.grad(loss)(h).flatten())
    return torch.stack(gradients).mean(dim=0).numpy(), torch.stack(blocks).mean(dim=0).numpy()


def test_an_embedding_tied_with_the_output_layer(relative_error):
    """The exact block of the joined pairs is that of one variable, with the products of the two uses."""
    net, X, Y = tied()
    gradient, truth = by_torch(net, X, Y)
    batch = shared.pairs(net, X, Y)
    uses = batch[1, 1], shared.transposed(batch[4, 1])
    assert relative_error(shared.exact_block(shared.joined(uses)), truth) < 1e-12
    assert relative_error(sum(map(shared.exact_block, uses)), truth) > 0.1
    ours = shared.gradient(net, X, Y)
    assert relative_error(ref.vec(ours[1] + ours[4].T), gradient) < 1e-12


def test_transposed_pairs():
    """The block of vec(W^T) is that of vec(W) with its rows and columns permuted, between rationals."""
    net, X, Y = embedded()
    batch = shared.pairs(net, X, Y)[4, 1]
    without_unit = [shared.Pairs(a[:, :-1], C) for a, C in batch]
    O, I = 2, 3
    block = shared.exact_block(without_unit).reshape(I, O, I, O).transpose(1, 0, 3, 2).reshape(I * O, I * O)
    assert np.array_equal(shared.exact_block(shared.transposed(without_unit)), block)
    swapped = shared.tnt(shared.transposed(without_unit))
    factors = shared.tnt(without_unit)
    assert np.array_equal(swapped.block, np.kron(factors.G, factors.Q))
