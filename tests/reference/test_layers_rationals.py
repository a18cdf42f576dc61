"""Layers without a bias, in rationals: each equals a network in which the missing biases are zero."""

from fractions import Fraction

import kfgn_reference as ref
import numpy as np
import pytest

from .layers import BIASES, WIDTHS, network


@pytest.fixture(scope="module", params=BIASES, ids=lambda biases: "".join("01"[b] for b in biases))
def biases(request):
    return request.param


def rational(array):
    return np.frompyfunc(lambda v: Fraction(int(np.round(7 * v)), 7), 1, 1)(array)


@pytest.fixture(scope="module")
def exact(biases):
    """A network of Fractions, its batch, and the same network with zeros for the missing biases."""
    transfers = (("leaky_relu", Fraction(1, 100)), "relu")
    net, X, Y = network("squared_error", biases, transfers, N=3, seed=4)
    net = net._replace(weights=tuple(rational(W) for W in net.weights))
    return net, rational(X), rational(Y), net._replace(weights=with_zeros(net, net.weights), biases=None)


def with_zeros(net, matrices):
    """The matrices per layer, with a column of zeros appended for each missing bias."""
    pairs = zip(matrices, net.biases, strict=True)
    return tuple(V if bias else np.append(V, V[:, :1] * 0, axis=1) for V, bias in pairs)


def without(net, V):
    """The matrices per layer, without the columns that `with_zeros` appends."""
    return {l: V[l] if net.biases[l - 1] else V[l][:, :-1] for l in V}


def blocks_without(net, blocks):
    """Q or the blocks of a matrix, without the rows and columns of the missing biases."""
    kept = {}
    for l, M in blocks.items():
        size = len(M) - (0 if net.biases[l - 1] else len(M) // (WIDTHS[l - 1] + 1))
        kept[l] = M[:size, :size]
    return kept


def assert_equal(ours, truth):
    assert ours.keys() == truth.keys()
    for key in truth:
        assert ours[key].tolist() == truth[key].tolist()
        assert {type(v) for v in np.ravel(ours[key])} <= {Fraction, int}


def test_rational_forward(exact):
    """h_L and the loss equal loops over layers and units."""
    net, X, Y, _ = exact
    total = 0
    for x, y in zip(X, Y, strict=True):
        a = list(x)
        for W, bias, slope in zip(net.weights, net.biases, (Fraction(1, 100), 0, 1), strict=True):
            h = [sum(w * v for w, v in zip(row, [*a, 1] if bias else a, strict=True)) for row in W]
            a = [v if v > 0 else slope * v for v in h]
        assert ref.forward(net, x)[1][net.L].tolist() == h
        total += sum((v - t) ** 2 for v, t in zip(h, y, strict=True))
    assert ref.loss(net, X, Y) == total / 2 / len(X)


def test_rational_curvature(exact):
    net, X, Y, wide = exact
    assert_equal(ref.gradient(net, X, Y), without(net, ref.gradient(wide, X, Y)))
    assert_equal(ref.expected_q(net, X), blocks_without(net, ref.expected_q(wide, X)))
    for factor in (ref.kfra, ref.kflr):
        assert_equal(factor(net, X, Y), factor(wide, X, Y))
    for blocks in (ref.hessian_blocks, ref.gauss_newton_blocks):
        assert_equal(blocks(net, X, Y), blocks_without(net, blocks(wide, X, Y)))


def test_rational_products(exact):
    net, X, Y, wide = exact
    V = {l: W * 0 + 1 + np.arange(W.size).reshape(W.shape) % 5 for l, W in enumerate(net.weights, 1)}
    U = dict(enumerate(with_zeros(net, V.values()), 1))
    for product in (ref.hessian_product, ref.gauss_newton_product):
        assert_equal(product(net, X, Y, V), without(net, product(wide, X, Y, U)))
    assert ref.curvature_along(net, X, Y, V, Fraction(1, 3), 0) == ref.curvature_along(wide, X, Y, U, Fraction(1, 3), 0)


def test_rational_optimiser_step(exact):
    """The weights change by -delta, where (G-bar + (tau + eta) I) delta = grad f, exactly."""
    net, X, Y, _ = exact
    tau, eta = Fraction(3, 5), Fraction(1, 50)
    start = ref.initial_state(net, tau, Fraction(1))
    state, info = ref.optimiser_step(ref.Settings("hessian_free", eta), start, X, Y)
    moved = ref.theta({l: W - net.weights[l - 1] for l, W in enumerate(state.net.weights, 1)})
    g = ref.theta(ref.regularised_gradient(net, X, Y, eta))
    assert info.alpha == -1  # delta minimises the model that determines alpha
    assert (ref.damped(ref.gauss_newton(net, X, Y), tau + eta) @ moved == -g).all()
