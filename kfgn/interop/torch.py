"""Conversion of an `nn.Sequential` of PyTorch to a network and weights of kfgn, and of weights back into the module.

    model = nn.Sequential(nn.Linear(64, 16), nn.Tanh(), nn.Linear(16, 10))
    network, weights = network_and_weights(model, "categorical")
    loss, gradient, Q, G = kfgn.kflr(network, weights, X, Y)
    write_back(model, [W - 0.1 * g for W, g in zip(weights, gradient)])

Errors name a module as `model.named_modules()` does, for example `encoder.2`, and the whole model as `module`.
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
    """Return the network that a module of Linear layers and activations computes, and a copy of the parameters.

    Parameters
    ----------
    module : torch.nn.Sequential
        Linear layers with bias, and at most one activation after each layer except the last. The outputs of the module
        (N, D_L) for inputs X (N, D_0) are h_L. Sequentials may be nested.

        The activations and their transfer functions are:

        * no activation: identity
        * ReLU: relu
        * LeakyReLU with negative_slope 0.1: leaky_relu
        * Tanh: tanh
        * Sigmoid: logistic
        * Softplus with beta 1 and a threshold of at least 20: softplus. For h above the threshold PyTorch returns h,
          which differs from softplus(h) by less than 3e-9 at the default threshold 20.

        Modules that do not change a batch (N, D) are ignored: Identity, Flatten of all axes but the first, and Dropout
        with p = 0 or in eval mode. The shape of X is (N, D_0) even if the module begins with Flatten.
    objective : str
        The objective of the network: "squared_error", "bernoulli", "categorical" or "mixture". With h = module(X) the
        mean loss of kfgn is, in PyTorch:

        * squared_error: 0.5 * nn.MSELoss(reduction="sum")(h, Y) / N, for Y (N, D_L)
        * bernoulli: nn.BCEWithLogitsLoss(reduction="sum")(h, Y) / N, for Y (N, D_L)
        * categorical: nn.CrossEntropyLoss()(h, Y), for class indices Y (N,)
    psd : str
        The replacement of the indefinite H_L of the mixture: "project", "scalar" or "raise".

    Returns
    -------
    network : kfgn.Network
        The network.
    weights : tuple of torch.Tensor
        W_1, ..., W_L, each (D_l, D_{l-1} + 1) with the bias in the last column, in the dtype and on the device of the
        parameters. The weights are new tensors outside any autograd graph. The module is not changed.

    Raises
    ------
    TypeError
        The module contains a module of an unsupported class, or a module that overrides the computation of its outputs.
        A parameter is uninitialised, or the parameters are neither all float32 nor all float64.
    ValueError
        An activation is in a wrong place or differs from its counterpart in kfgn. A module or a parameter has a hook,
        which could change outputs or gradients. A Linear has no bias or has parametrised weights. Parameters overlap in
        memory or are on several devices. The widths of two layers do not fit, or `kfgn.Network` rejects the network.

    Notes
    -----
    Frozen parameters (requires_grad=False) are read like all other parameters.

    Examples
    --------
    >>> from torch import nn
    >>> from kfgn.interop.torch import network_and_weights
    >>> model = nn.Sequential(nn.Linear(64, 16), nn.Tanh(), nn.Linear(16, 10))
    >>> network, weights = network_and_weights(model, "categorical")
    >>> network.widths, network.transfers
    ((64, 16, 10), ('tanh',))
    >>> [tuple(W.shape) for W in weights]
    [(16, 65), (10, 17)]
    """
    leaves = _leaves(module)
    layers = _layers(leaves)
    transfers = _transfers(leaves)
    check_no_hooks(module)
    widths = (layers[0].weight.shape[1], *(layer.weight.shape[0] for layer in layers))
    network = Network.dense(widths, transfers, objective, psd)
    return network, tuple(torch.cat((weight.detach(), bias.detach()[:, None]), 1) for _, weight, bias in layers)


def write_back(module: nn.Sequential, weights: Weights) -> None:
    """Write weights into the parameters of a module, in place.

    Parameters
    ----------
    module : torch.nn.Sequential
        The module of Linear layers and activations from which `network_and_weights` made the weights. The hooks, the
        training modes and the positions of the modules are not checked.
    weights : tuple or list of torch.Tensor
        W_1, ..., W_L, each (D_l, D_{l-1} + 1) with the bias in the last column, in the dtype and on the device of the
        parameters. The values of the weights are not checked.

    Raises
    ------
    TypeError
        The module is not supported, the weights are not tensors, or the dtype of the weights is not that of the
        parameters.
    ValueError
        The layers or their parameters are not supported. The number, a shape or a device of the weights is wrong. A
        parameter is frozen (requires_grad=False), although kfgn updates every layer. A parameter was made in inference
        mode and is written outside inference mode.

    Notes
    -----
    The parameters remain the same objects in the same memory, with their `requires_grad` and `grad`. Optimisers that
    hold these parameters therefore see the new values. After an error of any kind all parameters have their old values.

    Examples
    --------
    >>> from torch import nn
    >>> from kfgn.interop.torch import network_and_weights, write_back
    >>> model = nn.Sequential(nn.Linear(2, 1))
    >>> network, (W,) = network_and_weights(model, "squared_error")
    >>> write_back(model, [0 * W + 3])
    >>> model[0].weight.tolist(), model[0].bias.tolist()
    ([[3.0, 3.0]], [3.0])
    """
    layers = _layers(_leaves(module))
    check_writable(_parameters(layers))
    _check_weights(layers, weights)
    pairs = zip(layers, weights, strict=True)
    write(pair for (_, weight, bias), W in pairs for pair in ((weight, W[:, :-1]), (bias, W[:, -1])))


_Leaves: TypeAlias = list[tuple[str, nn.Module]]
"""The modules inside nested Sequentials, in order, each with its path."""


class _Layer(NamedTuple):
    """The path, the weight (D_l, D_{l-1}) and the bias (D_l,) of a Linear."""

    path: str
    weight: torch.Tensor
    bias: torch.Tensor


def _leaves(module: nn.Sequential) -> _Leaves:
    """Return the leaves of a module, after a check that every leaf has a supported class."""
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
    for name, child in module._modules.items():  # named_children() leaves out a repeated module
        if computes_as(child, nn.Sequential):
            if id(child) in (*within, id(module)):
                raise ValueError(f"{prefix}{name}: expected a module that does not contain itself, got one that does")
            yield from _flattened(child, f"{prefix}{name}.", (*within, id(module)))
        else:
            yield prefix + name, child


def _layers(leaves: _Leaves) -> list[_Layer]:
    """Return the Linear layers, after checking that their widths fit and that they share no parameter."""
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
    """Return the weights and biases by their paths."""
    return {f"{l.path}.{name}": p for l in layers for name, p in (("weight", l.weight), ("bias", l.bias))}


def _layer(path: str, linear: nn.Linear) -> _Layer:
    # weight_norm, parametrize and prune compute .weight from parameters of other names, so that writing .weight has no
    # effect
    parameters = dict(linear.named_parameters())
    if parameters.keys() != {"weight", "bias"}:
        names = ", ".join(parameters) or "none"
        raise ValueError(f"{path}: expected the parameters weight and bias, got {names} in {described(linear)}")
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
    """Return f_1, ..., f_{L-1}. Each activation must follow a Linear, and the last layer must be a Linear."""
    transfers: list[str] = []
    end: tuple[str, nn.Module] | None = None  # an activation without a later Linear
    after_linear = False
    for path, leaf in leaves:
        if computes_as(leaf, nn.Linear):
            if after_linear:
                transfers.append("identity")
            after_linear, end = True, None
        elif (name := _transfer(path, leaf)) is not None:
            if not after_linear:
                raise ValueError(f"{path}: expected a Linear before each activation, got {described(leaf)}")
            transfers.append(name)
            after_linear, end = False, (path, leaf)
    if end is not None:
        path, leaf = end
        raise ValueError(
            f"{path}: expected a Linear at the end, since the objective is a function of its outputs, "
            f"got {described(leaf)}{advice(leaf)}"
        )
    return tuple(transfers)


def _transfer(path: str, leaf: nn.Module) -> str | None:
    """Return the name of the transfer function; None for a module that does not change a batch."""
    kind = next(kind for module, kind in KINDS.items() if computes_as(leaf, module))
    if not kind.supported(leaf):
        raise ValueError(f"{path}: expected {kind.expected}, got {described(leaf)}")
    return kind.transfer


def _check_weights(layers: list[_Layer], weights: Weights) -> None:
    """Raise `TypeError` or `ValueError` unless each layer has one tensor of its shape, dtype and device."""
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
