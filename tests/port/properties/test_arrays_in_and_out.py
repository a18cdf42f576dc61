"""Results have the library, dtype and device of the arguments, and no argument is changed."""

import itertools

import numpy as np
import pytest
from array_api_compat import array_namespace, device

import kfgn
from kfgn.backends import BACKENDS

from ...pairs import few_on_jax

OBJECTIVES = ["squared_error", "bernoulli", "categorical", "mixture", "mixture scalar"]
DEEPER = (2, 5, 4, 3)

# JAX compiles every operation for every shape and dtype; test_jax.py traces the functions without computing
without_jax = pytest.mark.parametrize("backend", ["numpy", "strict", "torch", "torch-cuda", "cupy"], indirect=True)


def leaves(result):
    """The arrays of a result in order: an array, a tuple of arrays or a LossAndFactors."""
    return list(itertools.chain.from_iterable(map(leaves, result))) if isinstance(result, tuple) else [result]


def assert_like_the_input(backend, problem, function, result):
    indices = function.name == "sample_labels" and problem.network.classes is not None
    if isinstance(result, kfgn.Solution):
        assert all(backend.xp.isdtype(n.dtype, "integral") for n in leaves((result.iterations,)))
        result = (result.x, result.residual)
    for array in leaves(result):
        # NumPy's mean is a NumPy scalar, which the standard treats as an array
        assert array_namespace(array) is array_namespace(problem.X)
        assert device(array) == device(problem.X)
        assert backend.xp.isdtype(array.dtype, "integral") if indices else array.dtype == problem.X.dtype


@few_on_jax(BACKENDS, ["categorical"], objective=OBJECTIVES)
def test_library_dtype_and_device(backend, shallow, functions, objective):
    p = shallow(backend, objective)
    before = [np.array(backend.to_numpy(a)) for a in p.arrays()]
    for function in functions():
        assert_like_the_input(backend, p, function, function(p))
    after = [backend.to_numpy(a) for a in p.arrays()]
    assert all(a.tobytes() == b.tobytes() for a, b in zip(before, after, strict=True)), "an input was changed"


@pytest.mark.parametrize("objective", OBJECTIVES)
@without_jax
def test_float32_stays_float32(backend, problem, functions, objective):
    p = problem(backend, objective, "float32", widths=DEEPER)
    for function in functions():
        assert_like_the_input(backend, p, function, function(p))


@pytest.mark.parametrize("objective", OBJECTIVES)
@without_jax
def test_shapes(backend, problem, objective):
    p = problem(backend, objective, widths=DEEPER)
    pre, weights = [(7, D, D) for D in (5, 4, 3)], [(5, 3), (4, 6), (3, 5)]
    blocks = [(n * m, n * m) for n, m in weights]
    Q, G = [(m, m) for _, m in weights], [(n, n) for n, _ in weights]
    curvature = [(), *weights, *Q, *G]
    args = p.network, p.weights, p.X

    def shapes(result):
        return [tuple(array.shape) for array in leaves(result)]

    assert shapes(kfgn.loss(*args, p.Y)) == [()]
    assert shapes(kfgn.gradient(*args, p.Y)) == weights
    assert shapes(kfgn.preactivation_hessians(*args, p.Y)) == pre
    assert shapes(kfgn.preactivation_gauss_newton(*args, p.Y)) == pre
    assert shapes(kfgn.hessian_blocks(*args, p.Y)) == blocks
    assert shapes(kfgn.gauss_newton_blocks(*args, p.Y)) == blocks
    assert shapes(kfgn.jacobian_product(*args, p.V)) == [(7, 3)]
    assert shapes(kfgn.transposed_jacobian_product(*args, p.U)) == weights
    for product in ("gauss_newton_product", "hessian_product", "gauss_newton_block_product", "hessian_block_product"):
        assert shapes(getattr(kfgn, product)(*args, p.Y, p.V)) == weights
    solution = kfgn.solve_gauss_newton(*args, p.Y, p.b, damping=1.0, iterations=2)
    assert [shapes((part,)) for part in solution] == [weights, [()], [()]]
    solution = kfgn.solve_gauss_newton_blocks(*args, p.Y, p.b, damping=1.0, iterations=2)
    assert [shapes((part,)) for part in solution] == [weights, [()] * 3, [()] * 3]
    for number in ("curvature_along", "quadratic_model", "step_size", "reduction_ratio"):
        assert shapes(getattr(kfgn, number)(*args, p.Y, p.delta, tau=0.5, eta=0.5)) == [()]
    sampled = (kfgn.kfac(*args, p.Y, p.labels), kfgn.rp(*args, p.Y, p.projections))
    for result in (kfgn.kfra(*args, p.Y), kfgn.kflr(*args, p.Y), *sampled):
        assert isinstance(result, kfgn.LossAndFactors)
        assert shapes(result) == curvature
    labels = kfgn.sample_labels(*args, p.draws)
    assert shapes(labels) == [kfgn.label_draws_shape(p.network, 7, 6)]
    kfgn.kfac(*args, p.Y, labels)  # KFAC takes the labels that were sampled


@without_jax
def test_ones_everywhere(backend, problem):
    # with one datapoint, one sample and one unit no axis of length one is lost
    p = problem(backend, "bernoulli", widths=(1, 1, 1), N=1, S=1)
    kfra, kflr = (f(p.network, p.weights, p.X, p.Y) for f in (kfgn.kfra, kfgn.kflr))
    for a, b in zip(leaves(kfra), leaves(kflr), strict=True):
        np.testing.assert_allclose(backend.to_numpy(a), backend.to_numpy(b), rtol=1e-12, atol=1e-14)
    assert [tuple(G.shape) for G in kflr.G] == [(1, 1), (1, 1)]
    labels = kfgn.sample_labels(p.network, p.weights, p.X, p.draws)
    assert tuple(labels.shape) == tuple(p.labels.shape)


@few_on_jax(BACKENDS, ["mixture"], objective=OBJECTIVES)
def test_weights_in_any_sequence(backend, shallow, functions, objective):
    p = shallow(backend, objective)
    for function in functions():
        expected, came = function(p), function(p.having("weights", list(p.weights)))
        for a, b in zip(leaves(expected), leaves(came), strict=True):
            assert backend.to_numpy(a).tobytes() == backend.to_numpy(b).tobytes()


VIEWS = {
    "Fortran order": np.asfortranarray,
    "every second": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "backwards": lambda a: np.array(a[::-1])[::-1],
    "transposed twice": lambda a: np.array(a.T).T,
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("backend", ["numpy"], indirect=True)
def test_read_only_views(backend, problem, functions, objective, view):
    p = problem(backend, objective)

    def locked(a):
        seen = VIEWS[view](a)
        assert np.array_equal(seen, a)
        seen.flags.writeable = False
        return seen

    q = p.map(locked)
    for function in functions():
        for a, b in zip(leaves(function(p)), leaves(function(q)), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)
            assert not any(np.shares_memory(b, x) for x in q.arrays())
