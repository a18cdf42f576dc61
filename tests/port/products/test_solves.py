"""Conjugate gradients: the solution, the number of iterations, and no change after the last one."""

import numpy as np
import pytest

import kfgn
from kfgn._algebra.conjugate_gradient import conjugate_gradient

OBJECTIVES = ["squared_error", "bernoulli", "categorical", "mixture", "mixture scalar"]

numpy_alone = pytest.mark.parametrize("backend", ["numpy"], indirect=True)

without_jax = pytest.mark.parametrize("backend", ["numpy", "strict", "torch", "torch-cuda", "cupy"], indirect=True)


def system(sizes, seed=0, condition=10.0):
    """A symmetric positive definite matrix A, and a vector b in parts of these sizes."""
    rng = np.random.default_rng(seed)
    n = sum(sizes)
    U, _ = np.linalg.qr(rng.standard_normal((n, n)))
    A = U @ np.diag(np.geomspace(1, condition, n)) @ U.T
    return A, tuple(np.split(rng.standard_normal(n), np.cumsum(sizes)[:-1]))


def applied(A, sizes, counter=None):
    def apply(v):
        if counter is not None:
            counter.append(1)
        return tuple(np.split(A @ np.concatenate(v), np.cumsum(sizes)[:-1]))

    return apply


def test_as_many_iterations_as_rows():
    sizes = (2, 3, 1)
    A, b = system(sizes)
    solution = conjugate_gradient(applied(A, sizes), b, iterations=6, tolerance=0.0)
    np.testing.assert_allclose(np.concatenate(solution.x), np.linalg.solve(A, np.concatenate(b)), rtol=1e-10)
    assert solution.residual < 1e-12
    assert solution.iterations == 6


@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e30, 1e-300, 1e300])
def test_scale_of_b(scale):
    # no square of b underflows or overflows
    A, b = system((4,))
    solution = conjugate_gradient(applied(A, (4,)), (scale * b[0],), iterations=6, tolerance=1e-10)
    np.testing.assert_allclose(solution.x[0] / scale, np.linalg.solve(A, b[0]), rtol=1e-9)
    assert solution.residual <= 1e-10


def test_stopped_is_stopped():
    # the iterations after convergence change no bit
    sizes, counter = (3, 4), []
    A, b = system(sizes)
    early = conjugate_gradient(applied(A, sizes, counter), b, iterations=5, tolerance=0.3)
    late = conjugate_gradient(applied(A, sizes), b, iterations=40, tolerance=0.3)
    assert len(counter) == early.iterations + 1  # one more product for the residual
    assert early.iterations == late.iterations < 5
    assert late.residual <= 0.3
    for x, y in zip(early.x, late.x, strict=True):
        assert x.tobytes() == y.tobytes()
    np.testing.assert_allclose(
        late.residual,
        np.linalg.norm(np.concatenate(b) - A @ np.concatenate(late.x)) / np.linalg.norm(np.concatenate(b)),
        rtol=1e-12,
    )


def test_each_block_stops_for_itself():
    A, (b,) = system((5,))
    easy = np.eye(5)
    separate = conjugate_gradient(
        lambda v: (A @ v[0], easy @ v[1], 0 * v[2]), (b, 3 * b, 0 * b), iterations=30, tolerance=1e-10, separate=True
    )
    alone = conjugate_gradient(lambda v: (A @ v[0],), (b,), iterations=30, tolerance=1e-10)
    assert [int(n) for n in separate.iterations] == [int(alone.iterations), 1, 0]
    np.testing.assert_allclose(separate.x[0], alone.x[0], rtol=1e-13)
    np.testing.assert_allclose(separate.x[1], 3 * b, rtol=1e-13)
    np.testing.assert_array_equal(separate.x[2], 0 * b)
    assert [float(r) <= 1e-10 for r in separate.residual] == [True] * 3
    assert separate.residual[2] == 0


def test_no_curvature():
    # if p^T A p is not positive, the solution stays as it is, and the residual shows this
    b = np.array([1.0, 2.0])
    for A in (np.zeros((2, 2)), -np.eye(2)):
        solution = conjugate_gradient(applied(A, (2,)), (b,), iterations=4, tolerance=1e-3)
        np.testing.assert_array_equal(solution.x[0], 0 * b)
        assert (solution.iterations, solution.residual) == (0, 1)
    indefinite = conjugate_gradient(applied(np.diag([1.0, -1.0]), (2,)), (b,), iterations=9, tolerance=1e-3)
    assert np.all(np.isfinite(indefinite.x[0]))


@pytest.mark.parametrize("where", ["A", "b"])
def test_nan_is_seen(where):
    A, (b,) = system((3,))
    (A if where == "A" else b)[0] = np.nan
    solution = conjugate_gradient(applied(A, (3,)), (b,), iterations=4, tolerance=1e-3)
    assert np.all(np.isnan(solution.x[0]))
    assert np.isnan(solution.residual)


def vec(W):
    return np.asarray(W).T.ravel()


@pytest.mark.parametrize("objective", OBJECTIVES)
@without_jax
def test_blocks(backend, problem, objective):
    p = problem(backend, objective, widths=(2, 5, 4, 3))
    solution = kfgn.solve_gauss_newton_blocks(*p[:4], p.b, damping=0.25, iterations=60, tolerance=1e-12)
    for x, block, b in zip(solution.x, kfgn.gauss_newton_blocks(*p[:4]), p.b, strict=True):
        B, v = backend.to_numpy(block), vec(backend.to_numpy(b))
        expected = np.linalg.solve(B + 0.25 * np.eye(len(B)), v)
        np.testing.assert_allclose(vec(backend.to_numpy(x)), expected, rtol=0, atol=1e-9 * np.abs(expected).max())
    assert all(float(r) <= 1e-10 for r in solution.residual)
    assert all(0 < int(n) < 60 for n in solution.iterations)


@pytest.mark.parametrize("objective", OBJECTIVES)
@without_jax
def test_full(backend, problem, objective):
    # (G + k I) x = b, checked by the product
    p = problem(backend, objective, widths=(2, 5, 4, 3))
    solution = kfgn.solve_gauss_newton(*p[:4], p.b, damping=0.25, iterations=80, tolerance=1e-12)
    Gx = kfgn.gauss_newton_product(*p[:4], solution.x)
    for g, x, b in zip(Gx, solution.x, p.b, strict=True):
        g, x, b = map(backend.to_numpy, (g, x, b))
        np.testing.assert_allclose(g + 0.25 * x, b, rtol=0, atol=1e-9)
    assert float(solution.residual) <= 1e-10
    assert 0 < int(solution.iterations) < 80


@without_jax
def test_full_of_one_layer_is_its_block(backend, problem):
    p = problem(backend, "mixture", widths=(4, 3))
    options = {"damping": 0.25, "iterations": 30, "tolerance": 1e-12}
    a, b = (f(*p[:4], p.b, **options) for f in (kfgn.solve_gauss_newton, kfgn.solve_gauss_newton_blocks))
    np.testing.assert_allclose(backend.to_numpy(a.x[0]), backend.to_numpy(b.x[0]), rtol=1e-10, atol=1e-12)
    assert int(a.iterations) == int(b.iterations[0])


@numpy_alone
def test_defaults_in_float32(backend, problem):
    p = problem(backend, "categorical", "float32", widths=(2, 5, 4, 3), N=50)
    for solve in (kfgn.solve_gauss_newton, kfgn.solve_gauss_newton_blocks):
        solution = solve(*p[:4], p.b, damping=0.1)
        assert np.max(np.array(solution.residual)) < 2e-5


def test_jit_is_one_loop(problem):
    # the trace of 1000 iterations is as short as that of 10, and the results are those without a trace
    jax = pytest.importorskip("jax")
    from kfgn.backends import open_backend

    p = problem(open_backend("jax"), "categorical", widths=(2, 3))

    def solve(iterations):
        return lambda b: kfgn.solve_gauss_newton(*p[:4], b, damping=0.5, iterations=iterations, tolerance=1e-12)

    few, many = (str(jax.make_jaxpr(solve(n))(p.b)) for n in (10, 1000))
    assert 10 < many.count("\n") <= few.count("\n")
    solution = jax.jit(solve(20))(p.b)
    for a, b in zip(solution.x, solve(20)(p.b).x, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10)
    assert int(solution.iterations) < 20


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_no_tolerance(backend, problem, dtype):
    """Iterations after the residual has reached the smallest numbers change nothing."""
    p = problem(backend, "bernoulli", dtype, widths=(2, 3))
    few, many = (
        kfgn.solve_gauss_newton(
            p.network, p.weights, p.X, p.Y, p.b, damping=1.0, tolerance=tolerance, iterations=iterations
        )
        for tolerance, iterations in ((float(np.finfo(dtype).eps), 100), (0.0, 1000))
    )
    for x, y in zip(few.x, many.x, strict=True):
        np.testing.assert_allclose(backend.to_numpy(x), backend.to_numpy(y), rtol=0, atol=100 * np.finfo(dtype).eps)
    assert int(many.iterations) < 1000
