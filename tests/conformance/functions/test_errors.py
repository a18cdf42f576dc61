"""The errors of the oracle for modules of PyTorch, those of its arguments for JAX too, and what it leaves unchanged."""

import copy
import re
from fractions import Fraction

import numpy as np
import pytest
import torch
from kfgn_conformance.functions import jax_oracle, torch_oracle
from torch import nn
from torch.nn import functional

from .agreement import close
from .models_of_torch import drawn


class Applied(nn.Module):
    """A function of the inputs and of a linear layer with two inputs and two outputs."""

    def __init__(self, function):
        super().__init__()
        self.fc, self.function = nn.Linear(2, 2), function

    def forward(self, x):
        return self.function(x, self.fc)


X = torch.tensor([[1.0, 2.0], [3.0, -1.0], [0.5, 0.25]])
Y = np.zeros((3, 2))


def oracle(function=lambda x, fc: fc(x), X=X, Y=Y, objective="squared_error", **options):
    return torch_oracle(drawn(Applied(function)), X, Y, objective, **options)


def raises(message):
    return pytest.raises(ValueError, match=re.escape(message))


MODELS = {
    "one axis": (lambda x, fc: fc(x)[:, 0], "model: expected outputs of shape (3, ..., O), got (3,)"),
    "sum": (lambda x, fc: fc(x).sum(), "model: expected outputs of shape (3, ..., O), got ()"),
    "tuple": (lambda x, fc: (fc(x),), "model: expected a tensor of torch.float64 as outputs, got tuple"),
    "float32": (lambda x, fc: fc(x).float(), "model: expected a tensor of torch.float64 as outputs, got torch.float32"),
    "float32 inside": (
        lambda x, fc: fc(x).float().double(),
        "model: expected float64 in every operation, got torch.float32 from float",
    ),
    "nan": (lambda x, fc: fc(x).log(), "model: expected finite outputs, got nan or infinity"),
    "coupled": (
        lambda x, fc: fc(x) - fc(x).mean(dim=0),
        "model: expected outputs of datapoint 0 that do not depend on other datapoints, got different outputs in a"
        " batch with this datapoint alone",
    ),
    "coupled through the last": (lambda x, fc: fc(x) + (torch.arange(len(x)) == 2)[:, None] * x[0], "of datapoint 2"),
    "random": (
        lambda x, fc: fc(x) + torch.rand(1, dtype=x.dtype),
        "model: expected the same outputs in every call, got two results",
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_models_that_are_refused(name):
    function, message = MODELS[name]
    with raises(message):
        oracle(function)


@pytest.mark.parametrize("shape", [(3, 2), (3, 2, 4)])
def test_normalisation_over_the_batch(shape):
    """Training mode is refused with the name of the module. Evaluation is a fixed scale and shift."""
    model = nn.Sequential(nn.Conv1d(2, 2, 1) if len(shape) == 3 else nn.Linear(2, 2), nn.BatchNorm1d(2))
    X = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    with raises(". In training mode: 1. Call model.eval() first"):
        torch_oracle(model, X, np.zeros(shape), "squared_error")
    assert model.training
    assert int(model[1].num_batches_tracked) == 0
    assert torch_oracle(model.eval(), X, np.zeros(shape), "squared_error").names == ("0", "1.weight", "1.bias")


def test_dropout():
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5))
    with raises("got two results. In training mode: 1. Call model.eval() first"):
        torch_oracle(model, X, Y, "squared_error")
    torch_oracle(model.eval(), X, Y, "squared_error")


def test_the_model_is_not_changed():
    model = nn.Linear(2, 2)
    model.weight.requires_grad_(False)
    before = copy.deepcopy(model.state_dict())
    found = torch_oracle(model, X, Y, "squared_error")
    assert found.names == ("weight, bias",)
    assert not model.weight.requires_grad
    assert model.weight.grad is None
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert model.weight.dtype == torch.float32


ARGUMENTS = {
    "objective": (
        {"objective": "squares"},
        "objective: expected a function or one of squared_error, bernoulli, categorical, mixture, got 'squares'",
    ),
    "divisor": ({"divisor": 0}, "divisor: expected a positive int or Fraction, got 0"),
    "float": ({"divisor": 2.5}, "divisor: expected a positive int or Fraction, got 2.5"),
    "empty": ({"X": X[:0], "Y": Y[:0]}, "X: expected at least one datapoint, got none"),
    "two numbers": ({"X": (X, X[:2])}, "X: expected arrays with the same number of datapoints, got 2, 3"),
    "labels": ({"Y": np.zeros((3, 1))}, "Y: expected shape (3, 2) for squared_error, got (3, 1)"),
    "indices": (
        {"Y": np.zeros((3, 2)), "objective": "categorical"},
        "Y: expected shape (3,) for categorical, got (3, 2)",
    ),
    "classes": (
        {"Y": np.array([0, 1, 2]), "objective": "categorical"},
        "expected class indices from 0 to 1, got 0 to 2",
    ),
    "mixture": ({"Y": np.zeros(3), "objective": "mixture"}, "model: expected 3 outputs for mixture, got 2"),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_that_are_refused(name):
    arguments, message = ARGUMENTS[name]
    with raises(message):
        oracle(**arguments)


def of_jax(**arguments):
    options = {"X": X.numpy(), "Y": Y} | arguments
    return jax_oracle(lambda W, X: X @ W, np.eye(2), objective=lambda h, y: ((h - y) ** 2).sum(), **options)


def of_torch(**arguments):
    return oracle(objective=lambda h, y: (h - y).square().sum(), **arguments)


OF_A_FUNCTION = {
    "too few labels": ({"Y": Y[:2]}, "Y: expected labels of 3 datapoints, got the shape (2, 2)"),
    "too many labels": ({"Y": np.zeros((4, 2))}, "Y: expected labels of 3 datapoints, got the shape (4, 2)"),
    "a number": ({"Y": 0.0}, "Y: expected labels of 3 datapoints, got the shape ()"),
    "negative": ({"divisor": -1}, "divisor: expected a positive int or Fraction, got -1"),
    "negative fraction": ({"divisor": Fraction(-1, 2)}, "divisor: expected a positive int or Fraction, got -1/2"),
    "float": ({"divisor": 2.5}, "divisor: expected a positive int or Fraction, got 2.5"),
    "empty": ({"X": np.zeros((0, 2)), "Y": Y[:0]}, "X: expected at least one datapoint, got none"),
}


@pytest.mark.parametrize("make", [of_torch, of_jax])
@pytest.mark.parametrize("name", OF_A_FUNCTION)
def test_arguments_that_are_refused_with_a_loss_that_is_a_function(make, name):
    arguments, message = OF_A_FUNCTION[name]
    with raises(message):
        make(**arguments)


@pytest.mark.parametrize("make", [of_torch, of_jax, oracle])
def test_a_fraction(make):
    close(make(divisor=Fraction(2, 3)).loss, 1.5 * make().loss)


def test_a_function_is_no_module():
    with pytest.raises(TypeError, match=re.escape("model: expected a torch.nn.Module, got function")):
        torch_oracle(lambda x: x, X, Y, "squared_error")


def test_an_unknown_name():
    for method in ("matrix", "gradient", "gauss_newton_block", "hessian_block", "pairs", "approximations"):
        with raises("name: expected a parameter or one of 'fc', got 'head'"):
            getattr(oracle(), method)("head")


def test_parts():
    found = torch_oracle(drawn(nn.Conv1d(2, 2, 1, groups=2)), X[:, :, None], np.zeros((3, 2, 1)), "squared_error")
    with raises("part: expected 1 to 2 for weight, bias, used as matrices of the shapes (1, 2), (1, 2), got none"):
        found.pairs("weight, bias")
    for part in (0, 3):
        with raises(f"part: expected 1 to 2 for weight, bias, got {part}"):
            found.approximations("weight, bias", part)


def test_labels():
    found = oracle(Y=np.array([0, 1, 1]), objective="categorical")
    with raises("labels: expected labels of 3 datapoints, got 2"):
        found.pairs("fc", labels=np.zeros((2, 4), dtype=int))
    with raises("labels: expected shape (S,) for each datapoint, got (4, 1)"):
        found.pairs("fc", labels=np.zeros((3, 4, 1), dtype=int))
    with raises("labels: expected class indices from 0 to 1, got 0 to 2"):
        found.pairs("fc", labels=np.full((3, 4), 2) * np.arange(4) // 3)
    with raises("labels: expected an objective with a name for sampled labels, got a function"):
        oracle(objective=lambda h, y: (h - y).square().sum()).pairs("fc", labels=np.zeros((3, 1, 1, 2)))


def test_an_indefinite_loss():
    found = oracle(objective=lambda h, y: h[0] ** 2 / 2 - h[1] ** 2 / 2 + 0 * y.sum())
    with raises(
        "objective: expected a loss whose Hessian in the outputs is positive semi-definite, got the eigenvalue -1."
        " The method hessian_block accepts an indefinite Hessian"
    ):
        found.gauss_newton_block("fc")
    close(found.hessian_block("fc.bias"), np.diag([1, -1]))


UNSEEN = {
    "einsum": lambda x, fc: torch.einsum("ni,oi->no", x, fc.weight) + fc.bias,
    "elementwise": lambda x, fc: (x[:, None] * fc.weight).sum(dim=-1) + fc.bias,
    "vmap": lambda x, fc: torch.vmap(lambda row: functional.linear(row, fc.weight, fc.bias))(x),
    "scaled": lambda x, fc: functional.linear(x, 2 * fc.weight, fc.bias),
    "squared": lambda x, fc: functional.linear(x, fc.weight * fc.weight, fc.bias),
}


@pytest.mark.parametrize("name", UNSEEN)
def test_a_weight_whose_product_is_not_seen(name):
    """The exact block is right, and pairs are refused."""
    found = oracle(UNSEEN[name])
    with raises("fc.weight: expected a product of a matrix with its inputs, got none that was seen"):
        found.pairs("fc.weight")
    if name in ("einsum", "elementwise", "vmap"):
        close(found.gauss_newton_block("fc.weight"), oracle().gauss_newton_block("fc.weight"))
    if name == "scaled":
        close(found.gauss_newton_block("fc.weight"), 4 * oracle().gauss_newton_block("fc.weight"))


PARTLY_SEEN = {
    "a second product": lambda x, fc: fc(x) + torch.einsum("ni,oi->no", x, fc.weight),
    "a bias that is used twice": lambda x, fc: fc(x) + fc.bias,
    "a scale": lambda x, fc: fc(x) * fc.weight[0, 0],
}


@pytest.mark.parametrize("name", PARTLY_SEEN)
def test_a_use_that_is_not_seen(name):
    found = oracle(PARTLY_SEEN[name])
    with raises("fc: expected products that account for the Jacobian of the outputs, got a difference of"):
        found.pairs("fc")
    with raises(
        "A use of fc was not seen. Every use has to be a matrix product, such as by @ or torch.nn.functional.linear in "
        "PyTorch"
    ):
        found.approximations("fc")


def test_a_product_for_some_datapoints():
    found = oracle(lambda x, fc: torch.stack([fc(row) if row[0] > 0.75 else row for row in x]))
    with raises("fc: expected a product for every datapoint, got none for datapoint 2"):
        found.pairs("fc")


def test_activations_are_no_weights():
    """A product of two activations is no use of the parameters from which they were computed."""
    found = oracle(lambda x, fc: fc(x) @ fc(x[:1] * 0 + 1).T @ fc(x[:1] * 0 + 2))
    assert [one.a.shape for one in found.pairs("fc")] == [(3, 3)] * 3


def test_means_of_entries_are_no_weight():
    """The derivative of this matrix with the codes 1 and 2 is 2 and 1, like that of an exchange of both entries."""

    def function(x, fc):
        return functional.linear(x[:, :1], torch.stack([fc.bias[0], (fc.bias[0] + fc.bias[1]) / 2])[:, None])

    with raises("fc.bias: expected a product of a matrix with its inputs, got none that was seen"):
        oracle(function).pairs("fc.bias")


class Tied(nn.Module):
    """A classifier of tokens whose last layer has the table of the embedding as its weight."""

    def __init__(self):
        super().__init__()
        self.embedding, self.head = nn.Embedding(5, 3), nn.Linear(3, 5)
        self.head.weight = self.embedding.weight

    def forward(self, x):
        return self.head(torch.tanh(self.embedding(x)))


def test_tied_weights_have_several_names():
    """The table and the bias of the last layer are one matrix. Each name of the table is accepted."""
    tokens = torch.tensor([[0, 3, 2], [4, 1, 1]])
    found = torch_oracle(drawn(Tied()), tokens, tokens, "categorical")
    assert found.names == ("head",)
    assert found.matrix("head").shape == (5, 4)
    close(found.gauss_newton_block("head.weight"), found.gauss_newton_block("embedding.weight"))
    close(found.gauss_newton_block("head")[:15, :15], found.gauss_newton_block("embedding.weight"))
    with raises("part: expected 1 to 2 for head, used as matrices of the shapes (3, 5), (5, 4), got none"):
        found.pairs("head")
    assert [found.pairs("head", part)[0].a.shape for part in (1, 2)] == [(3, 5), (3, 4)]


def test_a_model_without_parameters():
    with raises("model: expected parameters of real numbers, got none"):
        torch_oracle(nn.Identity(), X, Y, "squared_error")
