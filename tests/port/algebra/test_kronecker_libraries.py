"""Kronecker-factored blocks under JAX and PyTorch, on other devices, and of read-only arrays."""

import numpy as np
import pytest

import kfgn
from kfgn import KroneckerBlock

from .blocks import INDEFINITE, INVERSIONS, K, V, damped, factors, vec


@pytest.mark.parametrize("inversion", INVERSIONS)
@pytest.mark.parametrize("backend", ["jax"], indirect=True)
def test_jit(backend, block, inversion):
    import jax

    b, v = block(*factors()), backend.asarray(V)

    def everything(b, v, k):
        return b.solve(v, damping=k, inversion=inversion), b.logdet(damping=k, inversion=inversion), b.matvec(v)

    k = backend.asarray(np.array(K))
    for came, expected in zip(jax.jit(everything)(b, v, k), everything(b, v, k), strict=True):
        np.testing.assert_allclose(came, expected, rtol=1e-10)
    # no value can be read under a trace, so no error is raised
    solved, logdet, _ = jax.jit(everything)(block(*INDEFINITE["Q indefinite"]), v, k)
    assert np.all(np.isnan(solved))
    assert np.isnan(logdet)


@pytest.mark.parametrize("inversion", INVERSIONS)
@pytest.mark.parametrize("backend", ["torch"], indirect=True)
def test_torch(backend, block, inversion):
    torch = pytest.importorskip("torch")
    b, v = block(*factors()), backend.asarray(V)
    parts = KroneckerBlock(*(A.clone().requires_grad_() for A in b)), v.clone().requires_grad_()
    meta = KroneckerBlock(*(A.to("meta") for A in b)), v.to("meta")
    for (q, u), check in ((parts, lambda r: not r.requires_grad), (meta, lambda r: r.is_meta)):
        (made,) = kfgn.kronecker_blocks((q.Q,), (q.G,))
        for result in (
            *(q.solve(u, damping=K, inversion=inversion), q.logdet(damping=K, inversion=inversion)),
            *(q.dense(), q.trace(), q.matvec(u), kfgn.omega(*q), *made),
        ):
            assert isinstance(result, torch.Tensor)
            assert check(result)


@pytest.mark.parametrize("place", ["device1", "no_float64"])
@pytest.mark.parametrize("inversion", INVERSIONS)
@pytest.mark.parametrize("backend", ["strict"], indirect=True)
def test_results_live_on_the_device(backend, inversion, place):
    there = backend.xp.Device(place)
    Q, G, v = (backend.xp.asarray(A.astype("float32"), device=there) for A in (*factors(), V))
    b = KroneckerBlock(Q, G)
    for result in (
        *(b.solve(v, damping=K, inversion=inversion), b.logdet(damping=K, inversion=inversion)),
        *(b.dense(), b.trace(), b.matvec(v)),
    ):
        assert result.device == there


@pytest.mark.parametrize("inversion", INVERSIONS)
def test_read_only(inversion):
    arrays = [np.asfortranarray(A) for A in (*factors(), V)]
    for A in arrays:
        A.flags.writeable = False
    Q, G, v = arrays
    b = KroneckerBlock(Q, G)
    solved = b.solve(v, damping=K, inversion=inversion)
    np.testing.assert_allclose(vec(solved), np.linalg.solve(damped(Q, G, inversion), vec(V)), rtol=1e-9)
    assert not any(np.shares_memory(r, A) for r in (solved, b.dense(), b.matvec(v)) for A in arrays)
