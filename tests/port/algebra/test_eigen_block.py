"""Blocks with given eigenvectors, compared with dense matrices, and their arguments that are refused by name."""

import numpy as np
import pytest
from array_api_compat import array_namespace

import kfgn
from kfgn import EigenBlock

from .blocks import D, K, P, V, vec, without_jax


def parts(dtype="float64"):
    rng = np.random.default_rng(5)
    U_Q, U_G = (np.linalg.qr(rng.standard_normal((n, n)))[0] for n in (P, D))
    S = rng.random((D, P))
    S[0, 1] = 0.0
    return [A.astype(dtype) for A in (U_Q, U_G, S)]


def on(backend, arrays):
    return EigenBlock(*map(backend.asarray, arrays))


def expected():
    U_Q, U_G, S = parts()
    U = np.kron(U_Q, U_G)
    return U @ np.diag(vec(S)) @ U.T


def test_products_solve_and_logdet(backend):
    with backend.scope("float64"):
        block, v, matrix = on(backend, parts()), backend.asarray(V), expected()
        np.testing.assert_allclose(backend.to_numpy(block.dense()), matrix, rtol=0, atol=1e-14)
        np.testing.assert_allclose(float(block.trace()), np.trace(matrix), rtol=1e-13)
        np.testing.assert_allclose(vec(backend.to_numpy(block.matvec(v))), matrix @ vec(V), rtol=0, atol=1e-13)
        damped = matrix + K * np.eye(P * D)
        for damping in (K, backend.asarray(np.array(K))):
            solved = vec(backend.to_numpy(block.solve(v, damping=damping)))
            np.testing.assert_allclose(solved, np.linalg.solve(damped, vec(V)), rtol=0, atol=1e-11)
            np.testing.assert_allclose(float(block.logdet(damping=damping)), np.linalg.slogdet(damped)[1], rtol=1e-12)


def test_the_exact_inversion_of_a_kronecker_product(backend):
    with backend.scope("float64"):
        U_Q, U_G, _ = parts()
        q, g = np.arange(1.0, P + 1), np.arange(1.0, D + 1)
        Q, G = U_Q @ np.diag(q) @ U_Q.T, U_G @ np.diag(g) @ U_G.T
        one, v = on(backend, (U_Q, U_G, np.outer(g, q))), backend.asarray(V)
        two = kfgn.KroneckerBlock(backend.asarray(Q), backend.asarray(G))
        a, b = one.solve(v, damping=K), two.solve(v, damping=K, inversion="exact")
        np.testing.assert_allclose(backend.to_numpy(a), backend.to_numpy(b), rtol=0, atol=1e-13)


@without_jax
def test_float32(backend):
    block, v = on(backend, parts("float32")), backend.asarray(V.astype("float32"))
    for result in (block.dense(), block.trace(), block.matvec(v), block.solve(v, damping=K), block.logdet(damping=K)):
        assert result.dtype == v.dtype
        assert array_namespace(result) is array_namespace(v)


@without_jax
def test_not_positive_definite(backend):
    U_Q, U_G, S = parts()
    block, v = on(backend, (U_Q, U_G, S - 1)), backend.asarray(V)
    for call in (
        lambda check: block.solve(v, damping=K, check=check),
        lambda check: block.logdet(damping=K, check=check),
    ):
        with pytest.raises(
            kfgn.NotPositiveDefiniteError, match=r"^damping: .*U_Q kron U_G and eigenvalues S \(3, 5\).*got 0\.04$"
        ):
            call(True)
        assert np.all(np.isnan(backend.to_numpy(call(False))))
    with pytest.raises(kfgn.NotPositiveDefiniteError, match=r"^damping: expected a smaller value"):
        on(backend, parts()).solve(v * 1e-200, damping=1e200)


@pytest.mark.parametrize("check", [True, False])
@without_jax
def test_bad_shapes(backend, check):
    U_Q, U_G, S = parts()
    v = backend.asarray(V)
    for bad, message in [
        ((U_Q[:, :4], U_G, S), r"^U_Q: expected a square matrix with at least one row, got shape \(5, 4\)"),
        ((U_Q, U_G[0], S), r"^U_G: expected a square matrix with at least one row, got shape \(3,\)"),
        ((U_Q, U_G, S.T), r"^S: expected shape \(3, 5\), got \(5, 3\)"),
        ((U_Q, U_G, S[0]), r"^S: expected shape \(3, 5\), got \(5,\)"),
    ]:
        block = on(backend, bad)
        calls = (block.dense, block.trace, lambda b=block: b.matvec(v, check=check))
        for call in (*calls, lambda b=block: b.solve(v, damping=K, check=check), lambda b=block: b.logdet(damping=K)):
            with pytest.raises(ValueError, match=message):
                call()
    for wrong in (V.T, V[:, :4], V.ravel()):
        for call in (on(backend, parts()).matvec, lambda v: on(backend, parts()).solve(v, damping=K)):
            with pytest.raises(ValueError, match=r"^V: expected shape \(3, 5\), got"):
                call(backend.asarray(wrong))


@without_jax
def test_bad_arrays(backend):
    U_Q, U_G, S = parts()
    block, v = on(backend, (U_Q, U_G, S)), backend.asarray(V)
    with pytest.raises(TypeError, match=r"^S: expected the dtype of U_Q"):
        block._replace(S=backend.asarray(S.astype("float32"))).trace()
    with pytest.raises(TypeError, match=r"^U_G: expected an array, got builtins.list"):
        block._replace(U_G=U_G.tolist()).dense()
    with pytest.raises(TypeError, match=r"^V: expected the dtype of S"):
        block.matvec(backend.asarray(V.astype("float32")))
    with pytest.raises(ValueError, match=r"^S: expected finite values"):
        block._replace(S=backend.asarray(S * np.nan)).matvec(v)
    with pytest.raises(ValueError, match=r"^V: expected finite values"):
        block.matvec(v * np.nan)
    for damping, error in [(0.0, ValueError), (-1, ValueError), (np.nan, ValueError), ("1", TypeError)]:
        for call in (lambda k: block.solve(v, damping=k), lambda k: block.logdet(damping=k, check=False)):
            with pytest.raises(error, match=r"^damping: expected a finite number above 0, "):
                call(damping)
