"""`network_and_weights`: loss and gradient of the network are those of PyTorch."""

import pytest
import torch
from array_api_compat import array_namespace
from torch import nn

import kfgn
from kfgn._network.transfers import TRANSFERS
from kfgn.interop import torch as interop

from .models import DTYPES, LOSSES, batch, bits, joined, loss_and_gradient, nested, small

ACTIVATIONS = {
    "identity": nn.Identity,
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(0.1),
    "tanh": nn.Tanh,
    "logistic": nn.Sigmoid,
    "softplus": nn.Softplus,
    ("leaky_relu", 0.01): nn.LeakyReLU,
    ("leaky_relu", 1.5): lambda: nn.LeakyReLU(1.5),
    "elu": nn.ELU,
    ("elu", 0.5): lambda: nn.ELU(0.5),
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "gelu_tanh": lambda: nn.GELU(approximate="tanh"),
}


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("objective", LOSSES)
@pytest.mark.parametrize("transfer", ACTIVATIONS, ids=str)
def test_loss_and_gradient_are_those_of_torch(transfer, objective, dtype):
    model = nn.Sequential(nn.Linear(3, 5), ACTIVATIONS[transfer](), nn.Linear(5, 2)).to(dtype)
    X, Y = batch(objective, dtype)
    network, weights = interop.network_and_weights(model, objective)
    assert network == kfgn.Network.dense((3, 5, 2), (transfer,), objective)
    loss, gradient = loss_and_gradient(model, objective, X, Y)
    torch.testing.assert_close(kfgn.loss(network, weights, X, Y), loss, **DTYPES[dtype])
    torch.testing.assert_close(list(kfgn.gradient(network, weights, X, Y)), gradient, **DTYPES[dtype])


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_nested_and_ignored_modules(dtype):
    model = nested(dtype)
    X, Y = batch("squared_error", dtype)
    network, weights = interop.network_and_weights(model, "squared_error")
    assert network == kfgn.Network.dense((3, 5, 4, 2), ("tanh", "identity"), "squared_error")
    loss, gradient = loss_and_gradient(model, "squared_error", X, Y)
    torch.testing.assert_close(kfgn.loss(network, weights, X, Y), loss, **DTYPES[dtype])
    torch.testing.assert_close(list(kfgn.gradient(network, weights, X, Y)), gradient, **DTYPES[dtype])


@pytest.mark.parametrize("biases", [(False, False), (True, False), (False, True)])
def test_layers_without_a_bias(biases):
    first, last = biases
    model = nn.Sequential(nn.Linear(3, 5, bias=first), nn.Tanh(), nn.Linear(5, 2, bias=last)).double()
    X, Y = batch("categorical", torch.float64)
    network, weights = interop.network_and_weights(model, "categorical")
    assert network == kfgn.Network(3, (kfgn.Dense(5, "tanh", first), kfgn.Dense(2, bias=last)), "categorical")
    LOSSES["categorical"](model(X), Y).backward()
    for g, linear in zip(kfgn.gradient(network, weights, X, Y), (model[0], model[2]), strict=True):
        bias = [] if linear.bias is None else [linear.bias.grad[:, None]]
        torch.testing.assert_close(g, torch.cat([linear.weight.grad, *bias], 1), rtol=1e-12, atol=1e-12)
    interop.write_back(model, [W + 1 for W in weights])
    for before, after in zip(weights, interop.network_and_weights(model, "categorical")[1], strict=True):
        assert torch.equal(after, before + 1)
    shape = r"\(5, 4\) for module\.0, bias in" if first else r"\(5, 3\) for module\.0, without a bias"
    with pytest.raises(ValueError, match=rf"^W_1: expected shape {shape}.*, got"):
        interop.write_back(model, [torch.zeros(5, 9, dtype=torch.float64), weights[1]])


def test_one_layer():
    network, (W,) = interop.network_and_weights(nn.Sequential(nn.Linear(3, 2)), "bernoulli")
    assert network == kfgn.Network.dense((3, 2), (), "bernoulli")
    assert W.shape == (2, 4)


def test_psd():
    network, _ = interop.network_and_weights(nn.Sequential(nn.Linear(2, 3)), "mixture", psd="scalar")
    assert network == kfgn.Network.dense((2, 3), (), "mixture", "scalar")


def test_a_repeated_activation():
    tanh = nn.Tanh()
    model = nn.Sequential(nn.Linear(3, 4), tanh, nn.Linear(4, 4), tanh, nn.Linear(4, 2))
    network, _ = interop.network_and_weights(model, "categorical")
    assert network.transfers == ("tanh", "tanh")


def test_a_repeated_sequential_with_an_activation():
    middle = nn.Sequential(nn.Tanh())
    module = nn.Sequential(nn.Linear(2, 4), middle, nn.Linear(4, 4), middle, nn.Linear(4, 3))
    assert interop.network_and_weights(module, "categorical")[0].transfers == ("tanh", "tanh")


def test_subclasses_that_compute_the_same():
    class Head(nn.Linear):
        pass

    class Model(nn.Sequential):
        pass

    network, _ = interop.network_and_weights(Model(nn.Linear(3, 4), Model(nn.ReLU(), Head(4, 2))), "categorical")
    assert network == kfgn.Network.dense((3, 4, 2), ("relu",), "categorical")


def test_a_compiled_module():
    module = small()
    module.compile(backend="eager")
    assert interop.network_and_weights(module, "categorical")[0].widths == (2, 4, 4, 3)


def test_widths_are_those_of_the_parameters():
    linear = nn.Linear(3, 2)
    linear.weight = nn.Parameter(torch.zeros(2, 5))  # in_features is still 3, which forward does not read
    network, (W,) = interop.network_and_weights(nn.Sequential(linear), "categorical")
    assert network.widths == (5, 2)
    assert W.shape == (2, 6)


def test_softplus_above_its_threshold():
    # above its threshold PyTorch's softplus is the identity
    h = torch.linspace(15.0, 25.0, 2001, dtype=torch.float64)
    difference = TRANSFERS["softplus"].value_and_derivative(array_namespace(h), h)[0] - nn.Softplus()(h)
    assert 2e-9 < difference.abs().max() < 3e-9
    assert interop.network_and_weights(nn.Sequential(nn.Linear(1, 1), nn.Softplus(1, 30), nn.Linear(1, 1)), "bernoulli")


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_weights_are_a_copy_outside_any_graph(dtype):
    model = nested(dtype)
    before = bits(model)
    _, weights = interop.network_and_weights(model, "categorical")
    for W, expected in zip(weights, joined(torch.Tensor.detach, model), strict=True):
        assert type(W) is torch.Tensor
        assert W.dtype == dtype
        assert not W.requires_grad
        assert W.grad_fn is None
        assert torch.equal(W, expected)
        W.fill_(torch.nan)
    assert bits(model) == before


def test_on_the_device_of_the_module():
    model = nested().to("meta")
    _, weights = interop.network_and_weights(model, "categorical")
    assert all(W.is_meta for W in weights)
    interop.write_back(model, weights)
    with pytest.raises(
        ValueError, match=r"^W_1: expected an array on the device of module\.encoder\.1\.weight, meta, got"
    ):
        interop.write_back(model, [torch.zeros_like(W, device="cpu") for W in weights])
