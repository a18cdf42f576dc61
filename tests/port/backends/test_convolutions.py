"""The convolution of PyTorch with channels in the last axis, compared with sums over taps, and its two transposes."""

import itertools

import numpy as np
import pytest

from kfgn.backends import LibraryConvolution, has_convolution, with_own_settings

CASES = {
    "one axis": ((9,), (4,), (2,), (1,), 1),
    "dilation": ((9,), (3,), (1,), (2,), 1),
    "groups": ((7,), (2,), (3,), (2,), 3),
    "planes": ((6, 7), (2, 3), (2, 1), (1, 2), 1),
    "planes of groups": ((5, 4), (3, 2), (1, 3), (1, 1), 3),
}
"""The lengths, the widths of the kernel, the strides, the dilations and the groups."""


@pytest.fixture(params=CASES)
def problem(request):
    torch = pytest.importorskip("torch")
    lengths, width, *options = CASES[request.param]
    C, units, (*_, groups) = 6, 3, options
    rng = np.random.default_rng(0)
    x, kernel = (torch.from_numpy(rng.normal(size=shape)) for shape in ((2, *lengths, C), (units, *width, C // groups)))
    return LibraryConvolution(*options), x, kernel


def by_taps(convolution, x, kernel):
    """The sum over taps and channels, one output at a time."""
    strides, dilations, groups = convolution
    units, *width, c = kernel.shape
    spans = [d * (w - 1) + 1 for d, w in zip(dilations, width, strict=True)]
    outputs = [(T - span) // s + 1 for T, span, s in zip(x.shape[1:-1], spans, strides, strict=True)]
    h = np.zeros((x.shape[0], *outputs, units))
    for t in itertools.product(*map(range, outputs)):
        for k in itertools.product(*map(range, width)):
            read = tuple(i * s + j * d for i, s, j, d in zip(t, strides, k, dilations, strict=True))
            for o in range(units):
                group = o // (units // groups)
                h[(slice(None), *t, o)] += x[(slice(None), *read)][:, group * c : (group + 1) * c] @ kernel[(o, *k)]
    return h


def test_convolution(problem):
    convolution, x, kernel = problem
    h = by_taps(convolution, x.numpy(), kernel.numpy())
    bias = np.arange(3.0)
    import torch

    np.testing.assert_allclose(convolution(x, kernel, None), h, rtol=0, atol=1e-13)
    np.testing.assert_allclose(convolution(x, kernel, torch.from_numpy(bias)), h + bias, rtol=0, atol=1e-13)


def test_transposes(problem):
    """For all x, kernels and rows, sum(rows h) = sum(x transposed) = sum(kernel kernel_gradient)."""
    convolution, x, kernel = problem
    h = convolution(x, kernel, None)
    rows = h.new_tensor(np.random.default_rng(1).normal(size=h.shape))
    transposed = convolution.transposed(rows, kernel, tuple(x.shape))
    gradient = convolution.kernel_gradient(rows, x, tuple(kernel.shape))
    assert transposed.shape == x.shape
    assert gradient.shape == kernel.shape
    expected = float((rows * h).sum())
    assert float((x * transposed).sum()) == pytest.approx(expected, rel=1e-12)
    assert float((kernel * gradient).sum()) == pytest.approx(expected, rel=1e-12)


def test_only_tensors_in_host_memory(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.delenv("ONEDNN_DEFAULT_FPMATH_MODE", raising=False)
    assert has_convolution(torch.ones(3))
    assert not has_convolution(torch.ones(3, device="meta"))
    assert not has_convolution(np.ones(3))


def test_no_convolution_that_rounds_to_16_bits(monkeypatch):
    torch = pytest.importorskip("torch")
    for mode in ("BF16", "any"):
        monkeypatch.setenv("ONEDNN_DEFAULT_FPMATH_MODE", mode)
        assert not has_convolution(torch.ones(3))


def test_the_precision_of_convolutions_is_that_of_float32_in_a_call_and_the_users_after_it():
    torch = pytest.importorskip("torch")
    if not hasattr(torch.backends.mkldnn, "conv"):
        pytest.skip("this release of PyTorch has no precision of convolutions")
    conv = torch.backends.mkldnn.conv
    before, inside = conv.fp32_precision, with_own_settings(lambda _: conv.fp32_precision)
    conv.fp32_precision = "bf16"
    try:
        assert inside(torch.ones(1)) == "ieee"
        assert conv.fp32_precision == "bf16"
    finally:
        conv.fp32_precision = before
