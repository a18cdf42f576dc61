"""Products A^T A on every library, and the tensors of which NumPy must not compute the product."""

import numpy as np
import pytest

from kfgn.backends import gram, symmetric_products


@pytest.fixture(autouse=True)
def small_tensors_by_numpy(monkeypatch):
    """NumPy multiplies the small tensors of these tests too, with any number of threads."""
    monkeypatch.setattr(symmetric_products, "COLUMNS_OF_NUMPY", 0)
    monkeypatch.setattr(symmetric_products, "LARGE", 0)
    monkeypatch.setattr(symmetric_products, "_has_one_thread", lambda: True)


def _integers(shape, dtype="float32"):
    """Random integers, whose products have no rounding errors."""
    return np.random.default_rng(0).integers(-9, 10, size=shape).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_library(backend, dtype):
    """A^T A, also of a matrix whose memory is not contiguous, in the dtype and library of A."""
    A = _integers((6, 8), dtype)
    with backend.scope(dtype):
        for ours, right in ((backend.asarray(A), A), (backend.asarray(A)[1:, ::2], A[1:, ::2])):
            product = gram(ours)
            assert type(product) is type(ours)
            assert product.dtype == ours.dtype
            np.testing.assert_array_equal(backend.to_numpy(product), right.T @ right)


def test_a_stack_of_matrices(backend):
    A = _integers((4, 6, 3))
    np.testing.assert_array_equal(backend.to_numpy(gram(backend.asarray(A))), np.stack([a.T @ a for a in A]))


@pytest.mark.parametrize("D", [4, 5])
def test_halves_of_jax(monkeypatch, D):
    """The product in halves of columns is the product, and needs three quarters of the multiplications."""
    jax = pytest.importorskip("jax")
    monkeypatch.setattr(symmetric_products, "ROWS", range(6, 7))
    monkeypatch.setattr(symmetric_products, "COLUMNS", D)
    A = _integers((6, D))
    np.testing.assert_array_equal(gram(jax.numpy.asarray(A)), A.T @ A)
    products = [e for e in jax.make_jaxpr(gram)(A).eqns if e.primitive.name == "dot_general"]
    sizes = [int(np.prod(e.outvars[0].aval.shape)) for e in products]
    if jax.default_backend() != "cpu":
        return
    assert sum(sizes) == D * D - (D // 2) * (D - D // 2)


def test_a_fake_tensor():
    torch = pytest.importorskip("torch")
    from torch._subclasses import FakeTensorMode

    with FakeTensorMode() as mode:
        product = gram(mode.from_tensor(torch.ones(5, 3)))
    assert product.shape == (3, 3)
    assert gram(torch.ones(5, 3, device="meta")).is_meta


def test_a_negated_view():
    """A view with the bit that marks a delayed negation, which NumPy cannot read without a copy."""
    torch = pytest.importorskip("torch")
    A = torch.complex(torch.ones(5, 3), 2 * torch.ones(5, 3)).conj().imag
    assert A.is_neg()
    assert torch.equal(gram(A), torch.full((3, 3), 20.0))


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_a_recorded_program_contains_the_product():
    """A program that was recorded on one tensor computes the product of another."""
    torch = pytest.importorskip("torch")
    from torch.fx.experimental.proxy_tensor import make_fx

    A, B = torch.from_numpy(_integers((5, 3))), torch.ones(5, 3)
    for program in (torch.jit.trace(gram, (B,), check_trace=False), make_fx(gram)(B)):
        assert torch.equal(program(A), A.T @ A)


def test_numpy_multiplies_large_and_wide_tensors(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.undo()
    by_numpy = []
    monkeypatch.setattr(symmetric_products, "_gram_by_numpy", lambda A: by_numpy.append(A.shape) or A.T @ A)
    for threads in (1, 2):  # with two threads, those of NumPy would slow down PyTorch
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        for shape in ((1000, 60), (100, 100), (1000, 100)):
            A = torch.from_numpy(_integers(shape))
            assert torch.equal(gram(A), A.T @ A)
        assert by_numpy == [(1000, 100)]
