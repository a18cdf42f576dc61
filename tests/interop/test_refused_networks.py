"""Modules that are not a network of kfgn, and hooks."""

import re

import pytest
from torch import nn
from torch.nn.modules import module as every

import kfgn
from kfgn.interop import torch as interop

from .models import hooked, linear, nested, refused, small, small_weights, within

# modules with supported layers that are not a network
NETWORKS = {
    "Softplus, beta": (
        lambda: within(linear(), nn.Softplus(2), linear()),
        "module.encoder.1",
        ["beta 1 and a threshold of at least 20", "got Softplus(beta=2"],
    ),
    "Softplus, threshold": (
        lambda: within(linear(), nn.Softplus(threshold=5), linear()),
        "module.encoder.1",
        ["beta 1 and a threshold of at least 20", "threshold=5"],
    ),
    "Dropout": (
        lambda: within(linear(), nn.Dropout(0.5)),
        "module.encoder.1",
        ["p 0 or eval mode", "got Dropout(p=0.5", "call model.eval() first; kfgn then trains"],
    ),
    "Flatten of the batch": (
        lambda: within(nn.Flatten(0), linear()),
        "module.encoder.0",
        ["start_dim 1", "got Flatten(start"],
    ),
    "Sigmoid at the end": (
        lambda: within(linear(), nn.Sigmoid(), nn.Identity()),
        "module.encoder.1",
        ["a Linear at the end", "got Sigmoid()", "bernoulli expects logits: remove a final Sigmoid"],
    ),
    "Tanh at the end": (lambda: within(linear(), nn.Tanh()), "module.encoder.1", ["a Linear at the end", "got Tanh()"]),
    "activation first": (
        lambda: within(nn.Tanh(), linear()),
        "module.encoder.0",
        ["a layer with weights before each", "got Tanh()"],
    ),
    "two activations": (
        lambda: within(linear(), nn.Tanh(), nn.Identity(), nn.ReLU(), linear()),
        "module.encoder.3",
        ["a layer with weights before each", "got ReLU()"],
    ),
    "forward hook": (
        lambda: hooked(within(linear()), "register_forward_hook", "encoder.0"),
        "module.encoder.0",
        ["hooks"],
    ),
    "forward pre-hook": (
        lambda: hooked(within(linear(), nn.Tanh(), linear()), "register_forward_pre_hook", "encoder.1"),
        "module.encoder.1",
        ["hooks"],
    ),
    "hook of a Sequential": (
        lambda: hooked(within(linear()), "register_forward_hook", "encoder"),
        "module.encoder",
        ["no forward hooks", "got 1"],
    ),
    "hook of the whole": (lambda: hooked(within(linear()), "register_forward_hook"), "module", ["got 1"]),
    "loss of PyTorch": (
        None,
        "objective",
        ["got CrossEntropyLoss()", "nn.CrossEntropyLoss is categorical"],
    ),
    "objective": (
        None,
        "objective",
        ["one of squared_error, bernoulli, categorical", "got 'mse'; up to a factor, nn.MSELoss is squared_error"],
    ),
    "psd": (None, "psd", ["one of project, scalar, raise", "got 'clip'"]),
    "outputs of the mixture": (None, "layers", ["3 outputs", "mixture", "(3, 5, 4, 2)"]),
}


ARGUMENTS = {
    "objective": {"objective": "mse"},
    "loss of PyTorch": {"objective": nn.CrossEntropyLoss()},
    "psd": {"objective": "categorical", "psd": "clip"},
    "outputs of the mixture": {"objective": "mixture"},
}


@pytest.mark.parametrize("case", NETWORKS)
def test_unsupported_networks(case):
    make, name, fragments = NETWORKS[case]
    module = (make or nested)()
    options = ARGUMENTS.get(case, {"objective": "squared_error"})
    refused(lambda: interop.network_and_weights(module, **options), ValueError, name, fragments)


def nothing(*_):
    return None


HOOKS = {
    "forward of all": (lambda m: every.register_module_forward_hook(nothing), "module", "no global forward hooks"),
    "before forward of all": (
        lambda m: every.register_module_forward_pre_hook(nothing),
        "module",
        "no global forward hooks",
    ),
    "backward of all": (
        lambda m: every.register_module_full_backward_hook(nothing),
        "module",
        "no global backward hooks",
    ),
    "before backward of all": (lambda m: every.register_module_full_backward_pre_hook(nothing), "module", "backward"),
    "backward": (lambda m: m[2].register_full_backward_hook(nothing), "module.2", "no backward hooks"),
    "before backward": (lambda m: m[2].register_full_backward_pre_hook(nothing), "module.2", "no backward hooks"),
    "of a parameter": (lambda m: m[2].bias.register_hook(nothing), "module.2.bias", "no backward hooks"),
    "after a parameter": (
        lambda m: m[2].weight.register_post_accumulate_grad_hook(nothing),
        "module.2.weight",
        "no backward hooks",
    ),
}


@pytest.mark.parametrize("case", HOOKS)
def test_hooks(case):
    register, name, said = HOOKS[case]
    module = small()
    interop.network_and_weights(module, "categorical")
    handle = register(module)
    try:
        with pytest.raises(
            ValueError, match=rf"^{re.escape(name)}: expected {re.escape(said) if said[:2] == 'no' else ''}"
        ):
            interop.network_and_weights(module, "categorical")
        interop.write_back(module, small_weights())  # ignores hooks
    finally:
        handle.remove()
    interop.network_and_weights(module, "categorical")


def test_a_module_instead_of_a_network():
    message = r"^network: expected a kfgn.Network, got .*Sequential; kfgn.interop.torch.network_and_weights reads"
    with pytest.raises(TypeError, match=message):
        kfgn.GaussNewton(small())
