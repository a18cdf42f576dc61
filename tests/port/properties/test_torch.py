"""The port with features of PyTorch: parameters, graphs, default devices and dtypes, pytrees, the compiler."""

import numpy as np
import pytest

import kfgn

torch = pytest.importorskip("torch")
pytree = pytest.importorskip("torch.utils._pytree")

pytestmark = pytest.mark.parametrize("backend", ["torch"], indirect=True)
OBJECTIVES = ["squared_error", "bernoulli", "categorical", "mixture", "mixture scalar"]


def assert_equal(a, b, rtol=0.0):
    for x, y in zip(pytree.tree_leaves(a), pytree.tree_leaves(b), strict=True):
        torch.testing.assert_close(x, y, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_no_graph(backend, problem, functions, objective):
    p = problem(backend, objective)
    parameters = [torch.nn.Parameter(W) for W in p.weights]
    q = p.map(lambda a: a.clone().requires_grad_(a.is_floating_point()))._replace(weights=parameters)
    for function in functions():
        result = function(q)
        for leaf in pytree.tree_leaves(result):
            assert type(leaf) is torch.Tensor
            assert not leaf.requires_grad
            assert leaf.grad_fn is None
        assert_equal(result, function(p))
    assert all(W.requires_grad and W.grad is None for W in parameters)


def test_messages_of_what_requires_grad(backend, problem, functions, refuses):
    p = problem(backend, "bernoulli")
    bad = p._replace(Y=(p.Y - 5).requires_grad_())
    for function in functions("Y"):
        refuses(backend, function, bad, ValueError, "Y", "from -5", "to -4")


def test_curvature_is_a_pytree(backend, problem):
    p = problem(backend, "squared_error")
    curvature = kfgn.kflr(p.network, p.weights, p.X, p.Y)
    assert len(pytree.tree_leaves(curvature)) == 1 + 3 * len(p.weights)
    assert isinstance(pytree.tree_map(torch.clone, curvature), kfgn.LossAndFactors)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_other_defaults(backend, problem, functions, objective):
    # arrays decide the device and the dtype, and the user's defaults do not
    p = problem(backend, objective)
    expected = [function(p) for function in functions()]
    torch.set_default_dtype(torch.float16)
    try:
        with torch.device("meta"):
            came = [function(p) for function in functions()]
    finally:
        torch.set_default_dtype(torch.float32)
    assert_equal(came, expected)


def test_inference_mode(backend, problem, functions):
    p = problem(backend, "categorical")
    with torch.inference_mode():
        X = p.X.clone()
        inside = [function(p._replace(X=X)) for function in functions()]
    assert_equal(inside, [function(p._replace(X=X)) for function in functions()])


@pytest.mark.parametrize("view", [lambda a: a.mT.contiguous().mT, lambda a: a.repeat_interleave(2, 0)[::2]])
def test_strided_views(backend, problem, functions, view):
    p = problem(backend, "squared_error")
    q = p._replace(weights=tuple(map(view, p.weights)), X=view(p.X), Y=view(p.Y))
    for function in functions():
        assert_equal(function(q), function(p), rtol=1e-12)


@pytest.mark.parametrize("name", ["X", "W_1", "Y"])
def test_sparse(backend, problem, functions, refuses, name):
    p = problem(backend, "squared_error")
    bad = p.having(name, p.argument(name).to_sparse())
    for function in functions(name):
        refuses(backend, function, bad, TypeError, name, "sparse")


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_meta_device(backend, problem, functions, objective):
    p = problem(backend, objective, "float32")
    meta = pytree.tree_map(lambda a: a.to("meta") if isinstance(a, torch.Tensor) else a, p)
    for function in functions():
        for a, b in zip(pytree.tree_leaves(function(meta)), pytree.tree_leaves(function(p)), strict=True):
            assert a.is_meta
            assert (a.shape, a.dtype) == (b.shape, b.dtype)


@pytest.mark.filterwarnings("ignore:Dynamo detected a call:UserWarning")
@pytest.mark.parametrize("objective", ["categorical"])
def test_compiled_in_one_graph(backend, problem, objective):
    # the compiler "eager" traces and finds graph breaks, and needs no C++ compiler
    p = problem(backend, objective)
    compiled = torch.compile(lambda *a: kfgn.kflr(p.network, *a), backend="eager", fullgraph=True)
    assert_equal(compiled(p.weights, p.X, p.Y), kfgn.kflr(p.network, p.weights, p.X, p.Y), rtol=1e-12)


def test_loss_is_a_tensor(backend, problem):
    p = problem(backend, "squared_error")
    loss = kfgn.loss(p.network, p.weights, p.X, p.Y)
    assert isinstance(loss, torch.Tensor)
    assert np.isfinite(loss.item())
