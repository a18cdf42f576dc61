"""Networks with positions on array-api-strict, with `jax.jit` and under `torch.compile`."""

from functools import partial

import numpy as np
import pytest
from array_api_compat import array_namespace, device

import kfgn
from kfgn._network import convolution_map

from .problems import ALL, REPRESENTATIVES, SMALL, close, or_thorough, problem


def results(p, sharing="reduce"):
    """The results of all functions of a problem, as a flat list."""
    batch = p[:4]
    found = [kfgn.kflr(*batch, sharing=sharing), kfgn.kfra(*batch), kfgn.kfac(*batch, p.labels, sharing=sharing)]
    found += [f(*batch, labels=labels) for f in (kfgn.tkfac, kfgn.tnt) for labels in (None, p.labels)]
    found += [kfgn.foof(*batch), kfgn.ekfac_diagonal(*batch, *unit_vectors(p))]
    found += [kfgn.rp(*batch, p.projections, sharing=sharing), kfgn.sample_labels(*batch[:3], p.draws)]
    found += [f(*batch) for f in (kfgn.gauss_newton_blocks, kfgn.hessian_blocks, kfgn.preactivation_hessians)]
    found += [f(*batch, p.V) for f in (kfgn.gauss_newton_product, kfgn.hessian_product, kfgn.hessian_block_product)]
    found += [kfgn.jacobian_product(*batch[:3], p.V), kfgn.transposed_jacobian_product(*batch[:3], p.U)]
    return leaves(found)


def unit_vectors(p):
    """The bases of unit vectors, for `ekfac_diagonal`."""
    W = p.weights[0]
    xp, like = array_namespace(W), {"dtype": W.dtype, "device": device(W)}
    return [tuple(xp.eye(shape[i], **like) for shape in p.network.block_shapes) for i in (1, 0)]


def spectral(p):
    """The results of the functions that need the extension `linalg`, as a flat list."""
    return leaves([f(*p[:4], labels=labels) for f in (kfgn.kfoc, kfgn.ekfac) for labels in (None, p.labels)])


def leaves(result):
    return [leaf for part in result for leaf in leaves(part)] if isinstance(result, (tuple, list)) else [result]


@pytest.mark.parametrize("name", or_thorough(REPRESENTATIVES, [n for n in ALL if ALL[n].objective != "mixture"]))
@pytest.mark.parametrize("backend", ["strict"], indirect=True)
@pytest.mark.parametrize("version", ["2023.12", pytest.param("2024.12", marks=pytest.mark.thorough)])
def test_without_what_the_standard_makes_optional(backend, name, version):
    p = problem(ALL[name]).on(backend)
    with backend.xp.ArrayAPIStrictFlags(
        api_version=version, boolean_indexing=False, data_dependent_shapes=False, enabled_extensions=()
    ):
        assert results(p)
    with backend.xp.ArrayAPIStrictFlags(
        api_version=version, boolean_indexing=False, data_dependent_shapes=False, enabled_extensions=("linalg",)
    ):
        assert spectral(p)


@pytest.mark.parametrize("name", or_thorough(REPRESENTATIVES))
@pytest.mark.parametrize("backend", ["strict"], indirect=True)
def test_results_live_on_the_device(backend, name):
    xp = backend.xp
    p = problem(ALL[name])
    on_host, there = p.on(backend), xp.Device("device1")
    elsewhere = p._replace(
        **{
            field: tuple(xp.asarray(x, device=there) for x in value)
            if isinstance(value, tuple)
            else xp.asarray(value, device=there)
            for field, value in zip(p._fields[1:], p[1:], strict=True)
        }
    )
    for a, b in zip(results(on_host) + spectral(on_host), results(elsewhere) + spectral(elsewhere), strict=True):
        assert b.device == there
        np.testing.assert_array_equal(backend.to_numpy(a), np.asarray(b.to_device(xp.Device("CPU_DEVICE"))))


@pytest.mark.parametrize("name", or_thorough(SMALL, [*SMALL, "grouped", "planes of outputs", "embedded tokens"]))
@pytest.mark.parametrize("backend", ["jax"], indirect=True)
def test_jitted(backend, name):
    import jax

    with backend.scope("float64"):
        host = problem((ALL | SMALL)[name])
        p = host.on(backend)
        compiled = jax.jit(partial(kfgn.kflr, p.network, sharing="reduce", check=False))
        for a, b in zip(leaves(compiled(*p[1:4])), leaves(kfgn.kflr(*host[:4], sharing="reduce")), strict=True):
            np.testing.assert_allclose(backend.to_numpy(a), b, rtol=0, atol=1e-13 * np.abs(b).max())
        for function in (kfgn.tnt, kfgn.kfoc):
            compiled = jax.jit(partial(function, p.network, check=False))
            for a, b in zip(compiled(*p[1:4]).Q, function(*host[:4]).Q, strict=True):
                np.testing.assert_allclose(backend.to_numpy(a), b, rtol=0, atol=1e-12 * np.abs(b).max())
        compiled = jax.jit(lambda *arrays: [b.trace() for b in kfgn.ekfac(p.network, *arrays, check=False).blocks])
        expected = [float(block.trace()) for block in kfgn.ekfac(*host[:4]).blocks]
        np.testing.assert_allclose([float(trace) for trace in compiled(*p[1:4])], expected, rtol=1e-12)
        optimiser = kfgn.GaussNewton(p.network, kfgn.KroneckerFactored("kfra"))
        _, info = jax.jit(optimiser.step)(optimiser.init(p.weights), p.X, p.Y)
        _, expected = kfgn.GaussNewton(p.network, kfgn.KroneckerFactored("kfra")).step(
            optimiser.init(host.weights), host.X, host.Y
        )
        np.testing.assert_allclose(float(info.step_size), float(expected.step_size), rtol=1e-9)


@pytest.mark.parametrize("backend", ["jax"], indirect=True)
def test_differentiated_by_jax(backend):
    import jax

    with backend.scope("float64"):
        host = problem(ALL["embedded tokens"])
        p = host.on(backend)
        gradient = jax.jit(jax.grad(lambda weights: kfgn.loss(p.network, weights, p.X, p.Y, check=False)))
        close(backend, gradient(p.weights), kfgn.gradient(*host[:4]))


@pytest.mark.filterwarnings("ignore:Dynamo detected a call:UserWarning")
@pytest.mark.parametrize("name", or_thorough(["small and grouped"], [*SMALL, "grouped", "embedded tokens"]))
@pytest.mark.parametrize("backend", ["torch"], indirect=True)
def test_compiled_in_one_graph(backend, name):
    import torch

    p = problem((ALL | SMALL)[name]).on(backend)

    def results(*arrays):
        reduce, kfoc = partial(kfgn.kflr, sharing="reduce"), partial(kfgn.kfoc, iterations=1)
        functions = reduce, kfgn.kfra, kfgn.tkfac, kfgn.tnt, kfoc, kfgn.foof
        factors = [f(p.network, *arrays, check=False) for f in functions]
        return factors, kfgn.hessian_product(p.network, *arrays, V=p.V, check=False)

    torch._dynamo.reset()  # the shapes of earlier tests would make those of this test symbolic
    compiled = torch.compile(results, backend="eager", fullgraph=True, dynamic=False)
    for a, b in zip(leaves(compiled(*p[1:4])), leaves(results(*p[1:4])), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-13 * float(b.abs().max()))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("backend", ["torch"], indirect=True)
def test_products_of_patches_agree_with_the_convolution_of_the_library(backend, name, monkeypatch):
    """PyTorch without its convolution, as on a GPU, computes the same results."""
    p = problem(ALL[name]).on(backend)
    expected = results(p)
    monkeypatch.setattr(convolution_map, "has_convolution", lambda _: False)
    for a, b in zip(results(p), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-13 * float(b.abs().max()))


@pytest.mark.parametrize("backend", ["torch"], indirect=True)
def test_a_gradient_forms_no_patches(backend, monkeypatch):
    """The patches have as many elements as the activation for each tap. Only the factors Q need them."""
    p = problem(ALL["plane"]).on(backend)
    formed = []
    patches = convolution_map.ConvolutionMap._patches
    monkeypatch.setattr(
        convolution_map.ConvolutionMap, "_patches", lambda *arguments: formed.append(1) or patches(*arguments)
    )
    kfgn.gradient(*p[:4])
    kfgn.gauss_newton_product(*p[:4], p.V)
    assert not formed
    kfgn.kfra(*p[:4])
    assert len(formed) == 2  # once for each convolution
