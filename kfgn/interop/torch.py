"""A network and its weights out of an `nn.Sequential` of PyTorch, and the weights back into it.

    model = nn.Sequential(nn.Linear(64, 16), nn.Tanh(), nn.Linear(16, 10))
    network, weights = network_and_weights(model, "categorical")
    loss, gradient, Q, G = kfgn.kflr(network, weights, X, Y)
    write_back(model, [W - 0.1 * g for W, g in zip(weights, gradient)])

In errors a module has the name that `model.named_modules()` gives it, such as `encoder.2`, and the whole is `module`.
"""

import itertools
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from .._network.network import Network
from .._types import Weights
from .._validation.arrays import check_floating_dtype, check_not_transformed, one_library_and_device
from .._words import type_of

try:
    import torch
    from torch import nn
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(f"{error.name} is not installed: pip install 'kfgn[torch]'", name=error.name) from error

from .modules import KINDS, advice, check_no_hooks, computes_as, described, unwrapped
from .parameters import check_unshared, check_writable, write

__all__ = ["network_and_weights", "write_back"]


def network_and_weights(
    module: nn.Sequential, objective: str, psd: str = "project"
) -> tuple[Network, tuple[torch.Tensor, ...]]:
    """The network of a module of Linear layers and activations, and a copy of its parameters.

    module:    an `nn.Sequential`, nested or not, that ends with a Linear: its outputs (N, D_L) for X (N, D_0) are h_L.
               Every Linear has a bias, and at most one activation behind it:
                 ReLU       relu
                 LeakyReLU  leaky_relu, if its negative_slope is 0.1
                 Tanh       tanh
                 Sigmoid    logistic
                 Softplus   softplus, if its beta is 1; PyTorch's is h itself above its threshold, less than 3e-9 away
                            at the usual 20, and a smaller threshold is refused
                 none       identity
               Modules that do nothing to a batch of rows are left out: Identity, a Flatten of all axes but the batch (X
               is still (N, D_0)), and a Dropout that has p = 0 or is in eval mode.
    objective: as in `kfgn.Network`, and so is psd. The mean loss f of kfgn, summed over outputs, is in PyTorch,
               with h = module(X):
                 squared_error  0.5 * nn.MSELoss(reduction="sum")(h, Y) / N
                 bernoulli      nn.BCEWithLogitsLoss(reduction="sum")(h, Y) / N
                 categorical    nn.CrossEntropyLoss()(h, Y)

    Returns the network and W_1, ..., W_L (D_l, D_{l-1} + 1), bias in the last column, on the device and in the dtype
    of the parameters. They are new tensors, outside any autograd graph: the module is left as it is.

    Frozen parameters (requires_grad=False) are read like the others.

    Raises `TypeError` for a module of another kind, or one that overrides what computes its outputs, and for parameters
    that are uninitialised or not all float32 or all float64; `ValueError` for activations in another place, an
    activation that differs from the one of that name in kfgn, hooks that change outputs or gradients, a Linear without
    bias or with parametrised weights, parameters that overlap in memory or are on several devices, widths that do not
    meet, and everything that `kfgn.Network` refuses.
    """
    leaves = _leaves(module)
    layers = _layers(leaves)
    transfers = _transfers(leaves)
    check_no_hooks(module)
    widths = (layers[0].weight.shape[1], *(layer.weight.shape[0] for layer in layers))
    network = Network.dense(widths, transfers, objective, psd)
    return network, tuple(torch.cat((weight.detach(), bias.detach()[:, None]), 1) for _, weight, bias in layers)


def write_back(module: nn.Sequential, weights: Weights) -> None:
    """Fill the parameters of a module in place with W_1, ..., W_L (D_l, D_{l-1} + 1), bias in the last column.

    The parameters stay the same objects in the same memory, with their `requires_grad` and `grad`, so that optimisers
    and other holders of them see the new values. The values are not checked.

    Raises what `network_and_weights` does for layers and their parameters, but not for activations out of place, modes
    and hooks; `TypeError` for weights that are no tensors or have another dtype than the parameters; `ValueError` for
    another number, shape or device, for a frozen parameter (requires_grad=False), since kfgn steps every layer, and
    for one that was made in inference mode, outside of it. Every error, of these or of any other kind, leaves all
    parameters as they were.
    """
    layers = _layers(_leaves(module))
    check_writable(_parameters(layers))
    _fits(layers, weights)
    pairs = zip(layers, weights, strict=True)
    write(pair for (_, weight, bias), W in pairs for pair in ((weight, W[:, :-1]), (bias, W[:, -1])))


_Leaves: TypeAlias = list[tuple[str, nn.Module]]
"""The modules within nested Sequentials, in order, each with its path."""


class _Layer(NamedTuple):
    """A Linear: its path, weight (D_l, D_{l-1}) and bias (D_l,)."""

    path: str
    weight: torch.Tensor
    bias: torch.Tensor


def _leaves(module: nn.Sequential) -> _Leaves:
    """The leaves of a module, once each is of a known kind."""
    if not computes_as(module, nn.Sequential):
        raise TypeError(
            f"module: expected an nn.Sequential with PyTorch's own forward, got {described(module)}{unwrapped(module)}"
        )
    leaves = list(_flattened(module))
    for path, leaf in leaves:
        if not any(computes_as(leaf, kind) for kind in (nn.Linear, *KINDS)):
            known = ", ".join(kind.__name__ for kind in (nn.Linear, *KINDS))
            raise TypeError(
                f"{path}: expected one of {known} with PyTorch's own forward, got {described(leaf)}{advice(leaf)}"
            )
    return leaves


def _flattened(
    module: nn.Sequential, prefix: str = "", within: tuple[int, ...] = ()
) -> Iterator[tuple[str, nn.Module]]:
    for name, child in module._modules.items():  # named_children() leaves out one that comes a second time
        if computes_as(child, nn.Sequential):
            if id(child) in (*within, id(module)):
                raise ValueError(f"{prefix}{name}: expected a module that does not hold itself, got one that does")
            yield from _flattened(child, f"{prefix}{name}.", (*within, id(module)))
        else:
            yield prefix + name, child


def _layers(leaves: _Leaves) -> list[_Layer]:
    """The Linear layers, once they are dense layers of a network and no two share a parameter."""
    layers = [_layer(path, leaf) for path, leaf in leaves if computes_as(leaf, nn.Linear)]
    if not layers:
        raise ValueError("module: expected at least one Linear, got none")
    parameters = _parameters(layers)
    check_floating_dtype(one_library_and_device(parameters), parameters)
    check_unshared(parameters)
    for before, layer in itertools.pairwise(layers):
        D = before.weight.shape[0]
        if (came := layer.weight.shape[1]) != D:
            raise ValueError(f"{layer.path}: expected {D} inputs, the outputs of {before.path}, got {came}")
    return layers


def _parameters(layers: list[_Layer]) -> dict[str, torch.Tensor]:
    """All of them by their paths."""
    return {f"{l.path}.{name}": p for l in layers for name, p in (("weight", l.weight), ("bias", l.bias))}


def _layer(path: str, linear: nn.Linear) -> _Layer:
    # those of weight_norm, parametrize and prune have other names: what is written to .weight would be lost
    parameters = dict(linear.named_parameters())
    if parameters.keys() != {"weight", "bias"}:
        names = ", ".join(parameters) or "none"
        raise ValueError(f"{path}: expected the parameters weight and bias, got {names} of {described(linear)}")
    for name, parameter in parameters.items():
        check_not_transformed(f"{path}.{name}", parameter)
        if type(parameter) is not nn.Parameter or getattr(linear, name) is not parameter:
            raise TypeError(f"{path}.{name}: expected an initialised nn.Parameter, got {type_of(parameter)}")
    layer = _Layer(path, **parameters)
    weight, bias = (tuple(p.shape) for p in (layer.weight, layer.bias))
    if len(weight) != 2 or 0 in weight or bias != weight[:1]:
        raise ValueError(f"{path}: expected weight (D_l, D_l-1) and bias (D_l,), none empty, got {weight} and {bias}")
    return layer


def _transfers(leaves: _Leaves) -> tuple[str, ...]:
    """f_1, ..., f_{L-1}, once there is a Linear before each activation and one at the end."""
    transfers: list[str] = []
    end: tuple[str, nn.Module] | None = None  # the last activation, unless a Linear has come since
    linear = False
    for path, leaf in leaves:
        if computes_as(leaf, nn.Linear):
            if linear:
                transfers.append("identity")
            linear, end = True, None
        elif (name := _transfer(path, leaf)) is not None:
            if not linear:
                raise ValueError(f"{path}: expected a Linear before each activation, got {described(leaf)}")
            transfers.append(name)
            linear, end = False, (path, leaf)
    if end is not None:
        path, leaf = end
        raise ValueError(
            f"{path}: expected a Linear at the end, as the objective takes its outputs, "
            f"got {described(leaf)}{advice(leaf)}"
        )
    return tuple(transfers)


def _transfer(path: str, leaf: nn.Module) -> str | None:
    """The name of a transfer function; None for what does nothing to a batch."""
    kind = next(kind for module, kind in KINDS.items() if computes_as(leaf, module))
    if not kind.taken(leaf):
        raise ValueError(f"{path}: expected {kind.expected}, got {described(leaf)}")
    return kind.transfer


def _fits(layers: list[_Layer], weights: Weights) -> None:
    """As many tensors as there are layers, each of the shape, dtype and device of its layer."""
    expected = f"{len(layers)} tensors, one for each Linear ({', '.join(layer.path for layer in layers)})"
    if not isinstance(weights, (tuple, list)):
        raise TypeError(f"weights: expected a tuple or list of {expected}, got {type_of(weights)}")
    if len(weights) != len(layers):
        raise ValueError(f"weights: expected {expected}, got {len(weights)}")
    for l, (layer, W) in enumerate(zip(layers, weights, strict=True), start=1):
        named = {f"{layer.path}.weight": layer.weight, f"W_{l}": W}
        check_floating_dtype(one_library_and_device(named), named)
        shape = (layer.weight.shape[0], layer.weight.shape[1] + 1)
        if (came := tuple(W.shape)) != shape:
            raise ValueError(f"W_{l}: expected shape {shape} for {layer.path}, bias in the last column, got {came}")
