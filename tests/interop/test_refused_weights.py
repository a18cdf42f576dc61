"""Weights that do not fit the module. Nothing is written."""

import pytest
import torch

from kfgn.interop import torch as interop

from .models import bits, nested, refused

# changes of the weights of `nested()`, which has 3, 5, 4, 2 units
WEIGHTS = {
    "no sequence": (lambda w: torch.zeros(3), TypeError, "weights", ["tuple or list of 3 tensors", "torch.Tensor"]),
    "a layer missing": (
        lambda w: w[:2],
        ValueError,
        "weights",
        ["3 tensors", "module.encoder.1, module.middle.0.1, module.head", "got 2"],
    ),
    "a layer too many": (lambda w: (*w, w[0]), ValueError, "weights", ["3 tensors", "got 4"]),
    "no array": (lambda w: (*w[:2], w[2].tolist()), TypeError, "W_3", ["an array", "list"]),
    "of NumPy": (
        lambda w: (*w[:2], w[2].numpy()),
        TypeError,
        "W_3",
        ["library of module.head.weight", "numpy.ndarray"],
    ),
    "sparse": (lambda w: (*w[:2], w[2].to_sparse()), TypeError, "W_3", ["an array", "sparse"]),
    "dtype": (
        lambda w: (*w[:2], w[2].float()),
        TypeError,
        "W_3",
        ["the dtype of module.head.weight, torch.float64, got torch.float32"],
    ),
    "device": (
        lambda w: (*w[:2], w[2].to("meta")),
        ValueError,
        "W_3",
        ["the device of module.head.weight, cpu, got one on meta"],
    ),
    "no bias": (lambda w: (*w[:2], w[2][:, :-1]), ValueError, "W_3", ["(2, 5) for module.head", "bias", "got (2, 4)"]),
    "transposed": (lambda w: (w[0], w[1].T, w[2]), ValueError, "W_2", ["(4, 6) for module.middle.0.1", "got (6, 4)"]),
    "one row, which would broadcast": (
        lambda w: (*w[:2], w[2][:1]),
        ValueError,
        "W_3",
        ["(2, 5) for module.head", "(1, 5)"],
    ),
}


@pytest.mark.parametrize("case", WEIGHTS)
def test_weights_that_do_not_fit_write_nothing(case):
    change, error, name, fragments = WEIGHTS[case]
    model = nested()
    _, weights = interop.network_and_weights(model, "categorical")
    bad = change(tuple(W + 1 for W in weights))
    before = bits(model)
    refused(lambda: interop.write_back(model, bad), error, name, fragments)
    assert bits(model) == before
