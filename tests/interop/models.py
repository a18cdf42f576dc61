"""Modules of PyTorch, and batches for them."""

import pytest
import torch
from torch import nn

# the losses in the docstring of network_and_weights
LOSSES = {
    "squared_error": lambda h, Y: 0.5 * nn.MSELoss(reduction="sum")(h, Y) / len(Y),
    "bernoulli": lambda h, Y: nn.BCEWithLogitsLoss(reduction="sum")(h, Y) / len(Y),
    "categorical": lambda h, Y: nn.CrossEntropyLoss()(h, Y),
}


DTYPES = {torch.float32: {}, torch.float64: {"rtol": 1e-12, "atol": 1e-12}}  # for float32 the tolerances of PyTorch


def batch(objective, dtype, N=7, D=(3, 2)):
    X = torch.randn(N, D[0], dtype=dtype)
    Y = {
        "squared_error": lambda: torch.randn(N, D[1], dtype=dtype),
        "bernoulli": lambda: torch.randint(2, (N, D[1])).to(dtype),
        "categorical": lambda: torch.randint(D[1], (N,)),
    }[objective]()
    return X, Y


def nested(dtype=torch.float64):
    """A network of 3, 5, 4, 2 units, with every kind of module that is ignored."""
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(3, 5), nn.Dropout(0.0), nn.Tanh(), nn.Dropout(0.5).eval())
    middle = nn.Sequential(nn.Sequential(nn.Identity(), nn.Linear(5, 4)), nn.Identity(), nn.Sequential())
    model = nn.Sequential()
    model.add_module("encoder", encoder)
    model.add_module("middle", middle)
    model.add_module("head", nn.Linear(4, 2))
    model.add_module("end", nn.Identity())
    return model.to(dtype)


def joined(of, model):
    """Return of(weight) and of(bias) of each layer, joined as in kfgn."""
    linears = [part for part in model.modules() if isinstance(part, nn.Linear)]
    return [torch.cat([of(linear.weight), of(linear.bias)[:, None]], 1) for linear in linears]


def bits(model):
    return {name: value.detach().numpy().tobytes() for name, value in model.state_dict().items()}


def loss_and_gradient(model, objective, X, Y):
    loss = LOSSES[objective](model(X), Y)
    loss.backward()
    return loss.detach(), joined(lambda parameter: parameter.grad, model)


def linear(D=3, K=3, **options):
    return nn.Linear(D, K, **options)


def having(model, **attributes):
    for name, value in attributes.items():
        setattr(model, name, value)
    return model


def small():
    """A network of 2, 4, 4, 3 units in float64."""
    return nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 3)).double()


def small_weights():
    return tuple(torch.rand(shape, dtype=torch.float64) for shape in ((4, 3), (4, 5), (3, 5)))


def parameter_bits(module):
    return [p.detach().clone().numpy().tobytes() for p in module.parameters()]


def hooked(model, register, at=""):
    getattr(model.get_submodule(at), register)(lambda *_: None)
    return model


def within(*layers):
    """Layers whose names in errors are encoder.0, encoder.1, ..."""
    model = nn.Sequential()
    model.add_module("encoder", nn.Sequential(*layers))
    return model


def refused(call, error, name, fragments):
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    message = str(caught.value)
    assert caught.type is error, message
    assert message.startswith(f"{name}: "), message
    for fragment in fragments:
        assert fragment in message
    assert "\n" not in message
