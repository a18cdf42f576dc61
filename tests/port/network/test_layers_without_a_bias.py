"""Networks that mix layers with and without a bias and transfer functions with a parameter, against autodiff."""

import dataclasses
import itertools

import numpy as np
import pytest

import kfgn

from .mixed_layers import OBJECTIVES, SLOPE, N, S, autodiff, close, diagonal_blocks, problem, ravel

MIXED = pytest.mark.parametrize("biases", [(True, False, True, False), (False, True, False, True), (False,) * 4])


@MIXED
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_against_autodiff(biases, objective):
    p = problem(biases, objective)
    true, data, v = autodiff(p), p[:4], ravel(p.V)
    close(kfgn.loss(*data), true.loss)
    close(ravel(kfgn.gradient(*data)), true.gradient)
    close(kfgn.jacobian_product(*p[:3], p.V), true.J @ v)
    U = np.random.default_rng(3).standard_normal((N, 3))
    close(ravel(kfgn.transposed_jacobian_product(*p[:3], U)), np.einsum("ndp,nd->p", true.J, U) / N)
    for M, full, blocks, dense in [
        (true.G, kfgn.gauss_newton_product, kfgn.gauss_newton_block_product, kfgn.gauss_newton_blocks),
        (true.H, kfgn.hessian_product, kfgn.hessian_block_product, kfgn.hessian_blocks),
    ]:
        close(ravel(full(*data, p.V)), M @ v)
        exact = diagonal_blocks(p.network, M)
        for block, product, B, V in zip(dense(*data), blocks(*data, p.V), exact, p.V, strict=True):
            close(block, B)
            close(product.T.ravel(), B @ V.T.ravel())
    close(kfgn.curvature_along(*data, p.V, tau=0.5, eta=0.25), v @ true.G @ v + 0.75 * v @ v)
    theta = ravel(p.weights)
    slope = v @ (true.gradient + 0.25 * theta)
    f = true.loss + 0.125 * theta @ theta
    curvature = v @ true.G @ v + 0.75 * v @ v
    close(kfgn.quadratic_model(*data, p.V, tau=0.5, eta=0.25), f + slope + curvature / 2)
    close(kfgn.step_size(*data, p.V, tau=0.5, eta=0.25), -slope / curvature)


@MIXED
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_factors(biases, objective):
    p = problem(biases, objective)
    data = p[:4]
    mean = [G_l.mean(axis=0) for G_l in kfgn.preactivation_gauss_newton(*data)]
    result = kfgn.kflr(*data)
    in_chunks = kfgn.kflr(*data, memory=1)
    K = kfgn.projection_shape(p.network, N, S)[-1]
    columns = np.sqrt(K) * np.broadcast_to(np.eye(K), (N, K, K))  # K projections whose mean of z z^T is I
    projected = kfgn.rp(*data, columns)
    for G_l, exact, chunked, from_columns in zip(result.G, mean, in_chunks.G, projected.G, strict=True):
        close(G_l, exact)
        close(chunked, exact)
        close(from_columns, exact)
    recursion = kfgn.kfra(*data)
    close(recursion.G[-1], mean[-1])
    for one in (result, recursion, projected):
        a = p.X
        for layer, W, Q in zip(p.network.layers, p.weights, one.Q, strict=True):
            inputs = np.concatenate([a, np.ones((N, 1))], axis=1) if layer.bias else a
            close(Q, inputs.T @ inputs / N)
            h = inputs @ W.T
            a = np.tanh(h) if layer.transfer == "tanh" else np.where(h > 0, h, SLOPE * h)
        for g, h in zip(one.gradient, kfgn.gradient(*data), strict=True):
            close(g, h)


@MIXED
def test_kfra_and_kfac_by_hand(biases):
    p = problem(biases, "categorical")
    draws = np.random.default_rng(4).random((N, S))
    labels = kfgn.sample_labels(*p[:3], draws)
    kernels = [W[:, :-1] if layer.bias else W for layer, W in zip(p.network.layers, p.weights, strict=True)]
    a, derivatives = p.X, []
    for layer, W, kernel in zip(p.network.layers, p.weights, kernels, strict=True):
        h = a @ kernel.T + (W[:, -1] if layer.bias else 0)
        tanh = layer.transfer == "tanh"
        a = np.tanh(h) if tanh else np.where(h > 0, h, SLOPE * h)
        derivatives.append(1 - np.tanh(h) ** 2 if tanh else np.where(h > 0, 1.0, SLOPE))
    G = np.mean(kfgn.preactivation_gauss_newton(*p[:4])[-1], axis=0)
    probabilities = np.exp(h) / np.exp(h).sum(axis=-1, keepdims=True)
    d = probabilities[:, None, :] - np.eye(3)[labels]
    kfra, kfac = kfgn.kfra(*p[:4]).G, kfgn.kfac(*p[:4], labels).G
    for l in reversed(range(4)):
        close(kfra[l], G)
        close(kfac[l], np.einsum("nsi,nsj->ij", d, d) / (N * S))
        if l:
            f = derivatives[l - 1]
            G = kernels[l].T @ G @ kernels[l] * (f.T @ f / N)
            d = d @ kernels[l] * f[:, None, :]


@MIXED
@pytest.mark.parametrize("inversion", ["trace", "exact"])
def test_blocks_and_solves(biases, inversion):
    p = problem(biases, "bernoulli")
    factors = kfgn.kflr(*p[:4])
    for block, V, shape in zip(kfgn.kronecker_blocks(factors.Q, factors.G), p.V, p.network.weight_shapes, strict=True):
        assert (block.G.shape[0], block.Q.shape[0]) == shape
        close(block.matvec(V).T.ravel(), block.dense() @ V.T.ravel())
        solved = block.solve(V, damping=0.5, inversion=inversion)
        assert solved.shape == shape
        if inversion == "exact":
            close(solved.T.ravel(), np.linalg.solve(block.dense() + 0.5 * np.eye(V.size), V.T.ravel()))
    G = autodiff(p).G
    b, damped = ravel(p.V), G + 0.5 * np.eye(len(G))
    x = kfgn.solve_gauss_newton(*p[:4], p.V, damping=0.5, iterations=300, tolerance=1e-13).x
    np.testing.assert_allclose(ravel(x), np.linalg.solve(damped, b), rtol=0, atol=1e-9)
    separate = kfgn.solve_gauss_newton_blocks(*p[:4], p.V, damping=0.5, iterations=300, tolerance=1e-13).x
    for x_l, B, b_l in zip(separate, diagonal_blocks(p.network, G), p.V, strict=True):
        solved = np.linalg.solve(B + 0.5 * np.eye(len(B)), b_l.T.ravel())
        np.testing.assert_allclose(x_l.T.ravel(), solved, rtol=0, atol=1e-9)


@MIXED
@pytest.mark.parametrize("method", ["kflr", "kfra", "kfac", "rp"])
def test_optimiser_steps(biases, method):
    p = problem(biases, "squared_error")
    optimiser = kfgn.GaussNewton(p.network, kfgn.KroneckerFactored(method), eta=1e-3)
    state = optimiser.init(p.weights)
    losses = []
    for t in range(1, 31):
        draws = optimiser.draw(1, t, N)
        state, info = optimiser.step(state, p.X, p.Y, None if draws is None else draws.astype("float64"))
        assert info.ok
        losses.append(info.loss)
    assert [W.shape for W in state.weights] == list(p.network.weight_shapes)
    assert losses[-1] < losses[0] / 4


@pytest.mark.parametrize("optimiser", [kfgn.HessianFree(), kfgn.HessianFree(blocks=True), "sgd", "adam"])
def test_other_optimisers(optimiser):
    p = problem((True, False, True, False), "squared_error")
    if optimiser == "sgd":
        optimiser = kfgn.SGD(p.network, 0.01)
    elif optimiser == "adam":
        optimiser = kfgn.Adam(p.network, 0.01)
    else:
        optimiser = kfgn.GaussNewton(p.network, optimiser)
    state = optimiser.init(p.weights)
    losses = []
    for _ in range(30):
        state, info = optimiser.step(state, p.X, p.Y)
        assert info.ok
        losses.append(info.loss)
    assert losses[-1] < losses[0]


def test_shapes_in_errors():
    p = problem((True, False, True, False), "squared_error")
    wide = np.zeros((2, 8))
    with pytest.raises(ValueError, match=r"^W_2: expected shape \(2, 7\), without a bias, got \(2, 8\)$"):
        kfgn.loss(p.network, (p.weights[0], wide, *p.weights[2:]), p.X, p.Y)
    with pytest.raises(ValueError, match=r"^V_1: expected shape \(7, 5\), bias in the last column, got \(2, 8\)$"):
        kfgn.jacobian_product(p.network, p.weights, p.X, (wide, *p.V[1:]))


def test_a_bias_of_zero_is_no_bias():
    p = problem((False,) * 4, "bernoulli")
    layers = tuple(dataclasses.replace(layer, bias=True) for layer in p.network.layers)
    network = dataclasses.replace(p.network, layers=layers)
    weights = [np.concatenate([W, np.zeros((len(W), 1))], axis=1) for W in p.weights]
    for method in (kfgn.kfra, kfgn.kflr):
        without, with_bias = method(*p[:4]), method(network, weights, p.X, p.Y)
        for name in ("gradient", "Q", "G"):
            for a, b in zip(getattr(without, name), getattr(with_bias, name), strict=True):
                close(a, b[: a.shape[0], : a.shape[1]])


def test_parameter_of_a_transfer_function():
    # a slope of 1 makes the network linear, and the default slope is 0.1
    X, Y = np.array([[1.0, -2.0], [-3.0, 0.5]]), np.zeros((2, 1))
    weights = [np.array([[1.0, 2.0, -0.5]]), np.array([[2.0, 1.0]])]

    def loss(transfer):
        network = kfgn.Network.dense((2, 1, 1), (transfer,), "squared_error")
        return kfgn.loss(network, weights, X, Y)

    assert loss(("leaky_relu", 1.0)) == loss("identity")
    assert loss(("leaky_relu", 0.0)) == loss("relu")
    assert loss(("leaky_relu", 0.1)) == loss("leaky_relu")
    assert loss(("leaky_relu", 0.01)) != loss("leaky_relu")


@pytest.mark.parametrize("objective", ["categorical", "mixture"])
def test_every_library(backend, objective):
    p = problem((False, True, False, True), objective)

    def results(*arrays, V):
        data = p.network, *arrays
        products = (f(*data, V) for f in (kfgn.hessian_product, kfgn.gauss_newton_block_product))
        return [*kfgn.kflr(*data).G, *kfgn.kfra(*data).Q, *itertools.chain(*products)]

    with backend.scope("float64"):
        weights, V = (tuple(map(backend.asarray, arrays)) for arrays in (p.weights, p.V))
        # compiled as one program, since JAX otherwise compiles every operation separately
        compute = pytest.importorskip("jax").jit(results) if backend.library == "jax" else results
        came = compute(weights, backend.asarray(p.X), backend.asarray(p.Y), V=V)
        for a, b in zip(came, results(*p[1:4], V=p.V), strict=True):
            close(backend.to_numpy(a), b)
