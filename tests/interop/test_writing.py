"""`write_back`: every parameter is written, or none."""

import copy
import re
import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

import kfgn
from kfgn.interop import torch as interop

from .models import DTYPES, LOSSES, batch, bits, loss_and_gradient, nested, parameter_bits, small, small_weights


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_round_trip(dtype):
    source, target = nested(dtype), nested(dtype)
    with torch.no_grad():
        source.head.bias.copy_(torch.tensor([-0.0, torch.inf]))
    assert bits(source) != bits(target)
    _, weights = interop.network_and_weights(source, "categorical")
    interop.write_back(target, weights)
    assert bits(target) == bits(source)
    for W in weights:
        W.zero_()
    assert bits(target) == bits(source)


def test_parameters_stay_the_same_objects():
    model = nested()
    X, Y = batch("categorical", torch.float64)
    network, weights = interop.network_and_weights(model, "categorical")
    loss_and_gradient(model, "categorical", X, Y)

    def held():
        return [(id(p), p.data_ptr(), p.requires_grad, id(p.grad), p.is_leaf) for p in model.parameters()]

    before = held()
    interop.write_back(model, [(W + 1).requires_grad_() for W in weights])
    assert held() == before
    after = interop.network_and_weights(model, "categorical")
    assert after[0] == network
    torch.testing.assert_close(list(after[1]), [W + 1 for W in weights], rtol=0, atol=0)


@pytest.mark.parametrize("objective", LOSSES)
def test_a_gradient_step_is_that_of_sgd(objective):
    model = nested()
    expected = copy.deepcopy(model)
    X, Y = batch(objective, torch.float64)
    loss, _ = loss_and_gradient(expected, objective, X, Y)
    torch.optim.SGD(expected.parameters(), lr=0.1).step()

    network, weights = interop.network_and_weights(model, objective)
    gradient = kfgn.gradient(network, weights, X, Y)
    interop.write_back(model, [W - 0.1 * g for W, g in zip(weights, gradient, strict=True)])
    torch.testing.assert_close(dict(model.state_dict()), dict(expected.state_dict()), rtol=1e-12, atol=1e-12)
    assert LOSSES[objective](model(X), Y) < loss


@pytest.mark.parametrize("change", [nn.Module.train, lambda model: model.head.register_forward_hook(print)])
def test_mode_and_hooks_are_ignored(change):
    model = nested()
    _, weights = interop.network_and_weights(model, "categorical")
    change(model)
    with pytest.raises(ValueError, match=r"^module\.(encoder\.4|head): "):
        interop.network_and_weights(model, "categorical")
    interop.write_back(model, [0 * W for W in weights])
    assert not any(parameter.any() for parameter in model.parameters())


def with_last(change):
    module = small()
    change(module[4])
    return module


def expanded(last):
    last.bias = nn.Parameter(torch.zeros(1, dtype=torch.float64).expand(3))


def expanded_weight(last):
    last.weight = nn.Parameter(torch.zeros(1, 4, dtype=torch.float64).expand(3, 4))


def overlapping_windows(last):
    last.weight = nn.Parameter(torch.zeros(6, dtype=torch.float64).as_strided((3, 4), (1, 1)))


def inference(last):
    with torch.inference_mode():
        last.weight = nn.Parameter(torch.zeros(3, 4, dtype=torch.float64))


def frozen(last):
    last.requires_grad_(False)


def frozen_bias(last):
    last.bias.requires_grad_(False)


def shared_in_part():
    module = small()
    memory = torch.zeros(20, dtype=torch.float64)
    module[2].weight = nn.Parameter(memory[:16].view(4, 4))
    module[4].weight = nn.Parameter(memory[8:].view(3, 4))
    return module


def shared_by_a_bias():
    module = small()
    module[4].bias = nn.Parameter(module[2].weight.data[1:, 3])
    return module


def one_memory_in_two_storages():
    """Tensors made from parts of one NumPy array have separate storages."""
    module = small()
    memory = np.zeros(20)
    module[2].weight = nn.Parameter(torch.from_numpy(memory[:16].reshape(4, 4)))
    module[4].weight = nn.Parameter(torch.from_numpy(memory[8:].reshape(3, 4)))
    return module


# the module, the name of the parameter in the error, a fragment of the error, and whether the module can be read
NOT_WRITTEN = {
    "a bias that is expanded": (
        lambda: with_last(expanded),
        "module.4.bias",
        "separate memory for each element",
        False,
    ),
    "a weight that is expanded": (
        lambda: with_last(expanded_weight),
        "module.4.weight",
        "separate memory for each",
        False,
    ),
    "a weight of windows": (
        lambda: with_last(overlapping_windows),
        "module.4.weight",
        "separate memory for each",
        False,
    ),
    "a weight of inference mode": (lambda: with_last(inference), "module.4.weight", "got an inference tensor", True),
    "a frozen layer": (
        lambda: with_last(frozen),
        "module.4.weight",
        "requires_grad=True, got a frozen parameter",
        True,
    ),
    "a frozen bias": (
        lambda: with_last(frozen_bias),
        "module.4.bias",
        "requires_grad=True, got a frozen parameter",
        True,
    ),
    "half of a weight": (shared_in_part, "module.4.weight", "separate memory, got memory of module.2.weight", False),
    "one array of NumPy": (
        one_memory_in_two_storages,
        "module.4.weight",
        "separate memory, got memory of module.2.weight",
        False,
    ),
    "a column of a weight": (
        shared_by_a_bias,
        "module.4.bias",
        "separate memory, got memory of module.2.weight",
        False,
    ),
}


@pytest.mark.parametrize("case", NOT_WRITTEN)
def test_all_or_nothing(case):
    make, name, said, readable = NOT_WRITTEN[case]
    module = make()
    before = parameter_bits(module)
    with pytest.raises(ValueError, match=rf"^{re.escape(name)}: expected .*{re.escape(said)}"):
        interop.write_back(module, small_weights())
    assert parameter_bits(module) == before
    if readable:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "^module.* got a frozen parameter")
            assert len(interop.network_and_weights(module, "categorical")[1]) == 3
    else:
        with pytest.raises(ValueError, match=rf"^{re.escape(name)}: expected .*{re.escape(said)}"):
            interop.network_and_weights(module, "categorical")


@pytest.mark.parametrize(("change", "name"), [(frozen, "weight"), (frozen_bias, "bias")])
def test_a_frozen_parameter_is_read_with_a_warning(change, name):
    """The warning comes before training, and not only after it from `write_back`."""
    expected = rf"^module\.4\.{name}: expected requires_grad=True for write_back, got a frozen parameter$"
    with pytest.warns(UserWarning, match=expected) as caught:
        interop.network_and_weights(with_last(change), "categorical")
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_a_weight_of_inference_mode_is_written_within_it():
    module = with_last(inference)
    W = small_weights()
    with torch.inference_mode():
        interop.write_back(module, W)
    torch.testing.assert_close(module[4].weight.detach().clone(), W[2][:, :-1], rtol=0, atol=0)


class Fails(TorchDispatchMode):
    """A mode in which the n-th copy raises an error."""

    def __init__(self, n, error):
        super().__init__()
        self.n, self.error = n, error

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func is torch.ops.aten.copy_.default:
            self.n -= 1
            if self.n == 0:
                raise self.error
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("error", [RuntimeError("no"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("n", range(1, 7))
def test_a_write_that_fails_is_undone(n, error):
    module, W = small(), small_weights()
    before = parameter_bits(module)
    with Fails(n, error), pytest.raises(type(error)):
        interop.write_back(module, W)
    assert parameter_bits(module) == before
    with Fails(7, error):  # there are six copies
        interop.write_back(module, W)
    assert parameter_bits(module) != before


def test_parts_of_one_memory_that_do_not_overlap():
    # weight and bias in one array, as in kfgn; and two layers that alternate in one memory
    module = small()
    joint = torch.rand(3, 5, dtype=torch.float64)
    module[4].weight, module[4].bias = nn.Parameter(joint[:, :-1]), nn.Parameter(joint[:, -1])
    turns = torch.rand(4, 8, dtype=torch.float64)
    module[2].weight, module[0].weight = nn.Parameter(turns[:, ::2]), nn.Parameter(turns[:, 1:5:2])
    W = small_weights()
    interop.write_back(module, W)
    for read, written in zip(interop.network_and_weights(module, "categorical")[1], W, strict=True):
        torch.testing.assert_close(read, written, rtol=0, atol=0)


def test_weights_in_the_memory_of_the_parameters():
    module = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 3)).double()
    joint = torch.rand(2, 3, 4, dtype=torch.float64)
    for i, layer in enumerate((module[0], module[2])):
        layer.weight, layer.bias = nn.Parameter(joint[i, :, :-1]), nn.Parameter(joint[i, :, -1])
    expected = [joint[1].clone(), joint[0].T.clone().T]
    interop.write_back(module, [joint[1], joint[0]])  # the two layers are exchanged
    for read, wanted in zip(interop.network_and_weights(module, "categorical")[1], expected, strict=True):
        torch.testing.assert_close(read, wanted, rtol=0, atol=0)
