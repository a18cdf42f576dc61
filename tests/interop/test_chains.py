"""Modules with a custom forward: the chain of layers that `torch.fx` finds, and forwards that are no chain."""

import inspect
import re

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

import kfgn
from kfgn.interop import torch as interop

from .models import LOSSES, small

FORWARDS = {
    "modules": (lambda self, x: self.last(self.act(self.first(x))), "tanh"),
    "torch.tanh": (lambda self, x: self.last(torch.tanh(self.first(x))), "tanh"),
    "a method": (lambda self, x: self.last(self.first(x).sigmoid()), "logistic"),
    "F.relu": (lambda self, x: self.last(F.relu(self.first(x), inplace=True)), "relu"),
    "relu_": (lambda self, x: self.last(torch.relu_(self.first(x))), "relu"),
    "F.leaky_relu": (lambda self, x: self.last(F.leaky_relu(self.first(x))), ("leaky_relu", 0.01)),
    "its slope": (lambda self, x: self.last(F.leaky_relu(self.first(x), negative_slope=0.1)), "leaky_relu"),
    "F.elu": (lambda self, x: self.last(F.elu(self.first(x), 0.5)), ("elu", 0.5)),
    "F.silu": (lambda self, x: self.last(F.silu(self.first(x))), "silu"),
    "F.gelu": (lambda self, x: self.last(F.gelu(input=self.first(x))), "gelu"),
    "gelu by tanh": (lambda self, x: self.last(F.gelu(self.first(x), approximate="tanh")), "gelu_tanh"),
    "F.softplus": (lambda self, x: self.last(F.softplus(self.first(x))), "softplus"),
    "no activation": (lambda self, x: self.last(self.first(x)), "identity"),
    "torch.flatten": (lambda self, x: self.last(torch.tanh(self.first(torch.flatten(x, 1)))), "tanh"),
    "flatten": (lambda self, x: self.last(self.first(x.flatten(start_dim=1)).tanh()), "tanh"),
    "view": (lambda self, x: self.last(self.first(x.view(-1, 3)).tanh()), "tanh"),
    "view by size": (lambda self, x: self.last(self.first(x.view(x.size(0), -1)).tanh()), "tanh"),
    "reshape": (lambda self, x: self.last(self.first(x.reshape((x.shape[0], 3))).tanh()), "tanh"),
    "dropout": (lambda self, x: self.last(F.dropout(torch.tanh(self.first(x)), 0.5, self.training)), "tanh"),
    "a Sequential": (lambda self, x: self.last(self.both(x)), "tanh"),
}


def model(forward):
    """A module with this forward, in eval mode and in float64."""

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last, self.act = nn.Linear(3, 5), nn.Linear(5, 2), nn.Tanh()
            self.both = nn.Sequential(nn.Linear(3, 5), nn.Tanh())

    Net.forward = forward
    return Net().double().eval()


@pytest.mark.parametrize("name", FORWARDS)
def test_loss_and_weights(name):
    """The network computes what the module computes, and the weights are written back into it."""
    forward, transfer = FORWARDS[name]
    module = model(forward)
    X, Y = torch.randn(7, 3, dtype=torch.float64), torch.randint(2, (7,))
    network, weights = interop.network_and_weights(module, "categorical")
    assert network == kfgn.Network.dense((3, 5, 2), (transfer,), "categorical")
    torch.testing.assert_close(
        kfgn.loss(network, weights, X, Y), LOSSES["categorical"](module(X), Y).detach(), rtol=1e-12, atol=1e-12
    )
    interop.write_back(module, [W / 2 for W in weights])
    for before, after in zip(weights, interop.network_and_weights(module, "categorical")[1], strict=True):
        assert torch.equal(after, before / 2)


class Block(nn.Module):
    """A layer and its activation, which other modules contain."""

    def __init__(self, D, K):
        super().__init__()
        self.layer = nn.Linear(D, K)

    def forward(self, x):
        return torch.tanh(self.layer(x))


class Head(nn.Linear):
    """A subclass that computes the same."""


class Outer(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.Sequential(Block(2, 4), Block(4, 4))
        self.head = Head(4, 3)

    def forward(self, x):
        return self.head(self.blocks(x))


NESTED = {
    "blocks in a module": Outer,
    "blocks in a Sequential": lambda: nn.Sequential(Block(2, 4), Block(4, 4), nn.Linear(4, 3)),
    "torch.compile": lambda: torch.compile(small(), backend="eager"),
    "torch.compile of a module": lambda: torch.compile(Outer(), backend="eager"),
    "torch.compile of a layer": lambda: nn.Sequential(
        *small()[:4].float(), torch.compile(nn.Linear(4, 3), backend="eager")
    ),
    "DataParallel": lambda: nn.DataParallel(Outer()),
    "two wrappers": lambda: nn.DataParallel(torch.compile(small(), backend="eager")),
}


@pytest.mark.parametrize("name", NESTED)
def test_nested_and_wrapped_modules(name):
    network, weights = interop.network_and_weights(NESTED[name](), "categorical")
    assert (network.widths, network.transfers) == ((2, 4, 4, 3), ("tanh", "tanh"))
    assert [tuple(W.shape) for W in weights] == [(4, 3), (4, 5), (3, 5)]


def branching(self, x):
    a = self.first(x)
    return self.last(torch.tanh(a)) + self.last(a)


def of_the_data(self, x):
    if x.sum() > 0:
        return self.last(self.first(x))
    return self.last(x)


def two_inputs(self, x, mask):
    return self.last(self.first(x) * mask)


def earlier(self, x):
    self.first(x)
    return self.both(x)


REFUSED = {
    "a residual": (lambda self, x: self.last(self.first(x)) + x, TypeError, "module", "with add", "residual"),
    "a branch": (branching, TypeError, "module", "of an earlier value", "a branch"),
    "an earlier value": (earlier, TypeError, "module", "of an earlier value", "a branch"),
    "data": (of_the_data, TypeError, "module", "control flow", "must not depend on the values"),
    "a loop over the batch": (
        lambda self, x: torch.stack([self.last(row) for row in x]),
        TypeError,
        "module",
        "torch.fx",
        "must not depend on",
    ),
    "two inputs": (two_inputs, TypeError, "module", "a second input, mask", "the input X alone"),
    "two outputs": (lambda self, x: (self.last(x), x), TypeError, "module", "outputs that are not", "return the"),
    "a factor": (lambda self, x: self.last(2 * self.first(x)), TypeError, "module", "with mul", "constant factor"),
    "F.linear": (
        lambda self, x: F.linear(x, self.last.weight),
        TypeError,
        "module",
        "with the parameter last.weight outside of a layer",
        "",
    ),
    "exp": (lambda self, x: self.last(torch.exp(self.first(x))), TypeError, "module", "with exp", ""),
    "twice": (lambda self, x: self.first(self.first(x)), ValueError, "module.first", "used once, got a second use", ""),
    "a reshape": (lambda self, x: self.first(x.view(-1, 6)), ValueError, "module (view", "before a Linear with 3", ""),
    "of all axes": (lambda self, x: self.first(x.view(-1)), TypeError, "module", "with view", "flatten(1)"),
    "of axis 0": (lambda self, x: self.first(torch.flatten(x)), ValueError, "module (flatten", "start_dim 1", ""),
    "training": (lambda self, x: self.last(F.dropout(self.first(x))), ValueError, "module (dropout", "eval mode", ""),
    "log_softmax": (
        lambda self, x: F.log_softmax(self.last(self.first(x)), 1),
        TypeError,
        "module (log_softmax",
        "got LogSoftmax",
        "categorical expects logits",
    ),
    "two activations": (
        lambda self, x: self.last(F.relu(torch.tanh(self.first(x)))),
        ValueError,
        "module (relu",
        "a layer with weights before each",
        "",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("call", ["network_and_weights", "write_back"])
def test_refused(name, call):
    """The message has one line. It names the file and the line of the operation, with advice."""
    forward, error, start, said, hint = REFUSED[name]
    module = model(forward)
    calls = {
        "network_and_weights": lambda: interop.network_and_weights(module, "categorical"),
        "write_back": lambda: interop.write_back(module, [torch.zeros(5, 4), torch.zeros(2, 6)]),
    }
    if call == "write_back" and error is ValueError and name != "twice" and name != "a reshape":
        return  # the places of activations are not checked
    with pytest.raises(error, match=f"^{re.escape(start)}") as caught:
        calls[call]()
    message = str(caught.value)
    assert said in message, message
    assert hint in message, message
    assert "\n" not in message
    first = inspect.getsourcelines(forward)[1]
    (line,) = re.findall(r"test_chains\.py line (\d+)", message)
    assert first <= int(line) < first + len(inspect.getsourcelines(forward)[0])


class Convolutional(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(3, 2, 1)

    def forward(self, x):
        return self.conv(x.view(-1, 3))


def test_a_reshape_before_a_convolution():
    with pytest.raises(
        ValueError, match=r"^module \(view.*expected a Linear after a reshape to \(N, D\), got a Conv1d$"
    ):
        interop.network_and_weights(Convolutional(), "categorical")


class Pool(nn.Module):
    def __init__(self):
        super().__init__()
        self.features, self.head = nn.MaxPool1d(1), nn.Linear(3, 2)

    def forward(self, x):
        return self.head(self.features(x.unsqueeze(1)).flatten(1))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)

    def forward(self, x):
        return x + self.layer(x)


@pytest.mark.parametrize(
    ("module", "start", "said"),
    [
        (lambda: Pool(), "module.features: expected one of Linear, ", "got MaxPool1d("),
        (
            lambda: nn.Sequential(nn.Linear(3, 3), Residual()),
            "module.1: expected a chain of layers and activations",
            "with add, test_chains.py line",
        ),
        (lambda: nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3)), "module.1: expected one of", "got BatchNorm1d("),
    ],
)
def test_an_unsupported_module_is_named(module, start, said):
    with pytest.raises(TypeError, match=f"^{re.escape(start)}.*{re.escape(said)}"):
        interop.network_and_weights(module(), "squared_error")


def test_hooks_of_inner_modules_are_refused():
    module = Outer()
    module.blocks[1].layer.register_forward_hook(lambda *_: None)
    with pytest.raises(ValueError, match=r"^module\.blocks\.1\.layer: expected no forward hooks"):
        interop.network_and_weights(module, "categorical")
