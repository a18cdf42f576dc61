"""Loss, gradient, exact blocks and factors of networks with positions, compared with the reference on all libraries."""

import functools
import tracemalloc

import kfgn_reference.shared_weights as shared
import numpy as np
import pytest

import kfgn

from .problems import ALL, close, in_order, problem, reference, without_jax

every_network = pytest.mark.parametrize("name", ALL)
every_sharing = pytest.mark.parametrize("sharing", ["expand", "reduce"])


@functools.cache
def result(function, name, targets="Y"):
    """The result of a function of the reference on the problem of a network."""
    p = problem(ALL[name])
    return function(reference(p), p.X, getattr(p.of_reference, targets))


@functools.cache
def stacked(function, name):
    """The matrices of a recursion of the reference for each datapoint, (N, T C, T C), of the layers with weights."""
    p = problem(ALL[name])
    net = reference(p)
    rows = [in_order(net, function(net, x, y)) for x, y in zip(p.X, p.of_reference.Y, strict=True)]
    return [np.stack(layer) for layer in zip(*rows, strict=True)]


@every_network
@without_jax
def test_loss_and_gradient(backend, name):
    p = problem(ALL[name])
    q, net = p.on(backend), reference(p)
    close(backend, [kfgn.loss(*q[:4])], [result(shared.loss, name)])
    close(backend, kfgn.gradient(*q[:4]), in_order(net, result(shared.gradient, name)))


@every_network
@without_jax
def test_exact_blocks(backend, name):
    p = problem(ALL[name])
    q, net = p.on(backend), reference(p)
    close(backend, kfgn.gauss_newton_blocks(*q[:4]), in_order(net, result(shared.gauss_newton_blocks, name)))
    close(backend, kfgn.hessian_blocks(*q[:4]), in_order(net, result(shared.hessian_blocks, name)))


@every_network
@without_jax
def test_preactivation_matrices(backend, name):
    q = problem(ALL[name]).on(backend)
    close(backend, kfgn.preactivation_gauss_newton(*q[:4]), stacked(shared.sample_preactivation_gauss_newton, name))
    close(backend, kfgn.preactivation_hessians(*q[:4]), stacked(shared.sample_preactivation_hessians, name))


def factors(net, pairs, sharing):
    """Q and G of the reference, in the order of layers and of groups. For scale and shift, reduce is exact."""
    exact = [l for l, layer in net.weighted.items() if isinstance(layer, shared.ScaleShift)]
    functions = {"expand": shared.expand, "reduce": shared.reduce}
    both = [functions["reduce" if l in exact else sharing](pairs[l, j]) for l, j in sorted(pairs)]
    return [pair.Q for pair in both], [pair.G for pair in both]


def check_factors(backend, came, expected):
    close(backend, came.Q, expected[0])
    close(backend, came.G, expected[1])


@every_network
@every_sharing
@without_jax
def test_kflr(backend, name, sharing):
    p = problem(ALL[name])
    q, net = p.on(backend), reference(p)
    came = kfgn.kflr(*q[:4], sharing=sharing)
    check_factors(backend, came, factors(net, result(shared.pairs, name), sharing))
    close(backend, [came.loss], [result(shared.loss, name)])
    close(backend, came.gradient, in_order(net, result(shared.gradient, name)))


@every_network
@pytest.mark.parametrize("memory", [1, 20_000])
@pytest.mark.parametrize("backend", ["numpy"], indirect=True)
def test_kflr_in_chunks(backend, name, memory):
    p = problem(ALL[name], N=7)
    whole, parts = (kfgn.kflr(*p[:4], sharing="reduce", memory=memory) for memory in (2**30, memory))
    close(backend, parts.G, whole.G)


@every_network
@every_sharing
@without_jax
def test_kfac(backend, name, sharing):
    p = problem(ALL[name])
    q, net = p.on(backend), reference(p)
    came = kfgn.kfac(*q[:4], q.labels, sharing=sharing)
    check_factors(backend, came, factors(net, result(shared.sampled_pairs, name, "labels"), sharing))
    close(backend, came.gradient, in_order(net, result(shared.gradient, name)))


@every_network
@without_jax
def test_sampled_labels(backend, name):
    p = problem(ALL[name])
    q, net = p.on(backend), reference(p)
    expected = shared.draw_labels(net, p.X, p.of_reference.draws)
    close(backend, [kfgn.sample_labels(*q[:3], q.draws)], [np.reshape(expected, p.labels.shape)])


@every_network
@without_jax
def test_kfra_over_taps(backend, name):
    p = problem(ALL[name])
    q, net = p.on(backend), reference(p)
    G, expected = result(shared.kfra_over_taps, name), []
    for l, layer in sorted(net.weighted.items()):
        if isinstance(layer, shared.ScaleShift):
            expected.append(scale_shift_factor(layer, [shared.forward(net, x)[l - 1] for x in p.X], G[l]))
        else:
            ends = np.split(np.arange(len(G[l])), layer.groups)
            expected += [G[l][np.ix_(part, part)] for part in ends]
    close(backend, kfgn.kfra(*q[:4]).G, expected)


def scale_shift_factor(layer, inputs, G):
    """The block of vec([gamma, beta]) by KFRA: the mean of A_nt^T G A_nt with h_nt = A_nt vec([gamma, beta])."""
    rows = [a_t for a in inputs for a_t in a.reshape(len(a), -1).T]
    A = [np.hstack([np.diag(a), np.eye(len(a))]) if layer.bias else np.diag(a) for a in rows]
    return np.mean([A_t.T @ G @ A_t for A_t in A], axis=0)


@every_network
@every_sharing
@without_jax
def test_random_projections_on_all_columns(backend, name, sharing):
    # with the unit vectors times the root of their number, random projections are the exact factors
    p = problem(ALL[name])
    N, _, *positions, K = kfgn.projection_shape(p.network, 3, 1)
    T = int(np.prod(positions))
    columns = np.sqrt(T * K) * np.eye(T * K).reshape(T * K, *positions, K)
    q = p._replace(projections=np.broadcast_to(columns, (N, *columns.shape)).copy()).on(backend)
    exact = kfgn.kflr(*q[:4], sharing=sharing)
    came = kfgn.rp(*q[:4], q.projections, sharing=sharing)
    close(backend, came.G, [backend.to_numpy(G) for G in exact.G])


@every_sharing
def test_the_memory_is_kept_to(sharing):
    """The columns of a chunk fit in `memory` bytes. NumPy reports its arrays to tracemalloc."""
    layers = kfgn.Convolution(16, 5, "tanh", padding=(2, 2)), kfgn.Convolution(12, 3, "tanh"), kfgn.Dense(6)
    p = problem(kfgn.Network((8, 24), layers, "categorical"), N=64)

    def peak(memory):
        tracemalloc.start()
        try:
            kfgn.kflr(*p[:4], memory=memory, sharing=sharing)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    memory = 2**23
    assert peak(memory) - peak(1) <= memory
    assert peak(2**30) - peak(1) > memory  # the test can fail
