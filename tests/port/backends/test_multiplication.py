"""Products of matrices on every library, also by oneDNN on a processor for which `matmul` would not choose it."""

import numpy as np
import pytest

from kfgn.backends import matmul, multiplication, unit_roundoff


@pytest.fixture(params=["chosen", "onednn"])
def routine(request, backend, monkeypatch):
    if request.param == "onednn":
        if backend.name != "torch":
            pytest.skip("oneDNN is a part of PyTorch on the host")
        monkeypatch.setattr(multiplication, "onednn_is_faster", lambda: True)
        monkeypatch.setattr(multiplication, "LARGE", 0)


SHAPES = [
    ((300, 200), (200, 150)),
    ((3, 300, 200), (200, 150)),
    ((1, 1), (1, 1)),
    ((5, 1), (1, 7)),
    ((400, 300), (300,) * 2),
]


@pytest.mark.usefixtures("routine")
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("left", "right"), SHAPES)
def test_matmul(backend, left, right, dtype, transposed):
    rng = np.random.default_rng(0)
    A, B = (rng.standard_normal(shape).astype(dtype) for shape in (left, right))
    with backend.scope(dtype):
        if transposed:  # views whose rows are not contiguous
            swapped = [backend.xp.matrix_transpose(backend.asarray(np.swapaxes(x, -1, -2))) for x in (A, B)]
        a, b = swapped if transposed else map(backend.asarray, (A, B))
        C = matmul(a, b)
        assert C.dtype == a.dtype
        bound = 2 * left[-1] * unit_roundoff(a) * (np.abs(A).astype("float64") @ np.abs(B))
    assert np.all(np.abs(backend.to_numpy(C) - A.astype("float64") @ B) <= bound)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize("backend", ["torch"], indirect=True)
@pytest.mark.usefixtures("routine")
def test_derivatives_and_stacks():
    """oneDNN has derivatives of the first order alone, so it multiplies no tensor with a derivative."""
    import torch

    A, B, T = (torch.from_numpy(np.random.default_rng(i).standard_normal((4, 4)).astype("float32")) for i in range(3))
    for product in (lambda X: matmul(X, B), lambda X: matmul(B, X)):
        right = product(T)
        torch.testing.assert_close(torch.func.jvp(product, (A,), (T,))[1], right)
        torch.testing.assert_close(torch.vmap(product)(torch.stack([A, T]))[1], right)
    X = A.clone().requires_grad_()
    (first,) = torch.autograd.grad(matmul(X, X).sum(), X, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), X)
    torch.testing.assert_close(second, torch.full((4, 4), 8.0))


def test_thin_matrices_are_not_converted(monkeypatch):
    """The copies of large and thin matrices would take more time and memory than oneDNN saves."""
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(multiplication, "onednn_is_faster", lambda: True)
    converted = []
    linear = torch.nn.functional.linear
    monkeypatch.setattr(torch.nn.functional, "linear", lambda A, B: converted.append(A.shape) or linear(A, B))
    for many, expected in ((multiplication.MANY, [300, 900]), (0, [900])):
        monkeypatch.setattr(multiplication, "MANY", many)
        converted.clear()
        for n in (300, 900):  # n / 3 multiplications per element
            matmul(torch.ones(n, n), torch.ones(n, n))
        assert [shape[0] for shape in converted] == expected


@pytest.mark.usefixtures("routine")
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite(backend, bad):
    A = np.ones((300, 200), dtype="float32")
    A[7, 3] = bad
    C = backend.to_numpy(matmul(backend.asarray(A), backend.asarray(np.ones((200, 150), dtype="float32"))))
    expected = np.full((300, 150), 200.0)
    expected[7] = bad
    np.testing.assert_array_equal(C, expected)


INTEL = "vendor_id\t: GenuineIntel\ncpu family\t: 26\n"
PROCESSORS = {
    "vendor_id\t: AuthenticAMD\ncpu family\t: 26\nmodel\t\t: 2\n": True,
    "vendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 17\n": False,
    INTEL: False,
    "AMD64 Family 26 Model 68 Stepping 0, AuthenticAMD": True,
    "arm": False,
}


@pytest.mark.parametrize("text", PROCESSORS, ids=["family 26", "family 25", "Intel", "no Linux", "ARM"])
def test_onednn_is_chosen_by_the_family_of_the_processor(text, monkeypatch):
    monkeypatch.setattr(multiplication.Path, "read_text", lambda *_, **__: text)
    assert multiplication.is_recent_amd.__wrapped__() is PROCESSORS[text]
