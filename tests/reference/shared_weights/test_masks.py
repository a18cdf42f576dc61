"""Masks: no influence of masked positions, and sums over shorter datapoints."""

import itertools
from fractions import Fraction
from functools import cache

import kfgn_reference as ref
import kfgn_reference.shared_weights as shared
import numpy as np
import pytest
from flint import fmpq
from hypothesis import given, settings, strategies as st

from .masked_problems import GAPS, MASKED, ONE, token_network
from .problems import Numbers, problem
from .problems_of_rationals import mixed
from .test_exact_cases import WRONG, squared_error


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
        (lambda X, Y: (X, Y[:2]), "Y: expected 3 datapoints, got 2"),
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
