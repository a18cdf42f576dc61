"""`write_back` writes every parameter or none, and both functions refuse modules that compute something else."""

import re

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn.modules import module as every  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

from kfgn.interop import torch as interop  # noqa: E402


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def model():
    """2, 4, 4, 3 units, in float64."""
    return nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 3)).double()


def weights():
    return tuple(torch.rand(shape, dtype=torch.float64) for shape in ((4, 3), (4, 5), (3, 5)))


def bits(module):
    return [p.detach().clone().numpy().tobytes() for p in module.parameters()]


def with_last(change):
    module = model()
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
    module = model()
    memory = torch.zeros(20, dtype=torch.float64)
    module[2].weight = nn.Parameter(memory[:16].view(4, 4))
    module[4].weight = nn.Parameter(memory[8:].view(3, 4))
    return module


def shared_by_a_bias():
    module = model()
    module[4].bias = nn.Parameter(module[2].weight.data[1:, 3])
    return module


def one_memory_in_two_storages():
    """Each tensor made from a part of a NumPy array has a storage of its own."""
    module = model()
    memory = np.zeros(20)
    module[2].weight = nn.Parameter(torch.from_numpy(memory[:16].reshape(4, 4)))
    module[4].weight = nn.Parameter(torch.from_numpy(memory[8:].reshape(3, 4)))
    return module


# what cannot be written, the parameter that is at fault, what is said, and whether it can be read
NOT_WRITTEN = {
    "a bias that is expanded": (lambda: with_last(expanded), "4.bias", "an element of memory for each", False),
    "a weight that is expanded": (lambda: with_last(expanded_weight), "4.weight", "an element of memory", False),
    "a weight of windows": (lambda: with_last(overlapping_windows), "4.weight", "an element of memory", False),
    "a weight of inference mode": (lambda: with_last(inference), "4.weight", "made in inference mode", True),
    "a frozen layer": (lambda: with_last(frozen), "4.weight", "requires_grad=False", True),
    "a frozen bias": (lambda: with_last(frozen_bias), "4.bias", "requires_grad=False", True),
    "half of a weight": (shared_in_part, "4.weight", "a parameter of its own, got that of 2.weight", False),
    "one array of NumPy": (one_memory_in_two_storages, "4.weight", "of its own, got that of 2.weight", False),
    "a column of a weight": (shared_by_a_bias, "4.bias", "a parameter of its own, got that of 2.weight", False),
}


@pytest.mark.parametrize("case", NOT_WRITTEN)
def test_all_or_nothing(case):
    make, name, said, readable = NOT_WRITTEN[case]
    module = make()
    before = bits(module)
    with pytest.raises(ValueError, match=rf"^{re.escape(name)}: expected .*{re.escape(said)}"):
        interop.write_back(module, weights())
    assert bits(module) == before
    if readable:
        assert len(interop.network_and_weights(module, "categorical")[1]) == 3
    else:
        with pytest.raises(ValueError, match=rf"^{re.escape(name)}: expected .*{re.escape(said)}"):
            interop.network_and_weights(module, "categorical")


def test_a_weight_of_inference_mode_is_written_within_it():
    module = with_last(inference)
    W = weights()
    with torch.inference_mode():
        interop.write_back(module, W)
    torch.testing.assert_close(module[4].weight.detach().clone(), W[2][:, :-1], rtol=0, atol=0)


class Fails(TorchDispatchMode):
    """An error of the n-th copy."""

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
def test_a_write_that_fails_half_way_is_undone(n, error):
    module, W = model(), weights()
    before = bits(module)
    with Fails(n, error), pytest.raises(type(error)):
        interop.write_back(module, W)
    assert bits(module) == before
    with Fails(7, error):  # there are six
        interop.write_back(module, W)
    assert bits(module) != before


def test_parts_of_one_memory_that_do_not_overlap():
    # weight and bias as kfgn has them, in one array; and two layers by turns in one memory
    module = model()
    joint = torch.rand(3, 5, dtype=torch.float64)
    module[4].weight, module[4].bias = nn.Parameter(joint[:, :-1]), nn.Parameter(joint[:, -1])
    turns = torch.rand(4, 8, dtype=torch.float64)
    module[2].weight, module[0].weight = nn.Parameter(turns[:, ::2]), nn.Parameter(turns[:, 1:5:2])
    W = weights()
    interop.write_back(module, W)
    for read, written in zip(interop.network_and_weights(module, "categorical")[1], W, strict=True):
        torch.testing.assert_close(read, written, rtol=0, atol=0)


def test_weights_that_lie_in_the_memory_of_the_parameters():
    module = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 3)).double()
    joint = torch.rand(2, 3, 4, dtype=torch.float64)
    for i, layer in enumerate((module[0], module[2])):
        layer.weight, layer.bias = nn.Parameter(joint[i, :, :-1]), nn.Parameter(joint[i, :, -1])
    expected = [joint[1].clone(), joint[0].T.clone().T]
    interop.write_back(module, [joint[1], joint[0]])  # each layer gets that of the other
    for read, wanted in zip(interop.network_and_weights(module, "categorical")[1], expected, strict=True):
        torch.testing.assert_close(read, wanted, rtol=0, atol=0)


class Called(nn.Sequential):
    def __call__(self, X):
        return 2 * super().__call__(X)


class Turned(nn.Sequential):
    def __iter__(self):
        return reversed(list(super().__iter__()))


class Inner(nn.Linear):
    def _call_impl(self, X):
        return 2 * super()._call_impl(X)


class Looked(nn.Tanh):
    def __getattr__(self, name):
        return super().__getattr__(name)


class Property(nn.Linear):
    @property
    def weight(self):
        if "weight" not in self._parameters:
            raise AttributeError("weight")
        return 2 * self._parameters["weight"]


def patched():
    module = model()
    module[1]._call_impl = torch.relu
    return module


COMPUTES_OTHERWISE = {
    "__call__": (lambda: Called(nn.Linear(2, 3)), "module", "Called"),
    "__iter__": (lambda: Turned(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2)), "module", "Turned"),
    "inner __call__": (lambda: nn.Sequential(Called(nn.Linear(2, 3))), "0", "Called"),
    "_call_impl": (lambda: nn.Sequential(Inner(2, 3)), "0", "Inner"),
    "__getattr__": (lambda: nn.Sequential(nn.Linear(2, 3), Looked(), nn.Linear(3, 3)), "1", "Looked"),
    "patched": (patched, "1", "Tanh"),
    "weight is a property": (lambda: nn.Sequential(Property(2, 3)), "0.weight", "nn.Parameter"),
    "torch.compile": (
        lambda: torch.compile(model(), backend="eager"),
        "module",
        "give the module that it wraps, its ._orig_mod",
    ),
    "torch.compile of a layer": (
        lambda: nn.Sequential(torch.compile(nn.Linear(2, 3), backend="eager")),
        "0",
        "its ._orig_mod",
    ),
    "DataParallel": (lambda: nn.DataParallel(model()), "module", "give the module that it wraps, its .module"),
}


@pytest.mark.parametrize("case", COMPUTES_OTHERWISE)
def test_modules_that_compute_something_else(case):
    make, name, said = COMPUTES_OTHERWISE[case]
    module = make()
    for call in (
        lambda: interop.network_and_weights(module, "categorical"),
        lambda: interop.write_back(module, weights()),
    ):
        with pytest.raises(TypeError, match=rf"^{re.escape(name)}: expected .*{re.escape(said)}"):
            call()


def test_a_module_that_holds_itself():
    module = model()
    inner = nn.Sequential(module)
    module.add_module("again", inner)
    with pytest.raises(ValueError, match=r"^again\.0: expected a module that does not hold itself"):
        interop.network_and_weights(module, "categorical")


def test_a_module_that_compiles_itself_is_the_same_function():
    module = model()
    module.compile(backend="eager")
    assert interop.network_and_weights(module, "categorical")[0].widths == (2, 4, 4, 3)


def test_an_activation_may_come_twice_within_a_sequential_that_comes_twice():
    middle = nn.Sequential(nn.Tanh())
    module = nn.Sequential(nn.Linear(2, 4), middle, nn.Linear(4, 4), middle, nn.Linear(4, 3))
    assert interop.network_and_weights(module, "categorical")[0].transfers == ("tanh", "tanh")


def nothing(*_):
    return None


HOOKS = {
    "forward of all": (lambda m: every.register_module_forward_hook(nothing), "module", "no forward hooks of all"),
    "before forward of all": (lambda m: every.register_module_forward_pre_hook(nothing), "module", "of all modules"),
    "backward of all": (lambda m: every.register_module_full_backward_hook(nothing), "module", "no backward hooks of"),
    "before backward of all": (lambda m: every.register_module_full_backward_pre_hook(nothing), "module", "backward"),
    "backward": (lambda m: m[2].register_full_backward_hook(nothing), "2", "no backward hooks"),
    "before backward": (lambda m: m[2].register_full_backward_pre_hook(nothing), "2", "no backward hooks"),
    "of a parameter": (lambda m: m[2].bias.register_hook(nothing), "2.bias", "no backward hooks"),
    "after a parameter": (
        lambda m: m[2].weight.register_post_accumulate_grad_hook(nothing),
        "2.weight",
        "no backward hooks",
    ),
}


@pytest.mark.parametrize("case", HOOKS)
def test_hooks(case):
    register, name, said = HOOKS[case]
    module = model()
    interop.network_and_weights(module, "categorical")
    handle = register(module)
    try:
        with pytest.raises(
            ValueError, match=rf"^{re.escape(name)}: expected {re.escape(said) if said[:2] == 'no' else ''}"
        ):
            interop.network_and_weights(module, "categorical")
        interop.write_back(module, weights())  # takes no notice of them
    finally:
        handle.remove()
    interop.network_and_weights(module, "categorical")
