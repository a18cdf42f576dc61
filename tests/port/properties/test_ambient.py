"""Settings of the user's own code change no bit and no dtype of a result of kfgn."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np
import pytest

import kfgn
from kfgn.backends import open_backend, with_own_settings

OBJECTIVES = ["bernoulli", "categorical", "mixture"]


@contextlib.contextmanager
def restored(setter, value, before):
    setter(value)
    try:
        yield
    finally:
        setter(before)


def matmul_precisions(torch):
    """Precisions that differ by backend, which the older function of PyTorch cannot report as one name."""
    stack = contextlib.ExitStack()
    for part, value in ((torch.backends.cuda.matmul, "tf32"), (torch.backends.mkldnn.matmul, "bf16")):
        stack.enter_context(restored(lambda v, part=part: setattr(part, "fp32_precision", v), value, "ieee"))
    return stack


def numpy_states(_):
    return {
        "errors raise": lambda: np.errstate(all="raise"),
        "errors call": lambda: np.errstate(all="call", call=lambda *_: pytest.fail("a floating-point error")),
    }


def torch_states(_):
    torch = pytest.importorskip("torch")
    return {
        "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
        "autocast in float16": lambda: torch.autocast("cpu", dtype=torch.float16),
        "default dtype": lambda: restored(torch.set_default_dtype, torch.float16, torch.float32),
        "default device": lambda: torch.device("meta"),
        "no_grad": torch.no_grad,
        "inference mode": torch.inference_mode,
        "medium products": lambda: restored(torch.set_float32_matmul_precision, "medium", "highest"),
        "bfloat16 products": lambda: matmul_precisions(torch),
        "deterministic": lambda: restored(torch.use_deterministic_algorithms, True, False),
    }


def jax_states(dtype):
    jax = pytest.importorskip("jax")
    return {
        "strict promotion": lambda: jax.numpy_dtype_promotion("strict"),
        "no promotion of ranks": lambda: jax.numpy_rank_promotion("raise"),
        "debug_nans": lambda: jax.debug_nans(True),
        "debug_infs": lambda: jax.debug_infs(True),
        "bfloat16 products": lambda: jax.default_matmul_precision("bfloat16"),
        "x64": lambda: jax.enable_x64(dtype == "float32"),  # False for arrays of 64 bits
    }


STATES = {"numpy": numpy_states, "strict": numpy_states, "torch": torch_states, "jax": jax_states}


def leaves(value):
    if isinstance(value, (tuple, list)):
        return [leaf for part in value for leaf in leaves(part)]
    return [] if value is None or isinstance(value, int) else [value]


def assert_same(backend, came, expected):
    for a, b in zip(leaves(came), leaves(expected), strict=True):
        x, y = backend.to_numpy(a), backend.to_numpy(b)
        if x.dtype.kind == "i":  # x64 changes the dtype that the library gives to indices
            np.testing.assert_array_equal(x, y)
        else:
            assert (x.dtype, x.tobytes()) == (y.dtype, y.tobytes())


def optimisers(network):
    factored = [
        kfgn.KroneckerFactored(method, inversion="exact" if method == "kfac" else "trace") for method in FACTORED
    ]
    curvatures = [*factored, kfgn.HessianFree(iterations=2)]
    dampings = {name: kfgn.Damping(1e-2, 1, lower=1e-6) for name in ("tau", "gamma")}
    second_order = [kfgn.GaussNewton(network, curvature=curvature, **dampings) for curvature in curvatures]
    return [kfgn.SGD(network, 0.1, momentum=0.5), kfgn.Adam(network), *second_order]


FACTORED = ["kfra", "kflr", "kfac", "rp"]


def drawn(optimiser, backend, p):
    """The draws of two steps."""
    made = (optimiser.draw(0, t, p.X.shape[0]) for t in (1, 2))
    return [None if u is None else backend.xp.astype(backend.asarray(u), p.X.dtype) for u in made]


def two_steps(optimiser, draws, p):
    state, infos = optimiser.init(p.weights), []
    for u in draws:
        state, info = optimiser.step(state, p.X, p.Y, u)
        infos.append(info)
    return state, infos


INVERSIONS = ["trace", "frobenius", "spectral", "exact"]


def answers(block, V, inversion):
    return block.solve(V, damping=0.5, inversion=inversion), block.logdet(damping=0.5, inversion=inversion)


def everything(functions, p, steps):
    """The results of the functions, of the blocks of KFRA, and of two steps of each optimiser."""
    curvature = kfgn.kfra(*p[:4])
    made = kfgn.kronecker_blocks(curvature.Q, curvature.G)
    of_blocks = [
        (b.dense(), b.trace(), b.matvec(V), kfgn.omega(*b), *(answers(b, V, i) for i in INVERSIONS))
        for b, V in zip(made, p.V, strict=True)
    ]
    return [f(p) for f in functions], of_blocks, [two_steps(optimiser, draws, p) for optimiser, draws in steps]


def extreme(p):
    """The problem with weights so large that exponentials underflow."""
    return p._replace(weights=tuple(200 * W for W in p.weights))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("library", ["numpy", "strict", "torch"])
def test_results(library, problem, functions, dtype):
    backend = open_backend_or_skip(library)
    p = extreme(problem(backend, "categorical" if dtype == "float32" else "bernoulli", dtype, widths=(5, 17, 3)))
    steps = [(optimiser, drawn(optimiser, backend, p)) for optimiser in optimisers(p.network)]
    expected = everything(functions(), p, steps)
    for state in STATES[library](dtype).values():
        with state():
            came = everything(functions(), p, steps)
        assert_same(backend, came, expected)


JAX = ["gauss_newton_product", "sample_labels", "solve_gauss_newton"]
"""The functions that this test runs on JAX, which compiles every operation for each shape."""


def test_results_of_jax(problem, functions):
    backend = open_backend_or_skip("jax")
    p = extreme(problem(backend, "categorical", "float64", widths=(3, 3), N=3, S=2))
    steps = [(kfgn.SGD(p.network, 0.1), [None, None])]
    some = [f for f in functions() if f.name in JAX]
    expected = everything(some, p, steps)
    for state in jax_states("float64").values():
        with state():
            came = everything(some, p, steps)
        assert_same(backend, came, expected)


def test_64_bits_of_jax_beside_float32(problem):
    backend = open_backend_or_skip("jax")
    p = problem(backend, "bernoulli", "float32", widths=(2, 3), N=3)
    expected = kfgn.gradient(*p[:4])
    with jax_states("float32")["x64"]():
        came = kfgn.gradient(*p[:4])
    assert_same(backend, came, expected)


def open_backend_or_skip(library):
    pytest.importorskip({"strict": "array_api_strict"}.get(library, library))
    return open_backend(library)


@pytest.mark.parametrize("library", STATES)
def test_a_step_that_is_rejected(library, problem):
    backend = open_backend_or_skip(library)
    p = problem(backend, "squared_error", "float64", widths=(2, 3))
    bad = p._replace(X=p.X * float("inf"))
    steps = [kfgn.SGD(p.network, 0.1), kfgn.GaussNewton(p.network)]
    for state in STATES[library]("float64").values():
        with state():
            for optimiser in steps:
                start = optimiser.init(p.weights)
                after, info = optimiser.step(start, bad.X, p.Y)
        assert not bool(info.ok)
        assert int(after.counts.rejected) == 1
        assert_same(backend, after.weights, start.weights)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_no_nan_on_the_way(objective):
    """No formula computes a NaN that it then discards: under debug_nans JAX would stop the user's function."""
    jax = pytest.importorskip("jax")
    network = kfgn.Network.dense((3, 3), (), objective)
    labels = np.array([0, 1, 0, 1]) if network.classes else np.eye(4, 3)
    X = np.array([[0.0, 0.0, 0.0], [800.0, -800.0, 0.0], [-90.0, 90.0, 90.0], [1.0, 2.0, -3.0]])
    with jax.enable_x64(True), jax.debug_nans(True), jax.disable_jit():
        W, x, y = (jax.numpy.eye(3, 4),), jax.numpy.asarray(X), jax.numpy.asarray(labels)
        loss, gradient = jax.value_and_grad(lambda W: kfgn.loss(network, W, x, y))(W)
    assert np.isfinite(loss)
    assert np.all(np.isfinite(gradient[0]))


def test_a_call_of_another_thread_does_not_end_the_precision_of_torch():
    """The first call ends while the second computes, and the user's precision is back after both."""
    torch = pytest.importorskip("torch")
    begun, second_began, first_ended = Event(), Event(), Event()
    user = torch.get_float32_matmul_precision()

    @with_own_settings
    def first(_x):
        begun.set()
        assert second_began.wait(60)

    @with_own_settings
    def second(_x):
        second_began.set()
        assert first_ended.wait(60)
        return torch.get_float32_matmul_precision()

    torch.set_float32_matmul_precision("medium")
    try:
        with ThreadPoolExecutor(2) as pool:
            one = pool.submit(first, torch.ones(1))
            assert begun.wait(60)
            other = pool.submit(second, torch.ones(1))
            one.result(60)
            first_ended.set()
            assert other.result(60) == "highest"
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(user)
