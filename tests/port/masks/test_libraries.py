"""Masked batches on array-api-strict, with `jax.jit`, and under `torch.compile`."""

from functools import partial

import numpy as np
import pytest

import kfgn
from kfgn._network import convolution_map

from ..positions.test_libraries import leaves, results, spectral
from .problems import SOME, lengths, on, problem
from .test_optimisers import both_lengths

LAYERS = kfgn.Embedding(2, "tanh"), kfgn.Convolution(2, 2, "tanh", padding=(0, 1)), kfgn.Dense(2)


def agree(backend, came, expected, tolerance=1e-12):
    for a, b in zip(leaves(came), leaves(expected), strict=True):
        np.testing.assert_allclose(backend.to_numpy(a), b, rtol=0, atol=tolerance * np.abs(b).max())


@pytest.mark.parametrize("name", SOME)
@pytest.mark.parametrize("backend", ["strict"], indirect=True)
def test_without_what_the_standard_makes_optional(backend, name):
    p = on(backend, problem(name)[0])
    flags = backend.xp.ArrayAPIStrictFlags
    with flags(api_version="2023.12", boolean_indexing=False, data_dependent_shapes=False, enabled_extensions=()):
        if p.network.objective != "mixture":
            assert results(p)
        assert kfgn.loss(*p[:4]) > 0
    with flags(boolean_indexing=False, data_dependent_shapes=False, enabled_extensions=("linalg",)):
        assert spectral(p)


@pytest.mark.parametrize("name", SOME)
@pytest.mark.parametrize("backend", ["strict"], indirect=True)
def test_results_live_on_the_device(backend, name):
    xp, p = backend.xp, problem(name)[0]
    there = xp.Device("device1")

    def moved(value):
        if isinstance(value, kfgn.Padded):
            return kfgn.Padded(*map(moved, value))
        return tuple(map(moved, value)) if isinstance(value, tuple) else xp.asarray(value, device=there)

    elsewhere = p._replace(**{field: moved(value) for field, value in zip(p._fields[1:], p[1:], strict=True)})
    assert all(a.device == there for a in results(elsewhere) + spectral(elsewhere))


@pytest.mark.parametrize("name", ["grouped", "plane"])
@pytest.mark.parametrize("backend", ["torch"], indirect=True)
def test_products_of_patches_agree_with_the_convolution_of_the_library(backend, name, monkeypatch):
    """PyTorch without its convolution, as on a GPU, computes the same results."""
    p = on(backend, problem(name)[0])
    found = []
    for has_convolution in (True, False):
        monkeypatch.setattr(convolution_map, "has_convolution", lambda _, has=has_convolution: has)
        came = kfgn.kflr(*p[:4], sharing="reduce"), kfgn.kfra(*p[:4]), kfgn.hessian_product(*p[:4], p.V)
        found.append([backend.to_numpy(a) for a in leaves(came)])
    agree(backend, [backend.asarray(a) for a in found[0]], found[1])


def small():
    """A problem of two datapoints of three positions, one of them masked."""
    network = kfgn.Network((3, 3), LAYERS, "categorical", divisor="positions")
    rng = np.random.default_rng(0)
    weights = tuple(rng.normal(size=shape) for shape in network.weight_shapes)
    V = tuple(rng.normal(size=shape) for shape in network.weight_shapes)
    X = kfgn.Padded(np.array([[0, 1, 2], [2, 0, -9]]), lengths(3, 2, T=3))
    return network, weights, X, np.array([[0, 1, 1], [1, 0, -100]]), V


def functions(network, weights, X, Y, V):
    """The results of functions of every kind."""
    batch, options = (network, weights, X, Y), {"check": False}
    return [
        kfgn.kflr(*batch, sharing="reduce", **options),
        kfgn.kfra(*batch, **options),
        kfgn.tnt(*batch, **options),
        kfgn.hessian_product(*batch, V, **options),
        kfgn.jacobian_product(*batch[:3], V, **options),
    ]


@pytest.mark.parametrize("backend", ["jax"], indirect=True)
def test_jitted(backend):
    """The mask is traced, so that one program serves all masks of a shape."""
    import jax

    with backend.scope("float64"):
        network, *host = small()
        arrays = jax.tree.map(backend.asarray, tuple(host))
        compiled = jax.jit(partial(functions, network))
        agree(backend, compiled(*arrays), functions(network, *host))
        X = host[1]._replace(mask=lengths(1, 3, T=3), values=np.abs(host[1].values) % 3)
        changed = jax.tree.map(backend.asarray, X)
        Y = np.abs(host[2]) % 2
        agree(
            backend,
            compiled(arrays[0], changed, backend.asarray(Y), arrays[3]),
            functions(network, host[0], X, Y, host[3]),
        )


@pytest.mark.parametrize("backend", ["jax"], indirect=True)
def test_a_step_and_a_gradient_by_jax(backend):
    import jax

    with backend.scope("float64"):
        network, *host = small()
        weights, X, Y, _ = jax.tree.map(backend.asarray, tuple(host))
        gradient = jax.jit(jax.grad(lambda weights: kfgn.loss(network, weights, X, Y, check=False)))
        agree(backend, gradient(weights), kfgn.gradient(network, *host[:3]))
        optimiser = kfgn.GaussNewton(network)
        state, info = optimiser.step(optimiser.init(weights), X, Y)
        expected, _ = optimiser.step(optimiser.init(host[0]), *host[1:3])
        assert bool(info.ok)
        agree(backend, state.weights, expected.weights, 1e-10)
        descent = kfgn.SGD(network, 0.1)
        traced, start = jax.jit(descent.step), descent.init(weights)
        agree(backend, traced(start, X, Y)[0].weights, descent.step(descent.init(host[0]), *host[1:3])[0].weights)
        _, info = traced(start, X._replace(mask=X.mask & False), Y)
        assert (bool(info.ok), bool(info.valid)) == (False, False)


@pytest.mark.parametrize("name", ["tokens", "grouped"])
@pytest.mark.parametrize("backend", ["jax"], indirect=True)
@pytest.mark.thorough
def test_all_functions_on_jax(backend, name):
    with backend.scope("float64"):
        p = problem(name)[0]
        agree(backend, results(on(backend, p)), results(p))


@pytest.mark.filterwarnings("ignore:Dynamo detected a call:UserWarning")
@pytest.mark.parametrize("backend", ["torch"], indirect=True)
def test_compiled_in_one_graph(backend):
    import torch

    network, *host = small()
    weights, X, Y, V = host
    weights, V = (tuple(map(backend.asarray, arrays)) for arrays in (weights, V))
    batch = weights, kfgn.Padded(*map(backend.asarray, X)), backend.asarray(Y), V

    def some(weights, X, Y, V):
        batch, options = (network, weights, X, Y), {"check": False}
        return kfgn.kflr(*batch, **options), kfgn.kfra(*batch, **options), kfgn.hessian_product(*batch, V, **options)

    torch._dynamo.reset()  # the shapes of earlier tests would make those of this test symbolic
    compiled = torch.compile(some, backend="eager", fullgraph=True, dynamic=False)
    agree(backend, compiled(*batch), some(*host))


def test_a_padded_batch_is_a_pytree():
    jax = pytest.importorskip("jax")
    _, p = both_lengths()
    leaves, structure = jax.tree.flatten(p.X)
    assert [leaf.shape for leaf in leaves] == [(3, 5), (3, 5)]
    assert isinstance(jax.tree.unflatten(structure, leaves), kfgn.Padded)
