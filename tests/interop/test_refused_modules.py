"""Modules whose layers or parameters kfgn does not support, for both functions."""

import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize, prune

from kfgn.interop import torch as interop

from .models import having, linear, refused, small, within


def tied():
    first, second = linear(), linear()
    second.weight = first.weight
    return nn.Sequential(first, nn.Tanh(), second)


def overlapping():
    # two parameters in the same memory
    first, second = linear(), linear()
    second.weight = nn.Parameter(first.weight.data.T)
    return nn.Sequential(first, nn.Tanh(), second)


class Scaled(nn.Linear):
    def forward(self, X):
        return 2 * super().forward(X)


class Residual(nn.Sequential):
    def forward(self, X):
        return X + super().forward(X)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = linear()


# unsupported modules for both functions: the module, and the class, the name and fragments of the error
LAYERS = {
    "no module": (lambda: np.zeros(3), TypeError, "module", ["nn.Sequential", "numpy.ndarray"]),
    "a class": (lambda: nn.Sequential, TypeError, "module", ["nn.Sequential", "type"]),
    "a Linear": (linear, TypeError, "module", ["nn.Sequential", "Linear(in_features=3"]),
    "another module": (Net, TypeError, "module", ["nn.Sequential", "Net"]),
    "forward of a Sequential": (lambda: Residual(linear()), TypeError, "module", ["a chain of layers", "Residual"]),
    "no layer": (nn.Sequential, ValueError, "module", ["at least one layer with weights", "got none"]),
    "no Linear": (
        lambda: nn.Sequential(nn.Tanh()),
        ValueError,
        "module",
        ["at least one layer with weights", "got none"],
    ),
    "MaxPool2d": (
        lambda: within(linear(), nn.MaxPool2d(2)),
        TypeError,
        "module.encoder.1",
        ["Linear, ", "got MaxPool2d("],
    ),
    "Mish": (lambda: within(linear(), nn.Mish(), linear()), TypeError, "module.encoder.1", ["Softplus", "got Mish("]),
    "deeper": (lambda: nn.Sequential(linear(), within(nn.Mish())), TypeError, "module.1.encoder.0", ["got Mish("]),
    "ModuleList": (lambda: within(nn.ModuleList([linear()])), TypeError, "module.encoder.0", ["ModuleList"]),
    "Dropout1d": (lambda: within(linear(), nn.Dropout1d(0.0)), TypeError, "module.encoder.1", ["got Dropout1d("]),
    "forward of a Linear": (
        lambda: within(Scaled(3, 2)),
        TypeError,
        "module.encoder.0",
        ["a chain of layers", "got Scaled("],
    ),
    "inner forward": (
        lambda: within(linear(), Residual(linear())),
        TypeError,
        "module.encoder.1",
        ["a chain of layers", "Residual"],
    ),
    "forward of an object": (
        lambda: within(having(linear(), forward=torch.tanh)),
        TypeError,
        "module.encoder.0",
        ["forward"],
    ),
    "LayerNorm": (
        lambda: within(linear(), nn.LayerNorm(3)),
        TypeError,
        "module.encoder.1",
        ["got LayerNorm(", "by hand, with kfgn.Normalisation and kfgn.ScaleShift"],
    ),
    "Embedding": (
        lambda: within(nn.Embedding(3, 2), linear()),
        TypeError,
        "module.encoder.0",
        ["got Embedding(", "by hand, with kfgn.Embedding"],
    ),
    "BatchNorm1d": (
        lambda: within(linear(), nn.BatchNorm1d(3)),
        TypeError,
        "module.encoder.1",
        ["got BatchNorm1d(", "kfgn_conformance.functions computes exact blocks"],
    ),
    "Softmax": (
        lambda: within(linear(), nn.Softmax(1)),
        TypeError,
        "module.encoder.1",
        ["categorical expects logits: remove"],
    ),
    "LogSoftmax": (
        lambda: within(linear(), nn.LogSoftmax(1)),
        TypeError,
        "module.encoder.1",
        ["remove a final LogSoftmax"],
    ),
    "weight_norm without a bias": (
        lambda: within(parametrizations.weight_norm(linear(bias=False))),
        ValueError,
        "module.encoder.0",
        ["the parameters weight, got parametrizations.weight.original0"],
    ),
    "lazy": (
        lambda: within(nn.LazyLinear(3)),
        TypeError,
        "module.encoder.0.weight",
        ["initialised", "UninitializedParameter"],
    ),
    "weight_norm": (
        lambda: within(parametrizations.weight_norm(linear())),
        ValueError,
        "module.encoder.0",
        ["got bias, parametrizations.weight.original0", "ParametrizedLinear"],
    ),
    "weight_norm of old": (
        lambda: within(nn.utils.weight_norm(linear())),
        ValueError,
        "module.encoder.0",
        ["got bias, weight_g, weight_v in Linear("],
    ),
    "parametrised bias": (
        lambda: within(linear(), parametrize.register_parametrization(linear(), "bias", nn.Tanh())),
        ValueError,
        "module.encoder.1",
        ["got weight, parametrizations.bias.original"],
    ),
    "pruned": (
        lambda: within(prune.l1_unstructured(linear(), "weight", 2)),
        ValueError,
        "module.encoder.0",
        ["got bias, weight_orig in Linear("],
    ),
    "no units": (lambda: within(linear(0, 3)), ValueError, "module.encoder.0", ["none empty", "(3, 0) and (3,)"]),
    "bias of another length": (
        lambda: within(having(linear(), bias=nn.Parameter(torch.zeros(1)))),
        ValueError,
        "module.encoder.0",
        ["bias (D_l,)", "(3, 3) and (1,)"],
    ),
    "bfloat16": (
        lambda: within(linear(dtype=torch.bfloat16)),
        TypeError,
        "module.encoder.0.weight",
        ["float32 or float64, got torch.bfloat16"],
    ),
    "complex": (
        lambda: within(linear(dtype=torch.complex64)),
        TypeError,
        "module.encoder.0.weight",
        ["float32 or float64, got torch.complex64"],
    ),
    "dtypes of layers": (
        lambda: within(linear(), nn.ReLU(), linear().double()),
        TypeError,
        "module.encoder.2.weight",
        ["the dtype of module.encoder.0.weight, torch.float32, got torch.float64"],
    ),
    "dtype of a bias": (
        lambda: within(having(linear(), bias=nn.Parameter(torch.zeros(3).double()))),
        TypeError,
        "module.encoder.0.bias",
        ["the dtype of module.encoder.0.weight, torch.float32, got torch.float64"],
    ),
    "devices": (
        lambda: within(linear(), nn.ReLU(), linear(device="meta")),
        ValueError,
        "module.encoder.2.weight",
        ["the device of module.encoder.0.weight, cpu, got one on meta"],
    ),
    "sparse": (
        lambda: within(having(linear(), weight=nn.Parameter(torch.eye(3).to_sparse()))),
        TypeError,
        "module.encoder.0.weight",
        ["expected an array", "sparse"],
    ),
    "widths": (
        lambda: within(linear(3, 2), nn.ReLU(), linear(3, 4)),
        ValueError,
        "module.encoder.2",
        ["expected 2 inputs, the outputs of module.encoder.0, got 3"],
    ),
    "one Linear twice": (
        lambda: within(*[linear()] * 2),
        ValueError,
        "module.encoder.1.weight",
        ["a separate parameter, got the parameter module.encoder.0.weight"],
    ),
    "one Linear twice, no memory": (
        lambda: within(*[linear(device="meta")] * 2),
        ValueError,
        "module.encoder.1.weight",
        ["a separate parameter, got the parameter module.encoder.0.weight"],
    ),
    "one weight twice": (
        tied,
        ValueError,
        "module.2.weight",
        ["a separate parameter, got the parameter module.0.weight"],
    ),
    "one memory twice": (
        overlapping,
        ValueError,
        "module.2.weight",
        ["separate memory, got memory of module.0.weight"],
    ),
}


@pytest.mark.parametrize(
    "call",
    [
        lambda module: interop.network_and_weights(module, "squared_error"),
        lambda module: interop.write_back(module, [torch.zeros(3, 4)] * 2),
    ],
    ids=["network_and_weights", "write_back"],
)
@pytest.mark.parametrize("case", LAYERS)
def test_unsupported_layers(case, call):
    make, error, name, fragments = LAYERS[case]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about lazy, deprecated or empty modules
        module = make()
    refused(lambda: call(module), error, name, fragments)


def test_a_module_that_contains_itself():
    module = small()
    inner = nn.Sequential(module)
    module.add_module("again", inner)
    with pytest.raises(ValueError, match=r"^module\.again\.0: expected a module that does not contain itself"):
        interop.network_and_weights(module, "categorical")
