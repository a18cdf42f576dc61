"""A Kronecker-factored block against the dense matrix that it stands for."""

import numpy as np
import pytest
from array_api_compat import array_namespace, device

import kfgn
from kfgn import KroneckerBlock, NotPositiveDefiniteError

P, D = 5, 3
K = 0.04
INVERSIONS = ["trace", "frobenius", "spectral", "exact"]
NORMS = INVERSIONS[:3]
without_jax = pytest.mark.parametrize("backend", ["numpy", "strict", "torch", "torch-cuda", "cupy"], indirect=True)


def psd(n, rank, rng):
    B = rng.standard_normal((n, rank))
    return B @ B.T / rank


def factors(case="full rank"):
    rng = np.random.default_rng(0)
    Q, G = psd(P, 8, rng), 0.1 * psd(D, 6, rng)
    return {
        "full rank": (Q, G),
        "rank one": (psd(P, 1, rng), psd(D, 1, rng)),
        "dead units": (Q, np.zeros((D, D))),
        "no inputs": (np.zeros((P, P)), G),
        "tiny": (1e-20 * Q, 1e-25 * G),
        "huge": (1e12 * Q, 1e-12 * G),
    }[case]


V = np.random.default_rng(1).standard_normal((D, P))


@pytest.fixture
def block(backend):
    """Makes a block on the backend, and holds its scope open."""
    with backend.scope("float64"):
        yield lambda Q, G: KroneckerBlock(backend.asarray(Q), backend.asarray(G))


def vec(M):
    return np.asarray(M).T.ravel()


def expected_omega(Q, G, norm):
    size = {
        "trace": lambda A: np.trace(A) / len(A),
        "frobenius": lambda A: np.linalg.norm(A) / len(A) ** 0.5,
        "spectral": lambda A: np.linalg.norm(A, 2),
    }[norm]
    return (size(Q) / size(G)) ** 0.5 if size(Q) > 0 and size(G) > 0 else 1.0


def damped(Q, G, inversion):
    if inversion == "exact":
        return np.kron(Q, G) + K * np.eye(P * D)
    w = expected_omega(Q, G, inversion)
    return np.kron(Q + w * K**0.5 * np.eye(P), G + K**0.5 / w * np.eye(D))


def test_products(backend, block):
    Q, G = factors()
    dense = np.kron(Q, G)
    b = block(Q, G)
    np.testing.assert_allclose(backend.to_numpy(b.dense()), dense, rtol=1e-15)
    np.testing.assert_allclose(float(b.trace()), np.trace(dense), rtol=1e-14)
    np.testing.assert_allclose(vec(backend.to_numpy(b.matvec(backend.asarray(V)))), dense @ vec(V), rtol=1e-12)


@pytest.mark.parametrize("case", ["full rank", "rank one", "dead units", "no inputs", "tiny", "huge"])
@pytest.mark.parametrize("norm", NORMS)
def test_omega(block, norm, case):
    Q, G = factors(case)
    w = kfgn.omega(*block(Q, G), norm)
    assert tuple(w.shape) == ()
    np.testing.assert_allclose(float(w), expected_omega(Q, G, norm), rtol=1e-12)


@pytest.mark.parametrize("norm", NORMS)
def test_omega_minimises_the_bound(block, norm):
    # (37): omega^-1 |Q kron I| + omega |I kron G|
    Q, G = factors()
    size = {
        "trace": np.trace,
        "frobenius": np.linalg.norm,
        "spectral": lambda A: np.linalg.norm(A, 2),
    }[norm]

    def bound(w):
        return size(np.kron(Q, np.eye(D))) / w + w * size(np.kron(np.eye(P), G))

    w = float(kfgn.omega(*block(Q, G), norm))
    assert bound(w) < min(bound(1.001 * w), bound(0.999 * w))


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("scale", [1e-20, 1e-12, 1.0])
@without_jax
def test_omega_of_small_factors_in_float32(backend, norm, scale):
    Q, G = factors()
    q, g = (backend.asarray(A.astype("float32")) for A in (Q, G * scale))
    np.testing.assert_allclose(float(kfgn.omega(q, g, norm)), expected_omega(Q, G * scale, norm), rtol=1e-5)


@pytest.mark.parametrize("case", ["full rank", "rank one", "dead units", "no inputs", "tiny"])
@pytest.mark.parametrize("inversion", INVERSIONS)
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
    # which triangle a library reads does not count: both do
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
    # eigenvalues that rounding has pushed below zero, a thousand times the damping, are no reason to refuse
    rng = np.random.default_rng(3)
    B, C = rng.standard_normal((40, 4)), rng.standard_normal((30, 3))
    Q, G = (backend.asarray((scale * A @ A.T).astype("float32")) for scale, A in ((1e3, B), (1e3, C)))
    v = backend.asarray(rng.standard_normal((30, 40)).astype("float32"))
    solved = KroneckerBlock(Q, G).solve(v, damping=1e-1, inversion=inversion)
    assert np.all(np.isfinite(backend.to_numpy(solved)))


INDEFINITE = {
    "Q indefinite": (np.diag([1.0, 1.0, 1.0, 1.0, -3.0]), np.eye(D)),
    "G negative": (np.eye(P), -np.eye(D)),
    "NaN in G": (np.eye(P), np.full((D, D), np.nan)),
}


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


def test_blocks_of_a_curvature(backend, problem):
    p = problem(backend, "mixture", widths=(2, 5, 4, 3))
    curvature = kfgn.kflr(*p[:4])
    blocks = kfgn.kronecker_blocks(curvature.Q, curvature.G)
    assert len(blocks) == 3
    for b, g, W in zip(blocks, curvature.gradient, p.weights, strict=True):
        assert isinstance(b, KroneckerBlock)
        assert tuple(b.solve(g, damping=1e-3).shape) == tuple(b.matvec(g).shape) == tuple(W.shape)
    first, exact = blocks[0].dense(), kfgn.gauss_newton_blocks(*p[:4])[0]
    assert tuple(first.shape) == tuple(exact.shape)
    np.testing.assert_allclose(
        float(blocks[-1].trace()), float(np.trace(backend.to_numpy(blocks[-1].dense()))), rtol=1e-12
    )


def test_one_datapoint_is_exact(backend, problem):
    # E[Q kron G] = Q kron G for N = 1
    p = problem(backend, "categorical", widths=(2, 4, 3), N=1)
    curvature = kfgn.kflr(*p[:4])
    for b, exact in zip(kfgn.kronecker_blocks(*curvature[2:]), kfgn.gauss_newton_blocks(*p[:4]), strict=True):
        np.testing.assert_allclose(backend.to_numpy(b.dense()), backend.to_numpy(exact), rtol=0, atol=1e-14)


@pytest.mark.parametrize("check", [True, False])
def test_bad_shapes(backend, block, check):
    Q, G = factors()
    for name, bad, said in [
        ("Q", block(Q[:, :4], G), r"square matrix, got shape \(5, 4\)"),
        ("G", block(Q, G[0]), r"square matrix, got shape \(3,\)"),
        ("G", block(Q, G[:0, :0]), r"square matrix, got shape \(0, 0\)"),
    ]:
        for call in (
            *(bad.dense, bad.trace, lambda b=bad: b.solve(backend.asarray(V), damping=K, check=check)),
            *(lambda b=bad: b.matvec(backend.asarray(V)), lambda b=bad: kfgn.omega(*b, check=check)),
        ):
            with pytest.raises(ValueError, match=rf"^{name}: expected a {said}"):
                call()
    for v in (V.T, V[:, :4], V.ravel()):
        for call in (block(Q, G).matvec, lambda v: block(Q, G).solve(v, damping=K)):
            with pytest.raises(ValueError, match=r"^V: expected shape \(3, 5\), got"):
                call(backend.asarray(v))


def test_bad_arrays(backend, block):
    Q, G = factors()
    b, single = block(Q, G), backend.asarray(G.astype("float32"))
    with pytest.raises(TypeError, match=r"^G: expected the dtype of Q, "):
        KroneckerBlock(b.Q, single).trace()
    with pytest.raises(TypeError, match=r"^V: expected the dtype of Q, "):
        b.matvec(backend.asarray(V.astype("float32")))
    with pytest.raises(TypeError, match=r"^Q: expected dtype float32 or float64"):
        KroneckerBlock(backend.asarray(np.eye(P, dtype="int64")), b.G).dense()
    with pytest.raises(TypeError, match=r"^G: expected an array, got builtins.list"):
        KroneckerBlock(b.Q, G.tolist()).trace()
    other = np.asarray if backend.name != "numpy" else pytest.importorskip("array_api_strict").asarray
    with pytest.raises(TypeError, match=r"^V: expected an array of the library of Q"):
        b.solve(other(V), damping=K)
    with pytest.raises(ValueError, match=r"^V: expected finite values"):
        b.matvec(backend.asarray(np.where(V > 0, V, np.nan)))


@pytest.mark.parametrize("value", ["fro", "Trace", "", None, 2, ["trace"]])
def test_unknown_names(backend, block, value):
    b = block(*factors())
    for call in (
        lambda: b.solve(backend.asarray(V), damping=K, inversion=value),
        lambda: b.logdet(damping=K, inversion=value),
    ):
        with pytest.raises(ValueError, match=r"^inversion: expected one of trace, frobenius, spectral, exact, got "):
            call()
    with pytest.raises(ValueError, match=r"^norm: expected one of trace, frobenius, spectral, got "):
        kfgn.omega(*b, value)
    with pytest.raises(ValueError, match=r"^norm: expected one of trace, frobenius, spectral, got 'exact'$"):
        kfgn.omega(*b, "exact")


@pytest.mark.parametrize(
    ("damping", "error"), [(0.0, ValueError), (-1, ValueError), (np.nan, ValueError), ("1", TypeError)]
)
def test_bad_damping(backend, block, damping, error):
    b = block(*factors())
    for call in (lambda: b.solve(backend.asarray(V), damping=damping), lambda: b.logdet(damping=damping, check=False)):
        with pytest.raises(error, match=r"^damping: expected a finite number above 0, "):
            call()
    with pytest.raises(TypeError, match=r"^damping: expected the dtype of Q"):
        b.logdet(damping=backend.asarray(np.array(1.0, "float32")))


def test_bad_sequences(block):
    Q, G = block(*factors())
    for bad in (Q, None, {0: Q}):
        with pytest.raises(TypeError, match=r"^Q: expected a tuple or list of arrays Q_1, ..., Q_L"):
            kfgn.kronecker_blocks(bad, (G,))
        with pytest.raises(TypeError, match=r"^G: expected a tuple or list of arrays G_1, ..., G_L"):
            kfgn.kronecker_blocks((Q,), bad)
    with pytest.raises(ValueError, match=r"^G: expected 2 arrays, one for each of Q, got 1"):
        kfgn.kronecker_blocks((Q, Q), (G,))
    with pytest.raises(ValueError, match=r"^G_2: expected a square matrix, got shape \(3, 2\)"):
        kfgn.kronecker_blocks((Q, Q), (G, G[:, :2]))
    with pytest.raises(ValueError, match=r"^Q_1: expected finite values"):
        kfgn.kronecker_blocks((Q * np.nan, Q), (G, G))


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
    # nothing can be read, so nothing is raised
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
