"""Networks of tokens, compared with dense layers on one-hot vectors; wrong tokens, and the memory of an embedding."""

import dataclasses
import tracemalloc

import numpy as np
import pytest

import kfgn

from .problems import TOKENS, close, only_numpy, problem, without_jax

every_network = pytest.mark.parametrize("name", TOKENS)


def one_hot(p):
    """The same problem with a dense layer on one-hot vectors, (N, V, T) or (N, V, H, W)."""
    first, *others = p.network.layers
    layers = kfgn.Dense(first.units, first.transfer, bias=False), *others
    X = np.moveaxis(np.eye(p.network.inputs[0])[p.X], -1, 1)
    return p._replace(network=dataclasses.replace(p.network, layers=layers), X=X)


@every_network
@only_numpy
def test_an_embedding_is_a_dense_layer_on_one_hot_vectors(backend, name):
    p = problem(TOKENS[name], N=6)
    q = one_hot(p)
    for function in (kfgn.gradient, kfgn.gauss_newton_blocks, kfgn.hessian_blocks, kfgn.preactivation_gauss_newton):
        close(backend, function(*p[:4]), function(*q[:4]))
    for function in (kfgn.gauss_newton_product, kfgn.hessian_product, kfgn.hessian_block_product):
        close(backend, function(*p[:4], p.V), function(*q[:4], p.V))
    for sharing in ("expand", "reduce"):
        of_tokens, of_vectors = (kfgn.kflr(*r[:4], sharing=sharing) for r in (p, q))
        close(backend, of_tokens.Q + of_tokens.G, of_vectors.Q + of_vectors.G)
    close(backend, kfgn.kfra(*p[:4]).G, kfgn.kfra(*q[:4]).G)


@every_network
@only_numpy
def test_the_steps_are_those_on_one_hot_vectors(backend, name):
    p = problem(TOKENS[name], N=6)
    states = []
    for r in (p, one_hot(p)):
        optimiser = kfgn.GaussNewton(r.network, kfgn.KroneckerFactored("kfra"))
        state = optimiser.init(r.weights)
        for _ in range(3):
            state, info = optimiser.step(state, r.X, r.Y)
            assert info.ok
        states.append(state.weights)
    close(backend, *states, 1e-9)


def test_a_token_that_does_not_occur():
    p = problem(TOKENS["embedded tokens"])
    assert p.X.max() < 4
    gradient, Q = kfgn.gradient(*p[:4])[0], kfgn.kfra(*p[:4]).Q[0]
    assert not gradient[:, 4].any()
    assert np.array_equal(Q, np.diag(np.bincount(p.X.ravel(), minlength=5) / p.X.size))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "int64"])
@without_jax
def test_every_integer_dtype(backend, dtype):
    p = problem(TOKENS["embedded and mixed"])
    q = p._replace(X=p.X.astype(dtype)).on(backend)
    close(backend, kfgn.gradient(*q[:4]), kfgn.gradient(*p[:4]))


def test_more_tokens_than_the_dtype_has_numbers():
    network = kfgn.Network((300, 2), (kfgn.Embedding(2),), "squared_error")
    W, X, Y = (np.ones((2, 300)),), np.array([[7, 255]], dtype="uint8"), np.zeros((1, 2, 2))
    assert kfgn.loss(network, W, X, Y) == 2


BAD = [
    ({"X": np.ones((3, 4))}, TypeError, "X: expected integer tokens from 0 to 4 for kfgn.Embedding, got dtype float64"),
    (
        *({"X": np.ones((3, 4), bool)}, TypeError),
        "X: expected integer tokens from 0 to 4 for kfgn.Embedding, got dtype bool",
    ),
    (
        *({"X": np.array([[0, 1, 5, 2]] * 3)}, ValueError),
        "X: expected tokens from 0 to 4 for kfgn.Embedding, got values from 0 to 5",
    ),
    (
        *({"X": np.array([[0, -1, 3, 2]] * 3)}, ValueError),
        "X: expected tokens from 0 to 4 for kfgn.Embedding, got values from -1 to 3",
    ),
    ({"X": np.ones((3, 5, 4), int)}, ValueError, r"X: expected shape \(N, 4\), got \(3, 5, 4\)"),
    ({"X": np.ones((0, 4), int)}, ValueError, r"X: expected at least one datapoint, got shape \(0, 4\)"),
    ({"X": [[0, 1, 2, 3]] * 3}, TypeError, "X: expected an array, got builtins.list"),
    ({"Y": np.ones((3, 4), int)[:2]}, ValueError, r"Y: expected shape \(3, 4\) for categorical, got \(2, 4\)"),
]


@pytest.mark.parametrize(("change", "error", "message"), BAD)
def test_wrong_arguments(change, error, message):
    p = problem(TOKENS["embedded tokens"])._replace(**change)
    for function in (kfgn.kfra, kfgn.gradient, kfgn.gauss_newton_blocks):
        with pytest.raises(error, match=f"^{message}$"):
            function(*p[:4])


def test_other_arrays_have_the_dtype_of_the_weights():
    p = problem(TOKENS["embedded tokens"])
    V = tuple(v.astype("float32") for v in p.V)
    with pytest.raises(TypeError, match=r"^V_1: expected the dtype of W_1, float64, got float32$"):
        kfgn.gauss_newton_product(*p[:4], V)
    with pytest.raises(TypeError, match=r"^damping: expected the dtype of W_1, float64, got float32$"):
        kfgn.solve_gauss_newton(*p[:4], p.V, damping=np.asarray(1, "float32"))
    with pytest.raises(TypeError, match=r"^W_2: expected the dtype of W_1, float64, got float32$"):
        kfgn.loss(p.network, (p.weights[0], *V[1:]), p.X, p.Y)
    with pytest.raises(TypeError, match=r"^projections: expected the dtype of W_1, float64, got float32$"):
        kfgn.rp(*p[:4], p.projections.astype("float32"))


BAD_NETWORKS = [
    (
        (5, 4),
        (kfgn.Dense(2), kfgn.Embedding(2)),
        "layers: expected a kfgn.Embedding only as layer 1, got one as layer 2",
    ),
    (
        *((2**24 + 1, 4), (kfgn.Embedding(2),)),
        r"layers: expected layer 1 to fit inputs .*: inputs: expected at most 2\^24 tokens, got 16777217",
    ),
]


@pytest.mark.parametrize(("inputs", "layers", "message"), BAD_NETWORKS)
def test_wrong_networks(inputs, layers, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        kfgn.Network(inputs, layers, "squared_error")


def test_an_embedding_needs_positions():
    with pytest.raises(
        TypeError, match=r"^layers: expected a kfgn.Dense as layer 1, since `inputs` is an int and not "
    ):
        kfgn.Network(5, (kfgn.Embedding(2),), "squared_error")


@pytest.mark.parametrize("token", [-1, 5, 2**40])
@without_jax
def test_a_step_with_a_wrong_token_is_rejected(backend, token):
    p = problem(TOKENS["embedded tokens"])
    X = p.X.copy()
    X[1, 2] = token
    q = p._replace(X=X).on(backend)
    assert np.isnan(float(kfgn.loss(*q[:4], check=False)))
    for optimiser in (kfgn.GaussNewton(q.network), kfgn.Adam(q.network)):
        state, info = optimiser.step(optimiser.init(q.weights), q.X, q.Y)
        assert (bool(info.ok), int(state.counts.rejected)) == (False, 1)
        close(backend, state.weights, p.weights, 0)


def test_no_one_hot_vectors_are_made():
    """The gradient and a product of 2000 positions and 20000 tokens, whose one-hot vectors would have 320 MB."""
    network = kfgn.Network((20_000, 20), (kfgn.Embedding(4), kfgn.Dense(2)), "squared_error")
    p = problem(network, N=100)
    tracemalloc.start()
    try:
        kfgn.gradient(*p[:4])
        kfgn.hessian_product(*p[:4], p.V)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20e6


def test_sums_are_not_differences_of_large_sums():
    """The sum of a token has the accuracy of its terms, next to a token whose terms are 1e16 times larger."""
    network = kfgn.Network((3, 2), (kfgn.Embedding(1),), "squared_error")
    W, X = (np.zeros((1, 3)),), np.array([[1, 0]] * 50)
    Y = np.stack([np.full((50, 1), -1e16), np.full((50, 1), -0.5)], axis=1)
    assert kfgn.gradient(network, W, X, Y)[0].tolist() == [[0.5, 1e16, 0.0]]
