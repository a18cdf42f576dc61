"""EKFAC, KFOC, TKFAC, TNT and FOOF of networks with positions, compared with the reference on all libraries."""

import tracemalloc

import kfgn_reference.shared_weights as shared
import numpy as np
import pytest

import kfgn

from ...pairs import each_pair
from .problems import (
    ALL as EVERY_KIND,
    GROUPED,
    NETWORKS,
    PLANES,
    WITHOUT_JAX,
    close,
    in_order,
    only_numpy,
    problem,
    reference,
    without_jax,
)

ALL = NETWORKS | GROUPED | PLANES
every_network = pytest.mark.parametrize("name", ALL)
of_both_columns = pytest.mark.parametrize("labelled", [False, True], ids=["roots", "labels"])
FACTORS = {"tkfac": shared.tkfac, "tnt": shared.tnt, "kfoc": shared.kfoc}


def labels_of(p, labelled):
    return {"labels": p.labels} if labelled else {}


def pairs_of(p, labelled):
    """The pairs of the reference for each group, in order."""
    net = reference(p)
    found = (
        shared.sampled_pairs(net, p.X, p.of_reference.labels) if labelled else shared.pairs(net, p.X, p.of_reference.Y)
    )
    return [found[key] for key in sorted(found)]


def dense(backend, came):
    return [np.kron(backend.to_numpy(Q), backend.to_numpy(G)) for Q, G in zip(came.Q, came.G, strict=True)]


def agree(came, expected, tolerance=1e-12):
    for a, b in zip(came, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * np.abs(b).max())


@each_pair(backend=WITHOUT_JAX, name=ALL, method=FACTORS, labelled=[False, True])
def test_factors(backend, name, method, labelled):
    p = problem(ALL[name])
    q, net = p.on(backend), reference(p)
    came = getattr(kfgn, method)(*q[:4], **labels_of(q, labelled))
    agree(dense(backend, came), [FACTORS[method](pairs).block for pairs in pairs_of(p, labelled)])
    close(backend, [came.loss], [shared.loss(net, p.X, p.of_reference.Y)])
    close(backend, came.gradient, in_order(net, shared.gradient(net, p.X, p.of_reference.Y)))


@every_network
@without_jax
def test_foof(backend, name):
    p = problem(ALL[name])
    came = kfgn.foof(*p.on(backend)[:4])
    expected = [shared.foof(pairs) for pairs in pairs_of(p, labelled=False)]
    close(backend, came.Q, [pair.Q for pair in expected])
    close(backend, came.G, [pair.G for pair in expected])


@every_network
@of_both_columns
@without_jax
def test_ekfac_diagonal(backend, name, labelled):
    """In bases that are not eigenbases."""
    p = problem(ALL[name])
    rng = np.random.default_rng(4)
    U_Q, U_G = (
        tuple(np.linalg.qr(rng.normal(size=(shape[i], shape[i])))[0] for shape in p.network.block_shapes)
        for i in (1, 0)
    )
    expected = [shared.ekfac_diagonal(*one) for one in zip(pairs_of(p, labelled), U_Q, U_G, strict=True)]
    q = p.on(backend)
    bases = [tuple(map(backend.asarray, bases)) for bases in (U_Q, U_G)]
    close(backend, kfgn.ekfac_diagonal(*q[:4], *bases, **labels_of(q, labelled)), expected)


@each_pair(backend=WITHOUT_JAX, name=ALL, labelled=[False, True], sharing=["expand", "reduce"])
def test_ekfac(backend, name, labelled, sharing):
    """The bases are eigenbases of the factors of the reference, and S is its diagonal in them."""
    p = problem(ALL[name])
    q, net = p.on(backend), reference(p)
    loss, gradient, blocks = kfgn.ekfac(*q[:4], **labels_of(q, labelled), sharing=sharing)
    close(backend, [loss], [shared.loss(net, p.X, p.of_reference.Y)])
    close(backend, gradient, in_order(net, shared.gradient(net, p.X, p.of_reference.Y)))
    for block, pairs in zip(blocks, pairs_of(p, labelled), strict=True):
        factors = shared.expand(pairs) if sharing == "expand" else shared.reduce(pairs)
        U_Q, U_G, S = map(backend.to_numpy, block)
        for U, A in ((U_Q, factors.Q), (U_G, factors.G)):
            agree([U.T @ A @ U], [np.diag(np.linalg.eigvalsh(A))])
            agree([U.T @ U], [np.eye(len(U))])
        close(backend, [block.S], [shared.ekfac_diagonal(pairs, U_Q, U_G)])
        close(backend, [block.dense()], [shared.ekfac_block(S, U_Q, U_G)])


def error(came, exact):
    return np.linalg.norm(came - exact)


@every_network
@of_both_columns
@only_numpy
def test_order_of_the_errors(backend, name, labelled):
    """EKFAC is at least as near as expand, and KFOC is at least as near as every other Kronecker product."""
    p = problem(ALL[name])
    options = labels_of(p, labelled)
    expand = kfgn.kfac(*p[:4], p.labels) if labelled else kfgn.kflr(*p[:4])
    reduce = kfgn.kfac(*p[:4], p.labels, sharing="reduce") if labelled else kfgn.kflr(*p[:4], sharing="reduce")
    products = [dense(backend, came) for came in (expand, reduce)]
    products += [dense(backend, getattr(kfgn, method)(*p[:4], **options)) for method in ("tkfac", "tnt")]
    nearest, blocks = kfgn.kfoc(*p[:4], **options), kfgn.ekfac(*p[:4], **options).blocks
    for j, pairs in enumerate(pairs_of(p, labelled)):
        exact = shared.exact_block(pairs)
        slack = 1e-12 * np.linalg.norm(exact)
        best = min(error(product[j], exact) for product in products)
        assert error(np.kron(nearest.Q[j], nearest.G[j]), exact) <= best + slack
        assert error(blocks[j].dense(), exact) <= error(products[0][j], exact) + slack
        np.testing.assert_allclose(blocks[j].trace(), np.trace(exact), rtol=1e-12)
        np.testing.assert_allclose(np.trace(products[3][j]), np.trace(exact), rtol=1e-12)
        for A in (nearest.Q[j], nearest.G[j]):
            assert np.linalg.eigvalsh(A)[0] >= -1e-14 * np.linalg.norm(A)
        np.testing.assert_allclose(np.linalg.norm(nearest.G[j]), 1.0, rtol=1e-12)


@each_pair(backend=["numpy"], name=ALL, labelled=[False, True], memory=[1, 20_000])
def test_any_memory(backend, name, labelled, memory):
    p = problem(ALL[name], N=7)
    for method in FACTORS:
        whole, parts = (
            dense(backend, getattr(kfgn, method)(*p[:4], **labels_of(p, labelled), memory=m)) for m in (2**30, memory)
        )
        agree(parts, whole)
    bases = [tuple(np.eye(shape[i]) for shape in p.network.block_shapes) for i in (1, 0)]
    whole, parts = (kfgn.ekfac_diagonal(*p[:4], *bases, **labels_of(p, labelled), memory=m) for m in (2**30, memory))
    close(backend, parts, whole)
    whole, parts = (kfgn.ekfac(*p[:4], **labels_of(p, labelled), memory=m) for m in (2**30, memory))
    assert [block.trace() for block in parts.blocks] == pytest.approx([block.trace() for block in whole.blocks])


LARGE = {
    "convolutions": kfgn.Network(
        (8, 24),
        (kfgn.Convolution(16, 5, "tanh", padding=(2, 2)), kfgn.Convolution(12, 3, "tanh"), kfgn.Dense(6)),
        "categorical",
    ),
    # the one-hot vectors of 400 tokens are larger than the products of the pairs
    "embedding": kfgn.Network(
        (300, 400), (kfgn.Embedding(2), kfgn.Pooling(400, 400, "mean"), kfgn.Flatten(), kfgn.Dense(3)), "categorical"
    ),
}


@pytest.mark.parametrize("method", [*FACTORS, "ekfac"])
@pytest.mark.parametrize("network", LARGE)
@of_both_columns
def test_the_memory_is_kept_to(method, network, labelled):
    """The arrays of a chunk fit in `memory` bytes. NumPy reports its arrays to tracemalloc."""
    p = problem(LARGE[network], N=8, S=10)
    options = labels_of(p, labelled) | ({"iterations": 2} if method == "kfoc" else {})

    def peak(memory):
        tracemalloc.start()
        try:
            getattr(kfgn, method)(*p[:4], memory=memory, **options)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(1)  # the first call in a process also has the memory of modules and caches
    memory = 2**19
    assert peak(memory) - peak(1) <= memory
    assert peak(2**30) - peak(1) > memory  # the test can fail


@pytest.mark.parametrize("name", sorted(EVERY_KIND.keys() - ALL.keys()))
@of_both_columns
@only_numpy
def test_embeddings_and_normalised_layers(backend, name, labelled):
    """EKFAC has the trace of the block that it approximates, and all methods have the whole block of a `ScaleShift`."""
    p = problem(EVERY_KIND[name])
    if labelled:  # the mean of g g^T over the samples, with the gradient g of the loss of one datapoint at one sample
        exact = [np.zeros((D * P, D * P)) for D, P in p.network.weight_shapes]
        for n in range(3):
            for s in range(2):
                gradient = kfgn.gradient(p.network, p.weights, p.X[n : n + 1], p.labels[n : n + 1, s])
                exact = [F + np.outer(g.T, g.T) * p.network.divisor / 6 for F, g in zip(exact, gradient, strict=True)]
    else:
        exact = kfgn.gauss_newton_blocks(*p[:4])
    blocks = kfgn.ekfac(*p[:4], **labels_of(p, labelled)).blocks
    factors = [getattr(kfgn, method)(*p[:4], **labels_of(p, labelled)) for method in FACTORS]
    first = 0
    for (l, layer), F in zip(p.network.weighted.items(), exact, strict=True):
        of_layer = blocks[first : first + layer.groups]
        np.testing.assert_allclose(sum(block.trace() for block in of_layer), np.trace(F), rtol=1e-12)
        if isinstance(p.network.layers[l], kfgn.ScaleShift):
            found = [blocks[first].dense(), *(dense(backend, came)[first] for came in factors)]
            agree(found, [F] * len(found))
        first += layer.groups
