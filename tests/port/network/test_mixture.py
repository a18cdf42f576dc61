"""The mixture (27) compared with its definition in 60 decimal digits, and replacements of its indefinite H_L."""

import dataclasses
import decimal
from decimal import Decimal

import array_api_compat.numpy as xp
import numpy as np
import pytest

import kfgn
from kfgn._network import mixture
from kfgn._network.indefinite_hessian import projected

SCALES = [0.0, 0.3, 1.0, 4.0, 15.0, 40.0]


@pytest.fixture(autouse=True)
def digits():
    with decimal.localcontext() as context:
        context.prec = 60
        yield


def sigma(x):
    return 1 / (1 + (-x).exp())


def definition(h, y):
    """E = -log p with its gradient and Hessian, from those of p, in so many digits that cancellation does no harm."""
    t = 2 * int(y) - 1
    s, A, C = (sigma(Decimal(float(x)) * sign) for x, sign in zip(h, (1, t, t), strict=True))
    ds, dA, dC = s * (1 - s), t * A * (1 - A), t * C * (1 - C)
    p = s * A + (1 - s) * C
    dp = [ds * (A - C), s * dA, (1 - s) * dC]
    second = [
        [ds * (1 - 2 * s) * (A - C), ds * dA, -ds * dC],
        [ds * dA, s * A * (1 - A) * (1 - 2 * A), Decimal(0)],
        [-ds * dC, Decimal(0), (1 - s) * C * (1 - C) * (1 - 2 * C)],
    ]
    gradient = [-d / p for d in dp]
    hessian = [[dp[i] * dp[j] / (p * p) - second[i][j] / p for j in range(3)] for i in range(3)]
    return np.array(-p.ln()), np.array(gradient), np.array(hessian)


def outputs(scale, dtype, N=60):
    rng = np.random.default_rng(int(10 * scale))
    h = (rng.standard_normal((N, 3)) * scale).astype(dtype)
    h[:6] = scale * np.array([[1, 1, 1], [1, 1, -1], [1, -1, 1], [-1, 1, 1], [-1, -1, -1], [0, 1, -1]])
    return h, rng.integers(0, 2, N)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scale", SCALES)
def test_definition(scale, dtype):
    # relative to the largest element of each datapoint: a confident model keeps its digits
    h, y = outputs(scale, dtype)
    info = np.finfo(dtype)
    for n in range(len(y)):
        came = (f(xp, h[n : n + 1], y[n : n + 1])[0] for f in (mixture.value, mixture.gradient, mixture.hessian))
        for a, truth in zip(came, definition(h[n], y[n]), strict=True):
            assert a.dtype == dtype
            largest = max(map(abs, truth.ravel()))
            if largest > 1e6 * float(info.tiny):
                errors = [abs(Decimal(float(x)) - e) for x, e in zip(np.ravel(a), truth.ravel(), strict=True)]
                assert max(errors) <= 100 * Decimal(float(info.eps)) * largest, (h[n], y[n], a, truth)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_outputs_without_bounds(dtype):
    # no warning, no value that is not finite, and no underflow in the logarithm
    big = np.array([1e4, 1e30, np.finfo(dtype).max / 4], dtype)
    for signs in np.ndindex(2, 2, 2):
        h = big[:, None] * (2 * np.array(signs) - 1).astype(dtype)
        for y in (0, 1):
            E, g, H = (f(xp, h, np.full(3, y)) for f in (mixture.value, mixture.gradient, mixture.hessian))
            assert all(np.all(np.isfinite(a)) for a in (E, g, H))
            wrong = signs[1 if signs[0] else 2] != y  # the classifier with the larger weight
            np.testing.assert_allclose(E, big if wrong else np.zeros(3), rtol=1e-3)


def test_autodiff():
    jax = pytest.importorskip("jax")
    jnp, sigmoid = jax.numpy, jax.nn.log_sigmoid

    def energy(h, y):
        t = 2 * y - 1
        return -jnp.logaddexp(sigmoid(h[0]) + sigmoid(t * h[1]), sigmoid(-h[0]) + sigmoid(t * h[2]))

    theirs = [jax.jit(jax.vmap(f)) for f in (energy, jax.grad(energy), jax.hessian(energy))]
    with jax.enable_x64(True):
        for scale in SCALES:
            h, y = outputs(scale, "float64")
            for ours, autodiff in zip((mixture.value, mixture.gradient, mixture.hessian), theirs, strict=True):
                np.testing.assert_allclose(ours(xp, h, y), autodiff(h, y * 1.0), rtol=0, atol=1e-14)


def test_hessian_at_zero():
    h = np.zeros((1, 3))
    expected = np.array([[0, -2, 2], [-2, 1, 1], [2, 1, 1]]) / 16
    np.testing.assert_array_equal(mixture.hessian(xp, h, np.array([1]))[0], expected)
    np.testing.assert_allclose(np.linalg.eigvalsh(expected), [-(2**0.5) / 8, 1 / 8, 2**0.5 / 8], rtol=1e-15)


@pytest.mark.parametrize("scale", [0.0, 0.3, 1.0, 4.0])
def test_one_negative_eigenvalue_everywhere(scale):
    eigenvalues = np.linalg.eigvalsh(mixture.hessian(xp, *outputs(scale, "float64")))
    assert np.all(eigenvalues[:, 0] < 0)
    assert np.all(eigenvalues[:, 1:] > 0)


def test_projected_is_the_positive_part():
    H = mixture.hessian(xp, *outputs(1.0, "float64"))
    values, vectors = np.linalg.eigh(H)
    expected = np.einsum("nik,nk,njk->nij", vectors, np.maximum(values, 0), vectors)
    M = projected(xp, H)
    np.testing.assert_allclose(M.matrix(), expected, rtol=0, atol=1e-15)
    np.testing.assert_allclose(M.mean(), expected.mean(0), rtol=0, atol=1e-15)
    assert np.abs(projected(xp, H.mean(0)[None]).matrix()[0] - M.mean()).max() > 0.01, "not the projection of the mean"


def test_root_does_not_depend_on_the_signs_of_eigenvectors():
    M = projected(xp, mixture.hessian(xp, *outputs(1.0, "float64")))
    flipped = M._replace(V=M.V * np.array([-1.0, 1.0, -1.0]))
    rng = np.random.default_rng(0)
    z, A = rng.standard_normal((4, 60, 3)), rng.standard_normal((3, 5))
    np.testing.assert_allclose(flipped.root_product(z), M.root_product(z), rtol=0, atol=1e-15)
    np.testing.assert_allclose(flipped.transposed_root_product(A), M.transposed_root_product(A), rtol=0, atol=1e-15)
    root = M.transposed_root_product(np.eye(3))
    np.testing.assert_allclose(root, np.swapaxes(root, 1, 2), rtol=0, atol=1e-15)
    assert np.linalg.eigvalsh(root).min() > -1e-15


def test_scalar_is_of_rank_one(backend, problem):
    p = problem(backend, "mixture scalar")
    G = backend.to_numpy(kfgn.preactivation_gauss_newton(p.network, p.weights, p.X, p.Y)[-1])
    h = backend.to_numpy(p.X)
    W_1, W_2 = (backend.to_numpy(W) for W in p.weights)
    h = np.tanh(h @ W_1[:, :-1].T + W_1[:, -1]) @ W_2[:, :-1].T + W_2[:, -1]
    g = mixture.gradient(xp, h, backend.to_numpy(p.Y))
    np.testing.assert_allclose(G, g[:, :, None] * g[:, None, :], rtol=0, atol=1e-14)


def test_every_library_keeps_the_digits_of_the_loss(backend):
    """For labels to which both classifiers, and so the mixture, give a probability from 1/2 to almost 1."""
    network = kfgn.Network.dense((3, 3), (), "mixture")
    identity, label = np.column_stack([np.eye(3), np.zeros(3)]), np.array([1])
    for x in np.linspace(0, 8, 65):
        h = np.array([[0.25, x, x]])
        with backend.scope("float64"):
            E = kfgn.loss(network, (backend.asarray(identity),), backend.asarray(h), backend.asarray(label))
        truth = definition(h[0], 1)[0][()]
        assert abs(Decimal(float(backend.to_numpy(E))) - truth) <= 8 * Decimal(2.0**-53) * truth, x


def test_raise(backend, shallow, functions):
    # functions that need no Gauss-Newton matrix are computed
    p = shallow(backend, "mixture")
    refusing = p._replace(network=dataclasses.replace(p.network, psd="raise"))
    free = {
        *("loss", "gradient", "kfac", "foof", "sample_labels", "preactivation_hessians", "hessian_blocks"),
        *("jacobian_product", "transposed_jacobian_product", "hessian_product", "hessian_block_product"),
        *("tkfac", "tnt", "kfoc", "ekfac", "ekfac_diagonal"),  # with labels
    }
    for function in functions():
        if function.name in free:
            function(refusing)
            continue
        with pytest.raises(ValueError, match=r"^psd: expected 'project' or 'scalar' .*mixture.*indefinite.* 'raise'$"):
            function(refusing, check=False)


@pytest.mark.parametrize("objective", ["squared_error", "bernoulli", "categorical"])
@pytest.mark.parametrize("psd", ["scalar", "raise"])
def test_other_objectives_take_no_notice(backend, problem, objective, psd):
    p, q = problem(backend, objective), problem(backend, f"{objective} {psd}")
    assert q.network.psd == psd
    for a, b in zip(*(kfgn.kflr(*args[:4]).G for args in (p, q)), strict=True):
        assert backend.to_numpy(a).tobytes() == backend.to_numpy(b).tobytes()


def test_sampled_labels_have_their_probability(backend, problem):
    # a label is 1 if and only if its uniform is below p(1 | h), which evenly spread uniforms show
    p = problem(backend, "mixture")
    u = (np.arange(1000) + 0.5) / 1000
    draws = backend.asarray(np.tile(u, (7, 1)))
    labels = backend.to_numpy(kfgn.sample_labels(p.network, p.weights, p.X, draws))
    ones = backend.asarray(np.ones(7, "int64"))
    one = [np.exp(-backend.to_numpy(kfgn.loss(p.network, p.weights, p.X[n : n + 1, :], ones[:1]))) for n in range(7)]
    np.testing.assert_allclose(labels.mean(1), one, rtol=0, atol=1e-3)
    assert np.all(np.diff(labels, axis=1) <= 0)


@pytest.mark.parametrize("psd", ["project", "scalar"])
@pytest.mark.parametrize("widths", [(2, 3), (2, 4, 3), (3, 5, 2, 4, 3), (3, 1, 4, 3)])
@pytest.mark.parametrize("backend", ["numpy"], indirect=True)
def test_kflr_is_the_mean(backend, problem, psd, widths):
    p = problem(backend, f"mixture {psd}", widths=widths)
    expected = [G.mean(0) for G in kfgn.preactivation_gauss_newton(*p[:4])]
    for memory in (1, 900, 2**28):
        for G, exact in zip(kfgn.kflr(*p[:4], memory=memory).G, expected, strict=True):
            np.testing.assert_allclose(G, exact, rtol=0, atol=1e-14)
    np.testing.assert_allclose(kfgn.kfra(*p[:4]).G[-1], expected[-1], rtol=0, atol=1e-15)
