"""A network and its weights out of an `nn.Sequential` of PyTorch, and the weights back into it.

    model = nn.Sequential(nn.Linear(64, 16), nn.Tanh(), nn.Linear(16, 10))
    network, weights = network_and_weights(model, "categorical")
    loss, gradient, Q, G = kfgn.kflr(network, weights, X, Y)
    write_back(model, [W - 0.1 * g for W, g in zip(weights, gradient)])

In errors a module has the name that `model.named_modules()` gives it, such as `encoder.2`, and the whole is `module`.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

from .._types import Weights
from ..expectations import floating, one_library_and_device
from ..network import Network
from ..transfers import LEAK
from ..words import type_of

try:
    import torch
    from torch import nn
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(f"{error.name} is not installed: pip install 'kfgn[torch]'", name=error.name) from error

__all__ = ["network_and_weights", "write_back"]


def network_and_weights(
    module: nn.Sequential, objective: str, psd: str = "project"
) -> tuple[Network, tuple[torch.Tensor, ...]]:
    """The network that a module of Linear layers and activations is, and a copy of its parameters.

    module:    an `nn.Sequential`, nested or not, that ends with a Linear: its outputs (N, D_L) for X (N, D_0) are h_L.
               Every Linear has a bias, and at most one activation behind it:
                 ReLU       relu
                 LeakyReLU  leaky_relu, if its negative_slope is 0.1
                 Tanh       tanh
                 Sigmoid    logistic
                 Softplus   softplus, if its beta is 1; PyTorch's is h itself above its threshold, less than 3e-9 away
                            at the usual 20, and a smaller threshold is refused
                 none       identity
               What does nothing to a batch of rows is passed over: Identity, a Flatten of all but the batch, for which
               X is (N, D_0) all the same, and a Dropout that has p = 0 or is in eval mode.
    objective: as in `kfgn.Network`, and so is psd. The mean loss f of kfgn, summed over outputs, is in PyTorch,
               with h = module(X):
                 squared_error  0.5 * nn.MSELoss(reduction="sum")(h, Y) / N
                 bernoulli      nn.BCEWithLogitsLoss(reduction="sum")(h, Y) / N
                 categorical    nn.CrossEntropyLoss()(h, Y)

    Returns the network and W_1, ..., W_L (D_l, D_{l-1} + 1), bias in the last column, on the device and in the dtype
    of the parameters. They are new tensors, outside any autograd graph: the module is left as it is.

    Raises `TypeError` for a module of another kind, or one that overrides forward, and for parameters that are
    uninitialised or not all float32 or all float64; `ValueError` for activations in another place, one that differs
    from its namesake in kfgn, forward hooks, a Linear without bias or with parametrised weights, parameters that are
    shared or on several devices, widths that do not meet, and whatever `kfgn.Network` refuses.
    """
    leaves = _leaves(module)
    layers = _layers(leaves)
    transfers = _transfers(leaves)
    _no_hooks(module)
    widths = (layers[0].weight.shape[1], *(layer.weight.shape[0] for layer in layers))
    network = Network(widths, transfers, objective, psd)
    return network, tuple(torch.cat((weight.detach(), bias.detach()[:, None]), 1) for _, weight, bias in layers)


def write_back(module: nn.Sequential, weights: Weights) -> None:
    """Fill the parameters of a module in place with W_1, ..., W_L (D_l, D_{l-1} + 1), bias in the last column.

    The parameters stay the same objects in the same memory, with their `requires_grad` and `grad`, so that optimisers
    and other holders of them see the new values. Values are not looked at.

    Raises what `network_and_weights` does for layers and their parameters, but not for activations out of place, modes
    and hooks; `TypeError` for weights that are no tensors or have another dtype than the parameters; `ValueError` for
    another number, shape or device. An error leaves every parameter as it was.
    """
    layers = _layers(_leaves(module))
    _fits(layers, weights)
    with torch.no_grad():
        for (_, weight, bias), W in zip(layers, weights, strict=True):
            weight.copy_(W[:, :-1])
            bias.copy_(W[:, -1])


class _Kind(NamedTuple):
    """How a module without parameters is read."""

    transfer: str | None
    """None for one that does nothing to a batch (N, D)."""
    taken: Callable[[nn.Module], bool] = lambda module: True
    expected: str = ""
    """What `taken` asks for, in words."""


_KINDS: dict[type[nn.Module], _Kind] = {
    nn.Identity: _Kind(None),
    nn.Flatten: _Kind(
        None, lambda m: (m.start_dim, m.end_dim) == (1, -1), "start_dim 1 and end_dim -1, as a batch is (N, D)"
    ),
    nn.Dropout: _Kind(
        None, lambda m: m.p == 0 or not m.training, "p 0 or eval mode, as a kfgn network has all its units"
    ),
    nn.ReLU: _Kind("relu"),
    nn.LeakyReLU: _Kind("leaky_relu", lambda m: m.negative_slope == LEAK, f"negative_slope {LEAK}, that of leaky_relu"),
    nn.Tanh: _Kind("tanh"),
    nn.Sigmoid: _Kind("logistic"),
    nn.Softplus: _Kind("softplus", lambda m: m.beta == 1 and m.threshold >= 20, "beta 1 and a threshold from 20"),
}

_TAKES_LOGITS: dict[type[nn.Module], str] = {
    nn.Sigmoid: "bernoulli",
    nn.Softmax: "categorical",
    nn.LogSoftmax: "categorical",
}
"""The objectives that hold a final activation themselves."""

_Leaves: TypeAlias = list[tuple[str, nn.Module]]
"""The modules within nested Sequentials, in order, each with its path."""


class _Layer(NamedTuple):
    """A Linear: its path, weight (D_l, D_{l-1}) and bias (D_l,)."""

    path: str
    weight: torch.Tensor
    bias: torch.Tensor


def _leaves(module: nn.Sequential) -> _Leaves:
    """The leaves of a module, once each is of a known kind."""
    if not _is(module, nn.Sequential):
        raise TypeError(f"module: expected an nn.Sequential with PyTorch's own forward, got {_shown(module)}")
    leaves = list(_flattened(module))
    for path, leaf in leaves:
        if not any(_is(leaf, kind) for kind in (nn.Linear, *_KINDS)):
            known = ", ".join(kind.__name__ for kind in (nn.Linear, *_KINDS))
            raise TypeError(
                f"{path}: expected one of {known} with PyTorch's own forward, got {_shown(leaf)}{_advice(leaf)}"
            )
    return leaves


def _flattened(module: nn.Sequential, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    for name, child in module._modules.items():  # named_children() leaves out one that comes a second time
        if _is(child, nn.Sequential):
            yield from _flattened(child, f"{prefix}{name}.")
        else:
            yield prefix + name, child


def _layers(leaves: _Leaves) -> list[_Layer]:
    """The Linear layers, once they are dense layers of a network and no two share a parameter."""
    layers = [_layer(path, leaf) for path, leaf in leaves if _is(leaf, nn.Linear)]
    if not layers:
        raise ValueError("module: expected at least one Linear, got none")
    parameters = {f"{l.path}.{name}": p for l in layers for name, p in (("weight", l.weight), ("bias", l.bias))}
    floating(one_library_and_device(parameters), parameters)
    _unshared(parameters)
    for before, layer in itertools.pairwise(layers):
        D = before.weight.shape[0]
        if (came := layer.weight.shape[1]) != D:
            raise ValueError(f"{layer.path}: expected {D} inputs, the outputs of {before.path}, got {came}")
    return layers


def _layer(path: str, linear: nn.Linear) -> _Layer:
    # those of weight_norm, parametrize and prune have other names: what is written to .weight would be lost
    parameters = dict(linear.named_parameters())
    if parameters.keys() != {"weight", "bias"}:
        names = ", ".join(parameters) or "none"
        raise ValueError(f"{path}: expected the parameters weight and bias, got {names} of {_shown(linear)}")
    for name, parameter in parameters.items():
        if type(parameter) is not nn.Parameter:
            raise TypeError(f"{path}.{name}: expected an initialised nn.Parameter, got {type_of(parameter)}")
    layer = _Layer(path, **parameters)
    weight, bias = (tuple(p.shape) for p in (layer.weight, layer.bias))
    if len(weight) != 2 or 0 in weight or bias != weight[:1]:
        raise ValueError(f"{path}: expected weight (D_l, D_l-1) and bias (D_l,), none empty, got {weight} and {bias}")
    return layer


def _unshared(parameters: Mapping[str, torch.Tensor]) -> None:
    """No two in the same memory: kfgn would step each of them by its own part of the gradient."""
    owners: dict[int, str] = {}
    for name, parameter in parameters.items():
        memory = parameter.data_ptr() or id(parameter)  # there are no addresses on the meta device
        if (owner := owners.setdefault(memory, name)) != name:
            raise ValueError(f"{name}: expected a parameter of its own, got that of {owner}")


def _transfers(leaves: _Leaves) -> tuple[str, ...]:
    """f_1, ..., f_{L-1}, once there is a Linear before each activation and one at the end."""
    transfers: list[str] = []
    end: tuple[str, nn.Module] | None = None  # the last activation, unless a Linear has come since
    linear = False
    for path, leaf in leaves:
        if _is(leaf, nn.Linear):
            if linear:
                transfers.append("identity")
            linear, end = True, None
        elif (name := _transfer(path, leaf)) is not None:
            if not linear:
                raise ValueError(f"{path}: expected a Linear before each activation, got {_shown(leaf)}")
            transfers.append(name)
            linear, end = False, (path, leaf)
    if end is not None:
        path, leaf = end
        raise ValueError(
            f"{path}: expected a Linear at the end, as the objective takes its outputs, "
            f"got {_shown(leaf)}{_advice(leaf)}"
        )
    return tuple(transfers)


def _transfer(path: str, leaf: nn.Module) -> str | None:
    """The name of a transfer function; None for what does nothing to a batch."""
    kind = next(kind for module, kind in _KINDS.items() if _is(leaf, module))
    if not kind.taken(leaf):
        raise ValueError(f"{path}: expected {kind.expected}, got {_shown(leaf)}")
    return kind.transfer


def _no_hooks(module: nn.Sequential) -> None:
    for path, part in module.named_modules():
        if hooks := len(part._forward_pre_hooks) + len(part._forward_hooks):
            raise ValueError(f"{path or 'module'}: expected no forward hooks, as kfgn does not call them, got {hooks}")


def _fits(layers: list[_Layer], weights: Weights) -> None:
    """As many tensors as there are layers, each of the shape, dtype and device of its layer."""
    expected = f"{len(layers)} tensors, one for each Linear ({', '.join(layer.path for layer in layers)})"
    if not isinstance(weights, (tuple, list)):
        raise TypeError(f"weights: expected a tuple or list of {expected}, got {type_of(weights)}")
    if len(weights) != len(layers):
        raise ValueError(f"weights: expected {expected}, got {len(weights)}")
    for l, (layer, W) in enumerate(zip(layers, weights, strict=True), start=1):
        named = {f"{layer.path}.weight": layer.weight, f"W_{l}": W}
        floating(one_library_and_device(named), named)
        shape = (layer.weight.shape[0], layer.weight.shape[1] + 1)
        if (came := tuple(W.shape)) != shape:
            raise ValueError(f"W_{l}: expected shape {shape} for {layer.path}, bias in the last column, got {came}")


def _is(module: object, kind: type[nn.Module]) -> bool:
    """Whether a module computes as its kind does: a subclass may, unless it overrides forward."""
    return isinstance(module, kind) and type(module).forward is kind.forward and "forward" not in vars(module)


def _shown(module: object) -> str:
    """The module as PyTorch prints it, where that is one line, and its type where it is not."""
    text = repr(module) if isinstance(module, nn.Module) else type_of(module)
    return type_of(module) if "\n" in text else text


def _advice(leaf: nn.Module) -> str:
    """What to do about a final activation that belongs to an objective."""
    found = (
        f"; {name} takes logits: leave out a final {kind.__name__}"
        for kind, name in _TAKES_LOGITS.items()
        if _is(leaf, kind)
    )
    return next(found, "")
