"""Masks: no influence of masked positions, sums over shorter datapoints, and padded batches of PyTorch and JAX."""

import itertools
from fractions import Fraction
from functools import cache

import kfgn_reference as ref
import kfgn_reference.shared_weights as shared
import numpy as np
import pytest
from flint import fmpq
from hypothesis import given, settings, strategies as st

from .problems import Numbers, problem
from .problems_of_rationals import mixed
from .test_exact_cases import WRONG, squared_error

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script. is deprecated:DeprecationWarning")

LENGTHS = (5, 3, 4)
ENDS = np.arange(5)[None, :] < np.array(LENGTHS)[:, None]
"""Counted positions at the beginning of three sequences."""

GAPS = np.array([[1, 0, 1, 1, 0], [0, 1, 0, 0, 1], [1, 1, 1, 1, 1]], dtype=bool)
"""Counted positions anywhere, for layers that do not read neighbours."""


def token_network(divisor=1):
    """Layers that act on each position alone, and a loss per token, of rationals."""
    n = Numbers(91, exact=True)
    f = shared.Elementwise("leaky_relu")
    layers = n.dense(4, 3), f, shared.ScaleShift(n(4, 2)), n.dense(2, 4)
    return problem(n, layers, "squared_error", (3, 5), divisor=divisor)


def pooled_network(kind="mean"):
    """A convolution that keeps the number of positions, and pooling over all of them, of rationals."""
    n = Numbers(92, exact=True)
    convolution = n.convolution(4, 3, width=3, padding=(1, 1))
    layers = convolution, shared.Elementwise("leaky_relu"), shared.Pooling(None, 1, kind), n.dense(2, 4)
    return problem(n, layers, "squared_error", (3, 5))


ONE = np.ones((3, 1), dtype=bool)
"""The mask of outputs with one position."""

MASKED = {
    "tokens": lambda: (token_network(), GAPS, None),
    "pooled": lambda: (pooled_network(), ENDS, ONE),
}


def everything(net, X, Y):
    """The quantities that exist for datapoints of different length."""
    batch = shared.pairs(net, X, Y)
    found = {"loss": shared.loss(net, X, Y)}
    for name in ("gradient", "hessian_blocks", "gauss_newton_blocks", "kfra_over_taps"):
        found |= {f"{name} {l}": value for l, value in getattr(shared, name)(net, X, Y).items()}
    for function in (shared.exact_block, shared.expand, shared.reduce, shared.tkfac, shared.tnt, shared.foof):
        found |= {f"{function.__name__} {key}": function(pairs) for key, pairs in batch.items()}
    return {name: getattr(value, "block", value) for name, value in found.items()}


@cache
def everything_of(name):
    """The quantities of a masked problem."""
    (net, X, Y), mask, mask_of_outputs = MASKED[name]()
    return everything(net, *shared.counted(X, Y, mask, mask_of_outputs))


@pytest.mark.parametrize("name", MASKED)
@settings(max_examples=5, deadline=None)
@given(number=st.fractions(min_value=-100, max_value=100), seed=st.integers(0, 1000))
def test_masked_positions_have_no_influence(name, number, seed):
    """Other values of X and of Y at masked positions change no result."""
    (net, X, Y), mask, mask_of_outputs = MASKED[name]()
    of_outputs = mask if mask_of_outputs is None else mask_of_outputs
    rng = np.random.default_rng(seed)
    noise = np.frompyfunc(lambda k: number + int(k), 1, 1)
    changed = (
        np.where(mask[:, None, :], X, noise(rng.integers(-9, 9, X.shape))),
        np.where(of_outputs[:, :, None], Y, noise(rng.integers(-9, 9, Y.shape))),
    )
    assert not np.array_equal(X, changed[0])
    ours = everything(net, *shared.counted(*changed, mask, mask_of_outputs))
    truth = everything_of(name)
    assert all(np.array_equal(ours[key], truth[key]) for key in truth)


@pytest.mark.parametrize("name", MASKED)
def test_a_masked_batch_is_a_sum_over_shorter_datapoints(name):
    """Sums over datapoints of each quantity, and for the Q of expand the sum over datapoints of T_n times their Q."""
    (net, X, Y), mask, mask_of_outputs = MASKED[name]()
    ragged = shared.counted(X, Y, mask, mask_of_outputs)
    assert [x.shape for x in ragged[0]] == [(3, np.count_nonzero(row)) for row in mask]
    singles = [(net, x[None], y[None]) for x, y in zip(*ragged, strict=True)]
    for function in ("gradient", "hessian_blocks", "gauss_newton_blocks"):
        ours = getattr(shared, function)(net, *ragged)
        parts = [getattr(shared, function)(*single) for single in singles]
        assert all(np.array_equal(3 * ours[l], sum(part[l] for part in parts)) for l in ours)
    parts = [shared.pairs(*single) for single in singles]
    for key, batch in shared.pairs(net, *ragged).items():
        lengths = [len(part[key][0].a) for part in parts]
        expand, reduce = ([f(part[key]) for part in parts] for f in (shared.expand, shared.reduce))
        Q, G = shared.expand(batch)
        assert np.array_equal(sum(lengths) * Q, sum(T * one.Q for T, one in zip(lengths, expand, strict=True)))
        assert np.array_equal(3 * G, sum(one.G for one in expand))
        assert np.array_equal(3 * shared.reduce(batch).Q, sum(one.Q for one in reduce))
        assert np.array_equal(3 * shared.reduce(batch).G, sum(one.G for one in reduce))


def test_without_masked_positions_nothing_changes():
    (net, X, Y), _, _ = MASKED["tokens"]()
    lists = shared.counted(X, Y, np.ones((3, 5), dtype=bool))
    ours, truth = everything(net, *lists), everything(net, X, Y)
    assert all(np.array_equal(ours[key], truth[key]) for key in truth)


def test_expand_is_exact_for_tokens_with_masks():
    """A linear network, a loss per token: with M below the line, and not N T or the mean over datapoints."""
    n = Numbers(93, exact=True)
    net, X, Y = problem(n, (n.dense(4, 3), n.dense(2, 4)), "squared_error", (3, 5))
    for batch in shared.pairs(net, *shared.counted(X, Y, GAPS)).values():
        exact = shared.exact_block(batch)
        assert np.array_equal(shared.expand(batch).block, exact)
        assert squared_error(shared.reduce(batch).block, exact) > WRONG
        mean = sum(one.a.T @ one.a / len(one.a) for one in batch) / 3
        assert squared_error(np.kron(mean, shared.expand(batch).G), exact) > fmpq(1, 1000)


@pytest.mark.parametrize("kind", ["mean", "sum"])
def test_reduce_is_exact_for_a_mean_over_counted_tokens(kind):
    """For a linear network. With the sum it is not, since the inputs have the mean over T_n positions."""
    n = Numbers(94, exact=True)
    layers = n.dense(4, 3), shared.Pooling(None, 1, kind), n.dense(2, 4)
    net, X, Y = problem(n, layers, "squared_error", (3, 5))
    batch = shared.pairs(net, *shared.counted(X, Y, GAPS, ONE))[1, 1]
    exact = shared.exact_block(batch)
    error = squared_error(shared.reduce(batch).block, exact)
    assert error == 0 if kind == "mean" else error > WRONG
    assert squared_error(shared.expand(batch).block, exact) > WRONG


def test_a_window_over_all_positions():
    """The width None is that of the input, for sequences and images, and ignores the stride."""
    n = Numbers(95, exact=True)
    for shape in ((3, 5), (3, 2, 4)):
        a = n(*shape)
        for kind in ("mean", "sum"):
            ours, truth = shared.Pooling(None, 7, kind), shared.Pooling(shape[1:], 1, kind)
            assert np.array_equal(ours.forward(a), truth.forward(a))
            assert ours.forward(a).shape == (3,) + (1,) * len(shape[1:])


def test_masks_of_images():
    """Whole rows and columns count, at different places in each datapoint."""
    n = Numbers(96, exact=True)
    layers = n.convolution(2, 3, width=(2, 3)), shared.Elementwise("leaky_relu"), n.dense(2, 2)
    net, X, Y = problem(n, layers, "squared_error", (3, 4, 5), N=2)
    mask, of_outputs = np.zeros((2, 4, 5), dtype=bool), np.zeros((2, 3, 3), dtype=bool)
    mask[0, :3, 1:], of_outputs[0, :2, :2] = True, True
    mask[1, 1:3, :3], of_outputs[1, 2:, 1:2] = True, True
    x, y = shared.counted(X, Y, mask, of_outputs)
    assert np.array_equal(x[0], X[0, :, :3, 1:])
    assert np.array_equal(y[1], Y[1, 2:, 1:2])
    ours = everything(net, x, y)
    truth = [everything(net, x[i][None], y[i][None]) for i in range(2)]
    assert np.array_equal(2 * ours["hessian_blocks 1"], sum(one["hessian_blocks 1"] for one in truth))
    mask[1, 0, 0] = True
    with pytest.raises(ValueError, match=r"mask: expected counted positions in whole rows .* datapoint 1"):
        shared.counted(X, Y, mask, of_outputs)


@pytest.mark.parametrize("divisor", [1, Fraction(4, 9)])
def test_kfra_over_tokens_is_the_paper_with_counted_tokens_as_datapoints(divisor):
    """G is M / (N divisor) times (26) for the M counted tokens, and over taps it is the same."""
    n = Numbers(97, exact=True)
    f = shared.Elementwise("leaky_relu")
    layers = n.dense(4, 3), f, n.dense(5, 4), f, n.dense(2, 5)
    net, X, Y = problem(n, layers, "squared_error", (3, 5), divisor=divisor)
    x, y = shared.counted(X, Y, GAPS)
    weights = tuple(layer.weight for layer in net.weighted.values())
    paper = ref.Network(weights, ("leaky_relu",) * 2, "squared_error")
    truth = ref.kfra(paper, np.concatenate([one.T for one in x]), np.concatenate(y))
    for kfra in (shared.kfra_over_tokens, shared.kfra_over_taps):
        ours = kfra(net, x, y)
        for l, here in {1: 1, 2: 3, 3: 5}.items():
            assert np.array_equal(
                ours[here] * 3 * divisor.numerator, truth[l] * np.count_nonzero(GAPS) * divisor.denominator
            )


def test_kfra_over_taps_with_one_mixing_layer():
    """In a linear network with a loss per position it is the second factor of expand, for each length."""
    n = Numbers(98, exact=True)
    mixing = n.convolution(4, 2, width=3, padding=(2, 1), stride=2)
    net, X, Y = problem(n, (n.dense(2, 3), mixing, n.dense(3, 4)), "squared_error", (3, 5))
    x = [x[:, :T] for x, T in zip(X, (5, 2, 3), strict=True)]
    y = [y[:T] for y, T in zip(Y, (3, 2, 2), strict=True)]
    G = shared.kfra_over_taps(net, x, y)
    for l in (1, 3):
        assert np.array_equal(G[l], shared.expand(shared.pairs(net, x, y)[l, 1]).G)


def test_kfra_over_positions_needs_datapoints_of_one_length():
    (net, X, Y), mask, of_outputs = MASKED["pooled"]()
    with pytest.raises(ValueError, match=r"X: expected datapoints of one shape, got \(3, 3\), \(3, 4\), \(3, 5\)"):
        shared.kfra_over_positions(net, *shared.counted(X, Y, mask, of_outputs))


def test_a_divisor_that_is_no_integer():
    """A rational divisor divides the loss and each block once, and the blocks of sampled labels have the exact mean."""
    net, X, Y = token_network()
    whole, divided = ((net._replace(divisor=divisor), *shared.counted(X, Y, GAPS)) for divisor in (1, Fraction(9, 4)))
    ours, truth = everything(*divided), everything(*whole)
    assert ours["loss"] * 9 == truth["loss"] * 4
    for key in truth:
        times = 1 if key.startswith("foof") else fmpq(9, 4)
        assert np.array_equal(ours[key] * times, truth[key]), key
    net, x, y = divided
    h = shared.forward(net, x[1])[net.L].T
    signs = itertools.product((fmpq(-1), fmpq(1)), repeat=h.size)
    labels = [h + np.reshape(z, h.shape) for z in signs]
    sampled, exact = shared.sampled_pairs(net, x[1:2], [labels]), shared.pairs(net, x[1:2], y[1:2])
    assert np.array_equal(shared.exact_block(sampled[1, 1]), shared.exact_block(exact[1, 1]))


def test_labels_are_drawn_for_counted_positions():
    net, X, Y = token_network()
    rng = np.random.default_rng(99)
    x, _ = shared.counted(X, Y, GAPS)
    z = [rng.integers(-3, 3, size=(4, one.shape[1], 2)) for one in x]
    labels = shared.draw_labels(net, x, z)
    for one, draws, drawn in zip(x, z, labels, strict=True):
        assert np.array_equal(drawn, draws + shared.forward(net, one)[net.L].T)
    batch = shared.sampled_pairs(net, x, labels)[1, 1]
    assert [pairs.C.shape for pairs in batch] == [(3, 4, 4), (2, 4, 4), (5, 4, 4)]


def language_model():
    """Tokens with padding at the end: a normalisation, a causal and a centred convolution, and a loss per token."""
    n = Numbers(100)
    layers = (
        *(shared.Embedding(n(4, 7)), shared.Normalisation(0.25), shared.ScaleShift(n(4, 2))),
        *(n.convolution(3, 4, width=3, padding=(1, 1)), shared.Elementwise("tanh")),
        *(n.convolution(2, 3, width=2, padding=(1, 0)), n.dense(5, 2)),
    )
    M = np.count_nonzero(ENDS)
    return problem(n, layers, "categorical", (5,), divisor=Fraction(M, 3))


def classifier():
    """Sequences with padding at the end: a convolution, the mean over counted positions, and a dense layer."""
    n = Numbers(101)
    layers = (
        *(n.convolution(3, 2, width=3, padding=(1, 1)), shared.Elementwise("softplus")),
        *(shared.Pooling(None, 1, "mean"), n.dense(4, 3)),
    )
    return problem(n, layers, "categorical", (2, 5))


def masked_outputs(networks, library, net, theta, X):
    """The outputs (N, T, D) of the padded batch, whose convolutions and means multiply their input by the mask."""
    parts, start = {}, 0
    for l, layer in net.weighted.items():
        parts[l] = theta[start : start + layer.weight.size].reshape(layer.weight.shape[::-1]).T
        start += layer.weight.size

    def of_datapoint(x, m):
        a = x
        for l, layer in enumerate(net.layers, 1):
            if isinstance(layer, shared.Convolution | shared.Pooling):
                a = library.where(m, a, library.zeros_like(a))
            if isinstance(layer, shared.Pooling):
                a = a.sum(axis=1).reshape(-1, 1) / m.sum()
            else:
                a = networks.applied(layer, parts.get(l), a)
        return a.T

    mask = library.asarray(ENDS)
    return library.stack([of_datapoint(x, m) for x, m in zip(library.asarray(X), mask, strict=True)])


def by_torch(net, theta, X, Y):
    """E, its gradient, its Hessian and J^T H_L J of a padded batch, with the mean of `ignore_index`."""
    torch = pytest.importorskip("torch")
    from . import networks_of_torch as networks

    labels = torch.tensor(Y).flatten()

    def output(theta):
        return masked_outputs(networks, torch, net, theta, X).reshape(len(labels), -1)

    def loss(h):
        return torch.nn.functional.cross_entropy(h, labels, ignore_index=IGNORED)

    def error(theta):
        return loss(output(theta))

    theta = torch.tensor(theta)
    h = output(theta)
    J = torch.func.jacrev(output)(theta).reshape(h.numel(), -1)
    H_L = torch.func.hessian(loss)(h).reshape(h.numel(), -1)
    results = error(theta), torch.func.grad(error)(theta), torch.func.hessian(error)(theta), J.T @ H_L @ J
    return [result.numpy() for result in results]


def by_jax(net, theta, X, Y):
    """The same by JAX, with the sum over counted labels divided by their number."""
    jax = pytest.importorskip("jax")
    from . import networks_of_jax as networks

    labels = Y.flatten()

    def output(theta):
        return masked_outputs(networks, jax.numpy, net, theta, X).reshape(len(labels), -1)

    def loss(h):
        return networks.LOSSES["categorical"](h[labels != IGNORED], labels[labels != IGNORED]) / sum(labels != IGNORED)

    def error(theta):
        return loss(output(theta))

    def expanded(step, theta):
        return loss(sum(jax.jvp(output, (theta,), (step,))))

    def everything(theta):
        return error(theta), jax.grad(error)(theta), jax.hessian(error)(theta), jax.hessian(expanded)(0 * theta, theta)

    with jax.enable_x64(True):
        return list(map(np.asarray, jax.jit(everything)(theta)))


IGNORED = -100


@pytest.mark.parametrize(
    ("make", "autodiff"),
    [
        (language_model, by_torch),
        pytest.param(language_model, by_jax, marks=pytest.mark.thorough),
        (classifier, by_torch),
        (classifier, by_jax),
    ],
)
def test_padded_batches(make, autodiff, vector, blocks, relative_error):
    """Loss, gradient and both blocks, with the mean over all counted labels."""
    net, X, Y = make()
    of_tokens = make is language_model
    padded = np.where(ENDS if of_tokens else ENDS[:, None], X, 6 if of_tokens else 1e6)
    labels = np.where(ENDS, Y, IGNORED) if of_tokens else Y
    loss, gradient, hessian, gauss_newton = autodiff(net, vector(net), padded, labels)
    batch = net, *shared.counted(X, Y, ENDS, None if of_tokens else ONE)
    assert relative_error(shared.loss(*batch), loss) < 1e-12
    assert relative_error(vector_of(shared.gradient(*batch)), gradient) < 1e-12
    assert relative_error(shared.hessian_blocks(*batch), blocks(net, hessian)) < 1e-12
    assert relative_error(shared.gauss_newton_blocks(*batch), blocks(net, gauss_newton)) < 1e-12


def vector_of(gradient):
    return np.concatenate([g.ravel(order="F") for g in gradient.values()])


def test_closed_forms_of_an_embedding_with_masks():
    """Counts of counted tokens over M give the Q of expand."""
    net, X, Y = language_model()
    batch = net, *shared.counted(X, Y, ENDS)
    q, G = shared.expand_tokens(shared.token_pairs(*batch), V=7)
    expand = shared.expand(shared.pairs(*batch)[1, 1])
    counts = [np.count_nonzero(v == X[ENDS]) for v in range(7)]
    assert np.allclose(q, np.array(counts) / 12, rtol=1e-15, atol=0)
    assert np.allclose(np.diag(q), expand.Q, rtol=1e-15, atol=0)
    assert np.array_equal(G, expand.G)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, Y, mask: (X, Y, mask.astype(int)), "mask: expected bool, True where a position counts, got int64"),
        (
            lambda X, Y, mask: (X, Y, mask[:, :4]),
            r"mask: expected shape \(N, \*positions\) for X \(3, 3, 5\), got \(3, 4\)",
        ),
        (lambda X, Y, mask: (X, Y, mask[:2]), r"mask: expected shape .* got \(2, 5\)"),
        (
            lambda X, Y, mask: (X, Y, mask & (np.arange(3) < 2)[:, None]),
            "mask: expected at least one counted position, got none in datapoint 2",
        ),
        (
            lambda X, Y, mask: (X, Y[:, :1], mask),
            r"mask_of_outputs: expected shape \(N, \*positions\) for Y \(3, 1, 2\), got \(3, 5\)",
        ),
        (
            lambda X, Y, mask: (X, Y, mask, ~mask),
            "mask_of_outputs: expected at least one counted position, got none in datapoint 2",
        ),
    ],
)
def test_masks_that_do_not_fit_are_refused(change, message):
    _, X, Y = token_network()
    with pytest.raises(ValueError, match=message):
        shared.counted(*change(X, Y, GAPS))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, Y: (X, Y[:2]), "Y: expected labels of 3 datapoints, got 2"),
        (lambda X, Y: (X, [Y[0], Y[2], Y[1]]), r"Y\[1\]: expected shape \(2, 2\) for squared_error, got \(5, 2\)"),
        (lambda X, Y: ([], Y), r"X: expected shape \(N, C, T\) or \(N, C, H, W\) with N > 0, got \(0,\)"),
        (lambda X, Y: ([X[0], X[1][:2], X[2]], Y), "layer 1: weight: expected shape"),
    ],
)
def test_batches_of_different_lengths_that_do_not_fit_are_refused(change, message):
    net, X, Y = token_network()
    with pytest.raises(ValueError, match=message):
        shared.loss(net, *change(*shared.counted(X, Y, GAPS)))


@pytest.mark.parametrize("divisor", [0, Fraction(-1, 2), 2.5])
def test_the_divisor_is_a_positive_rational(divisor):
    net, X, Y = mixed()
    with pytest.raises(ValueError, match=f"divisor: expected a positive int or Fraction, got {divisor}"):
        shared.loss(net._replace(divisor=divisor), X, Y)
