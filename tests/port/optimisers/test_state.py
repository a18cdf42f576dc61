"""The arrays of a state: none shares memory with another or with the caller, and none records an autograd graph."""

from itertools import combinations

import numpy as np
import pytest

import kfgn
from kfgn._optimisers import Info, State

NETWORK = kfgn.Network.dense((3, 4, 2), ("tanh",), "squared_error")

OPTIMISERS = {
    "plain": kfgn.GaussNewton(NETWORK),
    "factored": kfgn.GaussNewton(NETWORK, momentum=0.5),
    "refreshed": kfgn.GaussNewton(NETWORK, kfgn.KroneckerFactored(refresh=3)),
    "exact": kfgn.GaussNewton(NETWORK, kfgn.KroneckerFactored(refresh=3, inversion="exact")),
    "hessian_free": kfgn.GaussNewton(NETWORK, kfgn.HessianFree()),
    "ekfac": kfgn.GaussNewton(NETWORK, kfgn.EigenvalueCorrected(refresh=3)),
    "sgd": kfgn.SGD(NETWORK, 0.1, momentum=0.5),
    "adam": kfgn.Adam(NETWORK),
}

each_optimiser = pytest.mark.parametrize("optimiser", OPTIMISERS.values(), ids=OPTIMISERS)


def problem():
    rng = np.random.default_rng(4)
    weights = tuple(rng.normal(size=shape).astype("float32") for shape in NETWORK.weight_shapes)
    return weights, rng.normal(size=(5, 3)).astype("float32"), rng.normal(size=(5, 2)).astype("float32")


def leaves(tree):
    return [leaf for part in tree for leaf in leaves(part)] if isinstance(tree, tuple) else [tree]


@each_optimiser
def test_no_arrays_of_a_first_state_share_memory(optimiser):
    arrays = [np.asarray(a) for a in leaves(tuple(optimiser.init(problem()[0]))[1:])]
    assert not any(np.shares_memory(a, b) for a, b in combinations(arrays, 2))


@pytest.mark.parametrize("refresh", [1, 3])
def test_jax_takes_the_memory_of_a_first_state_for_the_next(refresh):
    jax = pytest.importorskip("jax")
    weights, X, Y = (jax.tree.map(jax.numpy.asarray, part) for part in problem())
    optimiser = kfgn.GaussNewton(NETWORK, kfgn.KroneckerFactored(refresh=refresh))
    expected, _ = optimiser.step(optimiser.init(weights), X, Y)
    step = jax.jit(lambda arrays, X, Y: tuple(optimiser.step(State(0, *arrays), X, Y)[0])[1:], donate_argnums=0)
    found = step(tuple(optimiser.init(weights))[1:], X, Y)
    for a, b in zip(expected.weights, found[0], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@each_optimiser
def test_a_state_of_torch_that_requires_grad_leaves_no_graph(optimiser):
    torch = pytest.importorskip("torch")
    weights, X, Y = problem()
    state = optimiser.init(tuple(map(torch.asarray, weights)))
    expected, _ = optimiser.step(state, torch.asarray(X), torch.asarray(Y))

    def tracked(tree):
        if isinstance(tree, tuple):
            parts = map(tracked, tree)
            return type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)
        return tree.clone().requires_grad_() if torch.is_tensor(tree) and tree.is_floating_point() else tree

    found, info = optimiser.step(tracked(state), torch.asarray(X), torch.asarray(Y))
    for tensor in leaves(tuple(found)[1:]) + [value for value in info if value is not None]:
        assert not tensor.requires_grad
    for a, b in zip(expected.weights, found.weights, strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("backend", ["numpy", "strict", "torch"], indirect=True)
def test_a_state_holds_a_copy_of_the_weights(backend, name):
    weights = tuple(backend.asarray(np.ones(s)) for s in NETWORK.weight_shapes)
    state = OPTIMISERS[name].init(weights)
    for W in weights:
        W[...] = 7.0
    for W in (*state.weights, *state.average):
        np.testing.assert_array_equal(backend.to_numpy(W), 1.0)


@pytest.mark.parametrize("backend", ["jax"], indirect=True)
def test_a_state_shares_no_memory_with_numpy_under_jax(backend):
    import jax

    with backend.scope("float64"):
        for _ in range(4):  # JAX shares memory at some addresses and not at others
            mine = tuple(np.ones(s) for s in NETWORK.weight_shapes)
            state = kfgn.Adam(NETWORK).init(tuple(jax.device_put(W, may_alias=True) for W in mine))
            for W in mine:
                W[...] = 7.0
            for W in state.weights:
                np.testing.assert_array_equal(np.asarray(W), 1.0)


def test_an_outcome_is_printed_as_numbers_with_four_digits(backend):
    """Each library prints the same text, and a field that is no number is printed as it is."""
    numbers = np.array([1 / 3, 1234567.0, np.nan], dtype="float32")
    loss, f, rho = (backend.asarray(x) for x in numbers)
    true, step_size = backend.asarray(np.array(True)), backend.asarray(np.float32(-2))
    info = Info(true, loss, f, step_size, rho=rho)
    shown = "ok=True, loss=0.3333, f=1.235e+06, step_size=-2, tau=None, gamma=None, rho=nan, valid=None"
    assert repr(info) == f"Info({shown})"
    assert repr(Info("ok", 1, object, [2.5])).startswith("Info(ok='ok', loss=1, f=<class 'object'>, step_size=[2.5], ")
    assert repr(Info(true, numbers, f, f)).startswith(f"Info(ok=True, loss={numbers!r}, f=")


def test_an_outcome_is_printed_while_jax_traces_it():
    jax = pytest.importorskip("jax")
    shown = []
    jax.jit(lambda x: shown.append(repr(Info(x > 0, x, x, x))))(1.0)
    assert shown[0].startswith("Info(ok=")
    assert shown[0].count("float32[]") == 3
