"""KFLR (25): by hand, compared with the reference and with products of Jacobians, and within any `memory`.

Also: `test_equation_25` in tests/reference/equations/ for the reference, and the rows `kflr` and `kflr_blocks` of the
conformance kit for every library.
"""

import tracemalloc

import kfgn_reference as ref
import numpy as np
import pytest

import kfgn
from kfgn._curvature import chunk_memory as module
from kfgn._linearisation.linearisation import GaussNewtonLinearisation

from .by_hand import DEEP, OBJECTIVES, assert_layers, batch, in_order, reference, without_jax

WIDTHS = {
    "one layer": (3, 4),
    "two layers": (3, 5, 4),
    "two layers, bottleneck": (3, 2, 4),
    "three layers": (2, 5, 6, 4),
    "bottleneck above": (4, 6, 2, 5),
    "bottleneck below": (4, 2, 6, 5),
    "one unit": (3, 4, 1, 5),
    "four layers, narrowing": (6, 5, 4, 3, 7),
    "four layers, one output": (3, 4, 2, 3, 1),
    "autoencoder": (7, 5, 2, 4, 6, 7),
    "two bottlenecks": (3, 3, 6, 2, 5, 7),
}

SLOPES = {
    "tanh": (np.tanh, lambda h: 1 - np.tanh(h) ** 2),
    "softplus": (lambda h: np.log(1 + np.exp(h)), lambda h: 1 / (1 + np.exp(-h))),
    "leaky_relu": (lambda h: np.where(h > 0, h, h / 10), lambda h: np.where(h > 0, 1.0, 0.1)),
    "logistic": (lambda h: 1 / (1 + np.exp(-h)), lambda h: np.exp(-h) / (1 + np.exp(-h)) ** 2),
}


@without_jax
def test_by_hand(backend):
    # the first datapoint is inactive in the first layer, and has ((4, 6), (6, 9)) in the second
    assert_layers(backend, kfgn.kflr(*batch(backend)).G, ([[4 / 2]], [[4, 3], [3, 4.5]], [[1]]))


@pytest.mark.parametrize("objective", OBJECTIVES)
@without_jax
def test_reference(backend, problem, objective):
    p = problem(backend, objective, widths=DEEP)
    assert_layers(backend, kfgn.kflr(*p[:4]).G, in_order(ref.kflr(*reference(backend, p))), 1e-13)


@pytest.mark.parametrize("objective", OBJECTIVES)
@without_jax
def test_it_is_the_mean_of_the_exact_matrices(backend, problem, objective):
    p = problem(backend, objective, widths=DEEP)
    exact = [backend.to_numpy(G).mean(0) for G in kfgn.preactivation_gauss_newton(*p[:4])]
    assert_layers(backend, kfgn.kflr(*p[:4]).G, exact, 1e-13)


def loss_hessian(objective, h):
    if objective == "squared_error":
        return np.eye(h.size)
    p = np.exp(h) / np.sum(np.exp(h)) if objective == "categorical" else 1 / (1 + np.exp(-h))
    return np.diag(p) - np.outer(p, p) if objective == "categorical" else np.diag(p * (1 - p))


def mean_gauss_newton(network, weights, X):
    """The mean of J_l^T H_L J_l with the matrix J_l = dh_L/dh_l, one datapoint and one layer at a time."""
    sums = [np.zeros((D, D)) for D in network.widths[1:]]
    for x in X:
        a, hs = x, []
        for l, W in enumerate(weights):
            hs.append(W @ np.append(a, 1.0))
            if l < network.depth - 1:
                a = SLOPES[network.transfers[l]][0](hs[-1])
        for l in range(network.depth):
            J = np.eye(network.widths[-1])
            for m in reversed(range(l, network.depth - 1)):
                J = J @ weights[m + 1][:, :-1] @ np.diag(SLOPES[network.transfers[m]][1](hs[m]))
            sums[l] = sums[l] + J.T @ loss_hessian(network.objective, hs[-1]) @ J
    return [total / len(X) for total in sums]


@pytest.mark.parametrize("objective", ["squared_error", "bernoulli", "categorical"])
@pytest.mark.parametrize("widths", WIDTHS)
@pytest.mark.parametrize("backend", ["numpy"], indirect=True)
def test_any_memory(backend, problem, widths, objective):
    p = problem(backend, objective, widths=WIDTHS[widths], N=11)
    expected = mean_gauss_newton(p.network, p.weights, p.X)
    one = 3 * WIDTHS[widths][-1] * max(WIDTHS[widths][1:]) * 8  # about the size of the roots of one datapoint
    for memory in (1, one - 1, one, 2 * one + 1, 3 * one, 5 * one, 11 * one, 12 * one, 2**40):
        for G, exact in zip(kfgn.kflr(p.network, p.weights, p.X, p.Y, memory=memory).G, expected, strict=True):
            np.testing.assert_allclose(G, exact, rtol=0, atol=1e-13 * np.abs(exact).max())
    # no other field of the result depends on the memory
    small, large = (kfgn.kflr(p.network, p.weights, p.X, p.Y, memory=memory) for memory in (1, 2**40))
    for a, b in zip((small.loss, *small.gradient, *small.Q), (large.loss, *large.gradient, *large.Q), strict=True):
        assert a.tobytes() == b.tobytes()


def test_any_memory_on_every_library(backend, problem):
    # a layer that is narrower than D_L lies above one that is not: the test takes both branches and the restart
    p = problem(backend, "categorical", widths=(2, 3, 2, 3), N=2)
    expected = mean_gauss_newton(p.network, [backend.to_numpy(W) for W in p.weights], backend.to_numpy(p.X))
    for memory in (1, 2**28):
        for G, exact in zip(kfgn.kflr(p.network, p.weights, p.X, p.Y, memory=memory).G, expected, strict=True):
            np.testing.assert_allclose(backend.to_numpy(G), exact, rtol=0, atol=1e-13 * np.abs(exact).max())


@pytest.mark.parametrize("widths", ["two layers", "two layers, bottleneck", "autoencoder"])
@without_jax
def test_the_last_hidden_layer_of_the_squared_error_is_a_step_of_kfra(backend, problem, widths):
    # the step is exact, and it needs no roots of H_L
    p = problem(backend, "squared_error", widths=WIDTHS[widths], N=7)
    by_kflr, by_kfra = (backend.to_numpy(method(*p[:4]).G[-2]) for method in (kfgn.kflr, kfgn.kfra))
    np.testing.assert_array_equal(by_kflr, by_kfra)


@pytest.mark.parametrize("widths", [(3, 64, 64, 64), (3, 50, 49, 50), (3, 60, 60, 59, 60), (3, 16, 64), (9, 80, 5)])
@pytest.mark.parametrize("backend", ["numpy"], indirect=True)
def test_the_memory_is_kept_to(backend, problem, widths):
    # the roots of a chunk fit in `memory` bytes; NumPy reports its arrays to tracemalloc
    p = problem(backend, "squared_error", widths=widths, N=200)

    def peak(memory):
        tracemalloc.start()
        try:
            kfgn.kflr(p.network, p.weights, p.X, p.Y, memory=memory)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    other = peak(1)  # the peak with one datapoint at a time is that of the other arrays
    memory = 2**22
    assert peak(memory) - other <= memory


@pytest.mark.parametrize("backend", ["jax"], indirect=True)
def test_a_traced_program_has_fewer_chunks(backend, problem, monkeypatch):
    # a traced program contains every chunk, so many chunks would compile for long
    import jax

    p, chunks, part = problem(backend, "categorical"), [], GaussNewtonLinearisation.part
    monkeypatch.setattr(GaussNewtonLinearisation, "part", lambda at, *rows: (chunks.append(rows), part(at, *rows))[1])
    monkeypatch.setattr(module, "MEMORY", 1)
    kfgn.kflr(p.network, p.weights, p.X, p.Y)
    assert len(chunks) == p.X.shape[0] > 1
    chunks.clear()
    jax.jit(lambda weights, X, Y: kfgn.kflr(p.network, weights, X, Y, check=False)).lower(p.weights, p.X, p.Y)
    assert len(chunks) == 1
