"""EKFAC, KFOC, TKFAC, TNT and FOOF of masked batches, compared with the reference without the masked positions."""

import kfgn_reference.shared_weights as shared
import numpy as np
import pytest

import kfgn

from ...pairs import each_pair
from ..positions.problems import WITHOUT_JAX, close
from ..positions.test_approximations import FACTORS, agree, dense
from .problems import ALL, few_elsewhere, on, problem


def pairs_of(r, labelled):
    """The pairs of the reference for each group, in order."""
    found = shared.sampled_pairs(r.net, r.X, r.labels) if labelled else shared.pairs(r.net, r.X, r.Y)
    return [found[key] for key in sorted(found)]


def is_exact(r):
    """True for each block that is dense: the port has the whole block of a `ScaleShift`."""
    layers = r.net.weighted
    return [isinstance(layers[l], shared.ScaleShift) for l, _ in sorted(shared.pairs(r.net, r.X, r.Y))]


@each_pair(backend=WITHOUT_JAX, name=ALL, method=FACTORS, labelled=[False, True])
def test_factors(backend, name, method, labelled):
    p, r = problem(name)
    q = on(backend, p)
    came = getattr(kfgn, method)(*q[:4], **({"labels": q.labels} if labelled else {}))
    expected = [
        shared.exact_block(pairs) if exact else FACTORS[method](pairs).block
        for pairs, exact in zip(pairs_of(r, labelled), is_exact(r), strict=True)
    ]
    agree(dense(backend, came), expected)


@few_elsewhere()
def test_foof(backend, name):
    p, r = problem(name)
    came = kfgn.foof(*on(backend, p)[:4])
    for Q, G, pairs, exact in zip(came.Q, came.G, pairs_of(r, labelled=False), is_exact(r), strict=True):
        if not exact:
            truth = shared.foof(pairs)
            close(backend, [Q, G], [truth.Q, truth.G])


@each_pair(backend=WITHOUT_JAX, name=ALL, labelled=[False, True], sharing=["expand", "reduce"])
def test_ekfac(backend, name, labelled, sharing):
    """The bases are eigenbases of the factors of the reference, and S is its diagonal in them."""
    p, r = problem(name)
    q = on(backend, p)
    blocks = kfgn.ekfac(*q[:4], **({"labels": q.labels} if labelled else {}), sharing=sharing).blocks
    for block, pairs, exact in zip(blocks, pairs_of(r, labelled), is_exact(r), strict=True):
        if exact:
            agree([backend.to_numpy(block.dense())], [shared.exact_block(pairs)])
            continue
        factors = getattr(shared, sharing)(pairs)
        U_Q, U_G, _ = map(backend.to_numpy, block)
        for U, A in ((U_Q, factors.Q), (U_G, factors.G)):
            agree([U.T @ A @ U], [np.diag(np.linalg.eigvalsh(A))])
        close(backend, [block.S], [shared.ekfac_diagonal(pairs, U_Q, U_G)])


@pytest.mark.parametrize("name", ["grouped", "plane", "tokens"])
def test_any_memory(name):
    """Chunks of datapoints have the divisor of the whole batch."""
    p, _ = problem(name)
    for function in (kfgn.kflr, kfgn.tkfac, kfgn.tnt):
        whole, parts = (function(*p[:4], memory=memory) for memory in (2**30, 1))
        for A, B in zip(whole.Q + whole.G, parts.Q + parts.G, strict=True):
            np.testing.assert_allclose(A, B, rtol=0, atol=1e-12 * np.abs(A).max())
