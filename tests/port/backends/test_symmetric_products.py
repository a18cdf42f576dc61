"""Symmetric products on every library, and the arrays for which they are not computed in blocks or by NumPy."""

import itertools

import numpy as np
import pytest

from kfgn.backends import gram, symmetric_product, symmetric_products


@pytest.fixture(params=["by NumPy", "in blocks"], autouse=True)
def of_small_matrices(request, monkeypatch):
    """NumPy multiplies the small tensors of these tests too, or they are computed in blocks."""
    monkeypatch.setattr(symmetric_products, "COLUMNS_OF_NUMPY", 0)
    monkeypatch.setattr(symmetric_products, "LARGE", 0)
    monkeypatch.setattr(symmetric_products, "COLUMNS_OF_BLOCKS", 3)
    monkeypatch.setattr(symmetric_products, "LARGE_FOR_BLOCKS", 0)
    monkeypatch.setattr(symmetric_products, "COLUMNS_OF_JAX", 3)
    monkeypatch.setattr(symmetric_products, "ROWS_OF_JAX", range(4, 7))
    monkeypatch.setattr(symmetric_products, "_has_one_thread", lambda: request.param == "by NumPy")
    monkeypatch.setattr(symmetric_products, "suits_onednn", lambda A: False)


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


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("D", [2, 3, 5, 8])
def test_a_product_of_two_matrices(backend, dtype, D):
    """A^T M A with a symmetric M, for sizes of which four is a divisor and others."""
    A, M = _integers((6, D), dtype), _integers((6, 6), dtype)
    M = M + M.T
    with backend.scope(dtype):
        product = symmetric_product(backend.asarray(A), backend.asarray(M) @ backend.asarray(A))
        np.testing.assert_array_equal(backend.to_numpy(product), A.T @ M @ A)
        assert product.dtype == backend.asarray(A).dtype


@pytest.mark.parametrize("library", ["numpy", "torch", "jax"])
def test_blocks_are_mirrored(library):
    """The elements above the diagonal are not multiplied: they are copies, also if the product is not symmetric."""
    xp = pytest.importorskip({"jax": "jax.numpy"}.get(library, library))
    if library == "jax" and pytest.importorskip("jax").default_backend() != "cpu":
        pytest.skip("the products of a GPU are not computed in blocks")
    A, B = _integers((6, 8)), _integers((6, 8)) + 1
    product = np.asarray(symmetric_product(xp.asarray(A), xp.asarray(B)))
    np.testing.assert_array_equal(product[:2, 2:], product[2:, :2].T)
    np.testing.assert_array_equal(np.tril(product, -2), np.tril(A.T @ B, -2))
    assert not np.array_equal(product, A.T @ B)


def test_a_stack_of_matrices(backend):
    A = _integers((4, 6, 3))
    np.testing.assert_array_equal(backend.to_numpy(gram(backend.asarray(A))), np.stack([a.T @ a for a in A]))


@pytest.mark.parametrize("D", [4, 6])
def test_blocks_of_jax(D):
    """The product in blocks needs five eighths of the multiplications, or a little more if D is no multiple of four."""
    jax = pytest.importorskip("jax")
    if jax.default_backend() != "cpu":
        pytest.skip("the products of a GPU are not computed in blocks")
    products = [e for e in jax.make_jaxpr(gram)(_integers((6, D))).eqns if e.primitive.name == "dot_general"]
    ends = [D * i // 4 for i in range(5)]
    expected = [(end - start) * end for start, end in itertools.pairwise(ends)]
    assert [int(np.prod(e.outvars[0].aval.shape)) for e in products] == expected
    assert D % 4 or sum(expected) == 5 * D * D // 8


def test_products_by_onednn_are_not_divided(monkeypatch):
    """A product by `matmul` where oneDNN multiplies faster than MKL."""
    torch = pytest.importorskip("torch")
    A = torch.from_numpy(_integers((6, 8)))
    in_blocks = []
    monkeypatch.setattr(symmetric_products, "_in_blocks", lambda A, B: in_blocks.append(A.shape) or A.T @ B)
    symmetric_product(A, A)
    assert in_blocks == [A.shape]
    monkeypatch.setattr(symmetric_products, "suits_onednn", lambda A: True)
    assert torch.equal(symmetric_product(A, A), A.T @ A)
    assert in_blocks == [A.shape]


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_derivatives_of_pytorch():
    """Blocks are not written in place, which transforms refuse. NumPy multiplies no tensor with a derivative."""
    torch = pytest.importorskip("torch")
    A, T = torch.from_numpy(_integers((6, 8))), torch.from_numpy(_integers((6, 8)) + 1)
    leaf = A.clone().requires_grad_()
    (gradient,) = torch.autograd.grad((leaf.T @ leaf).sum(), leaf)
    for product in (gram, lambda A: symmetric_product(A, A)):
        (ours,) = torch.autograd.grad(product(leaf).sum(), leaf)
        assert torch.equal(ours, gradient)
        with torch.autograd.forward_ad.dual_level():
            tangent = torch.autograd.forward_ad.unpack_dual(product(torch.autograd.forward_ad.make_dual(A, T))).tangent
        assert torch.equal(tangent, T.T @ A + A.T @ T)
        assert torch.equal(torch.func.jvp(product, (A,), (T,))[1], T.T @ A + A.T @ T)


def test_stacks_by_vmap():
    torch = pytest.importorskip("torch")
    A = torch.from_numpy(_integers((3, 6, 8)))
    assert torch.equal(torch.vmap(gram)(A), A.mT @ A)
    M = torch.stack([torch.eye(6), 2 * torch.eye(6)])
    assert torch.equal(torch.vmap(lambda M: symmetric_product(A[0], M @ A[0]))(M), A[0].T @ M @ A[0])


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


@pytest.mark.parametrize("shape", [(800, 300), (700, 300), (8000, 100)])
def test_large_and_wide_products_are_computed_in_blocks(monkeypatch, shape):
    monkeypatch.undo()
    in_blocks = []
    monkeypatch.setattr(symmetric_products, "_in_blocks", lambda A, B: in_blocks.append(A.shape) or A.T @ B)
    A = _integers(shape)
    symmetric_product(A, A)
    assert in_blocks == [(800, 300)] * (shape == (800, 300))
