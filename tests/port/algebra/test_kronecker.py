"""Kronecker-factored blocks compared with the dense matrix that they replace: products, solves and determinants."""

import numpy as np
import pytest
from array_api_compat import array_namespace, device

import kfgn
from kfgn import KroneckerBlock, NotPositiveDefiniteError
from kfgn.backends import BACKENDS

from ...pairs import each_pair
from .blocks import INDEFINITE, INVERSIONS, K, V, damped, factors, vec, without_jax


def test_products(backend, block):
    Q, G = factors()
    dense = np.kron(Q, G)
    b = block(Q, G)
    np.testing.assert_allclose(backend.to_numpy(b.dense()), dense, rtol=1e-15)
    np.testing.assert_allclose(float(b.trace()), np.trace(dense), rtol=1e-14)
    np.testing.assert_allclose(vec(backend.to_numpy(b.matvec(backend.asarray(V)))), dense @ vec(V), rtol=1e-12)


@each_pair(backend=BACKENDS, inversion=INVERSIONS, case=["full rank", "rank one", "dead units", "no inputs", "tiny"])
def test_solve_and_logdet(backend, block, inversion, case):
    Q, G = factors(case)
    b, matrix = block(Q, G), damped(Q, G, inversion)
    solved = b.solve(backend.asarray(V), damping=K, inversion=inversion)
    np.testing.assert_allclose(vec(backend.to_numpy(solved)), np.linalg.solve(matrix, vec(V)), rtol=1e-9)
    logdet = b.logdet(damping=K, inversion=inversion)
    np.testing.assert_allclose(float(logdet), np.linalg.slogdet(matrix)[1], rtol=1e-12)
    again = b.solve(backend.asarray(V), damping=backend.asarray(np.array(K)), inversion=inversion)
    np.testing.assert_allclose(backend.to_numpy(again), backend.to_numpy(solved), rtol=1e-12)


def test_trace_is_the_default(backend, block):
    b, v = block(*factors()), backend.asarray(V)
    np.testing.assert_array_equal(
        backend.to_numpy(b.solve(v, damping=K)), backend.to_numpy(b.solve(v, damping=K, inversion="trace"))
    )
    assert float(b.logdet(damping=K)) == float(b.logdet(damping=K, inversion="trace"))
    assert float(kfgn.omega(*b)) == float(kfgn.omega(*b, "trace"))


@pytest.mark.parametrize("inversion", INVERSIONS)
def test_rounding_in_one_triangle(backend, block, inversion):
    # both triangles count, whichever of them a library reads
    Q, G = factors()
    rng = np.random.default_rng(2)
    noisy = [A + 1e-9 * np.triu(rng.standard_normal(A.shape), 1) for A in (Q, G)]
    even = [(A + A.T) / 2 for A in noisy]
    a, b = (block(*pair).solve(backend.asarray(V), damping=K, inversion=inversion) for pair in (noisy, even))
    np.testing.assert_allclose(backend.to_numpy(a), backend.to_numpy(b), rtol=1e-13)


@pytest.mark.parametrize("inversion", INVERSIONS)
@without_jax
def test_float32(backend, inversion):
    Q, G = (A.astype("float32") for A in factors())
    b, v = KroneckerBlock(backend.asarray(Q), backend.asarray(G)), backend.asarray(V.astype("float32"))
    expected = np.linalg.solve(damped(Q.astype(float), G.astype(float), inversion), vec(V))
    for result in (
        *(b.solve(v, damping=K, inversion=inversion), b.logdet(damping=K, inversion=inversion)),
        *(b.dense(), b.trace(), b.matvec(v)),
    ):
        assert result.dtype == v.dtype
        assert array_namespace(result) is array_namespace(v)
        assert device(result) == device(v)
    solved = backend.to_numpy(b.solve(v, damping=K, inversion=inversion))
    np.testing.assert_allclose(vec(solved), expected, rtol=0, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("inversion", INVERSIONS)
@without_jax
def test_singular_factors_in_float32(backend, inversion):
    # rounding makes some eigenvalues negative, by up to a thousand times the damping; the solve still succeeds
    rng = np.random.default_rng(3)
    B, C = rng.standard_normal((40, 4)), rng.standard_normal((30, 3))
    Q, G = (backend.asarray((scale * A @ A.T).astype("float32")) for scale, A in ((1e3, B), (1e3, C)))
    v = backend.asarray(rng.standard_normal((30, 40)).astype("float32"))
    solved = KroneckerBlock(Q, G).solve(v, damping=1e-1, inversion=inversion)
    assert np.all(np.isfinite(backend.to_numpy(solved)))


@pytest.mark.parametrize("inversion", INVERSIONS)
@pytest.mark.parametrize("case", INDEFINITE)
def test_not_positive_definite(backend, block, case, inversion):
    b, v = block(*INDEFINITE[case]), backend.asarray(V)
    for call in (
        lambda check: b.solve(v, damping=K, inversion=inversion, check=check),
        lambda check: b.logdet(damping=K, inversion=inversion, check=check),
    ):
        if case == "NaN in G":
            with pytest.raises(ValueError, match=r"^G: expected finite values"):
                call(True)
        else:
            with pytest.raises(NotPositiveDefiniteError, match=r"^damping: .*Q \(5, 5\) kron G \(3, 3\).*got 0\.04$"):
                call(True)
        assert np.all(np.isnan(backend.to_numpy(call(False))))
    assert issubclass(NotPositiveDefiniteError, ValueError)


def test_blocks_of_a_curvature(backend, shallow):
    p = shallow(backend, "mixture", widths=(2, 5, 4, 3))
    curvature = kfgn.kflr(*p[:4])
    blocks = kfgn.kronecker_blocks(curvature.Q, curvature.G)
    assert len(blocks) == len(p.weights)
    for b, g, W in zip(blocks, curvature.gradient, p.weights, strict=True):
        assert isinstance(b, KroneckerBlock)
        assert tuple(b.solve(g, damping=1e-3).shape) == tuple(b.matvec(g).shape) == tuple(W.shape)
    first, exact = blocks[0].dense(), kfgn.gauss_newton_blocks(*p[:4])[0]
    assert tuple(first.shape) == tuple(exact.shape)
    np.testing.assert_allclose(
        float(blocks[-1].trace()), float(np.trace(backend.to_numpy(blocks[-1].dense()))), rtol=1e-12
    )


def test_one_datapoint_is_exact(backend, shallow):
    # E[Q kron G] = Q kron G for N = 1
    p = shallow(backend, "categorical", N=1)
    curvature = kfgn.kflr(*p[:4])
    for b, exact in zip(kfgn.kronecker_blocks(*curvature[2:]), kfgn.gauss_newton_blocks(*p[:4]), strict=True):
        np.testing.assert_allclose(backend.to_numpy(b.dense()), backend.to_numpy(exact), rtol=0, atol=1e-14)
