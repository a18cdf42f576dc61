"""Convolutions, pooling and Flatten: the loss and the gradient of the network are those of PyTorch."""

import copy
import re

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812  (the customary name)

import kfgn
from kfgn.interop import torch as interop

from .models import LOSSES, having, parameter_bits

MODELS = {
    "sequence": (
        (2, 11),
        lambda: nn.Sequential(
            nn.Conv1d(2, 6, 3, stride=2, padding=1),
            nn.Tanh(),
            nn.Conv1d(6, 4, 2, groups=2),
            nn.Flatten(),
            nn.Linear(20, 3),
        ),
    ),
    "same padding": (
        (1, 7),
        lambda: nn.Sequential(
            nn.Conv1d(1, 3, 4, padding="same", dilation=2), nn.ReLU(), nn.AvgPool1d(3, 2), nn.Flatten(), nn.Linear(9, 3)
        ),
    ),
    "image": (
        (3, 7, 8),
        lambda: nn.Sequential(
            nn.Conv2d(3, 4, (2, 3), stride=(1, 2), padding=(1, 0), padding_mode="circular", bias=False),
            nn.GELU(),
            nn.AvgPool2d((3, 2)),
            nn.Conv2d(4, 5, 1, padding="valid"),
            nn.SiLU(),
            nn.Flatten(),
            nn.Dropout(0.0),
            nn.Linear(10, 4),
            nn.Tanh(),
            nn.Linear(4, 3, bias=False),
        ),
    ),
    "mean over the image": (
        (2, 5, 6),
        lambda: nn.Sequential(
            nn.Conv2d(2, 4, 3), nn.Softplus(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)
        ),
    ),
    "mean over the sequence": (
        (2, 5),
        lambda: nn.Sequential(nn.Conv1d(2, 4, 3), nn.ELU(), nn.AdaptiveAvgPool1d((1,)), nn.Flatten(), nn.Linear(4, 3)),
    ),
}


class Own(nn.Module):
    """A model with its own forward, with functions and a view."""

    def __init__(self):
        super().__init__()
        self.features = nn.Conv2d(1, 3, 2)
        self.head = nn.Linear(24, 3)

    def forward(self, X):
        hidden = F.relu(self.features(X))
        return self.head(hidden.view(hidden.size(0), -1))


MODELS["pooling first"] = (
    (3, 5, 6),
    lambda: nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(3, 4, (1, 2)), nn.Tanh(), nn.Flatten(), nn.Linear(16, 3)),
)
MODELS["own forward"] = ((1, 3, 5), Own)


def batch(objective, inputs, N=5, K=3):
    X = torch.randn(N, *inputs, dtype=torch.float64)
    if objective == "categorical":
        return X, torch.randint(K, (N,))
    Y = torch.randn(N, K, dtype=torch.float64)
    return X, (Y > 0).to(Y.dtype) if objective == "bernoulli" else Y


@pytest.mark.parametrize("objective", LOSSES)
@pytest.mark.parametrize("name", MODELS)
def test_a_gradient_step_is_that_of_sgd(name, objective):
    inputs, make = MODELS[name]
    model = make().double()
    expected = copy.deepcopy(model)
    X, Y = batch(objective, inputs)
    loss = LOSSES[objective](expected(X), Y)
    loss.backward()
    torch.optim.SGD(expected.parameters(), lr=0.1).step()

    network, weights = interop.network_and_weights(model, objective, inputs=inputs)
    torch.testing.assert_close(kfgn.loss(network, weights, X, Y), loss.detach(), rtol=1e-12, atol=1e-12)
    gradient = kfgn.gradient(network, weights, X, Y)
    interop.write_back(model, [W - 0.1 * g for W, g in zip(weights, gradient, strict=True)])
    torch.testing.assert_close(dict(model.state_dict()), dict(expected.state_dict()), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_round_trip(name):
    inputs, make = MODELS[name]
    source, target = make(), make()
    _, weights = interop.network_and_weights(source, "categorical", inputs=inputs)
    interop.write_back(target, weights)
    assert parameter_bits(target) == parameter_bits(source)


def test_records():
    inputs, make = MODELS["image"]
    network, _ = interop.network_and_weights(make(), "categorical", inputs=inputs)
    first = kfgn.Convolution(4, (2, 3), "gelu", bias=False, stride=(1, 2), padding=((1, 1), (0, 0)), circular=True)
    layers = (first, kfgn.Pooling((3, 2), (3, 2), "mean"), kfgn.Convolution(5, (1, 1), "silu"), kfgn.Flatten())
    dense = (kfgn.Dense(4, "tanh"), kfgn.Dense(3, bias=False))
    assert network == kfgn.Network(inputs, (*layers, *dense), "categorical")


def test_an_optimiser_trains_a_convolutional_model():
    inputs, make = MODELS["image"]
    model = make().double()
    X, Y = batch("categorical", inputs, N=20)
    network, weights = interop.network_and_weights(model, "categorical", inputs=inputs)
    optimiser = kfgn.GaussNewton(network, "kfra")
    state = optimiser.init(weights)
    before = LOSSES["categorical"](model(X), Y)
    for _ in range(20):
        state, _ = optimiser.step(state, X, Y)
    interop.write_back(model, state.weights)
    assert LOSSES["categorical"](model(X), Y) < 0.3 * before


def chain(*layers):
    return nn.Sequential(*layers)


REFUSED = {
    "no shape": (
        lambda: chain(nn.Conv1d(2, 3, 2)),
        None,
        "inputs",
        "(C, T) or (C, H, W) of a datapoint, since module.0",
    ),
    "an int": (lambda: chain(nn.Conv1d(2, 3, 2)), 7, "inputs", "got 7"),
    "a negative number": (lambda: chain(nn.Conv1d(2, 3, 2)), (2, -1), "inputs", "got -1"),
    "a shape without need": (
        lambda: chain(nn.Linear(2, 3)),
        (2, 3),
        "inputs",
        "None for a module without convolutions",
    ),
    "channels": (
        lambda: chain(nn.Conv1d(2, 3, 2), nn.Flatten(), nn.Linear(9, 2)),
        (3, 4),
        "module.0",
        "2 channels, got inputs of shape (3, 4)",
    ),
    "axes": (
        lambda: chain(nn.Conv1d(2, 3, 2), nn.Flatten(), nn.Linear(9, 2)),
        (2, 4, 4),
        "module.0",
        "width: expected 2",
    ),
    "no Flatten": (lambda: chain(nn.Conv1d(2, 4, 2), nn.Linear(4, 2)), (2, 5), "module.1", "a Flatten between"),
    "size": (
        lambda: chain(nn.Conv1d(2, 4, 2), nn.Flatten(), nn.Linear(12, 2)),
        (2, 5),
        "module.2",
        "16 inputs, got 12",
    ),
    "not a multiple": (
        lambda: chain(nn.Conv1d(2, 4, 2), nn.Flatten(), nn.Linear(9, 2)),
        (2, 5),
        "module.2",
        "a multiple of 4 inputs, the channels of module.0, got 9",
    ),
    "channels of a convolution": (
        lambda: chain(nn.Conv1d(2, 4, 2), nn.Conv1d(6, 3, 1, groups=3), nn.Flatten(), nn.Linear(12, 2)),
        (2, 5),
        "module.1",
        "4 inputs, the outputs of module.0, got 6",
    ),
    "activation after pooling": (
        lambda: chain(nn.Conv1d(2, 4, 2), nn.AvgPool1d(2), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2)),
        (2, 5),
        "module.2",
        "a layer with weights before each activation",
    ),
    "pooling without a convolution": (
        lambda: chain(nn.AvgPool1d(2), nn.Flatten(), nn.Linear(12, 2)),
        (3, 8),
        "module.0",
        "a convolution before or after a pooling, got AvgPool1d(",
    ),
    "reflect": (
        lambda: chain(nn.Conv1d(2, 4, 3, padding=1, padding_mode="reflect"), nn.Flatten(), nn.Linear(20, 2)),
        (2, 5),
        "module.0",
        "the padding mode zeros or circular, got 'reflect'",
    ),
    "padded pooling": (
        lambda: chain(nn.Conv1d(2, 4, 2), nn.AvgPool1d(2, padding=1), nn.Flatten(), nn.Linear(8, 2)),
        (2, 5),
        "module.1",
        "no padding",
    ),
    "adaptive pooling": (
        lambda: chain(nn.Conv1d(2, 4, 2), nn.AdaptiveAvgPool1d(2), nn.Flatten(), nn.Linear(8, 2)),
        (2, 5),
        "module.1",
        "the output size 1",
    ),
    "own divisor": (
        lambda: chain(nn.Conv2d(2, 4, 2), nn.AvgPool2d(2, divisor_override=3), nn.Flatten(), nn.Linear(16, 2)),
        (2, 5, 5),
        "module.1",
        "divisor_override=None, got 3",
    ),
    "convolution at the end": (lambda: chain(nn.Conv1d(2, 4, 2)), (2, 5), "module.0", "a Linear at the end"),
    "pooling at the end": (
        lambda: chain(nn.Conv1d(2, 4, 2), nn.AvgPool1d(2)),
        (2, 5),
        "module.1",
        "a Linear at the end",
    ),
    "convolution after a Flatten": (
        lambda: chain(nn.Conv1d(2, 4, 2), nn.Flatten(), nn.Conv1d(4, 3, 1)),
        (2, 5),
        "module.2",
        "inputs with positions",
    ),
    "kernel with an axis too many": (
        lambda: chain(having(nn.Conv1d(2, 4, 2), weight=nn.Parameter(torch.zeros(4, 2, 2, 2)))),
        (2, 5),
        "module.0",
        "expected weight (D_l, D_l-1 / groups, width)",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_models(case):
    make, inputs, name, said = REFUSED[case]
    with pytest.raises(
        ValueError, match=rf"^{re.escape(name)}: expected .*{re.escape(said.removeprefix('expected '))}"
    ):
        interop.network_and_weights(make(), "categorical", inputs=inputs)


def test_write_back_refuses_a_pooling_without_a_convolution():
    model = chain(nn.AvgPool2d(2), nn.Flatten(), nn.Linear(12, 2))
    with pytest.raises(ValueError, match=r"^module\.0: expected a convolution before or after a pooling"):
        interop.write_back(model, [torch.zeros(2, 13)])


def test_max_pooling_is_refused_by_name():
    with pytest.raises(TypeError, match=r"^module\.1: expected one of Linear, Conv1d, .*, got MaxPool1d\("):
        interop.network_and_weights(chain(nn.Conv1d(2, 4, 2), nn.MaxPool1d(2)), "categorical", inputs=(2, 5))
