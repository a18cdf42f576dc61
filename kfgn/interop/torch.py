"""Conversion of a module of PyTorch to a network and weights of kfgn, and of weights back into the module.

    model = nn.Sequential(nn.Linear(64, 16), nn.Tanh(), nn.Linear(16, 10))
    network, weights = network_and_weights(model, "categorical")
    loss, gradient, Q, G = kfgn.kflr(network, weights, X, Y)
    write_back(model, [W - 0.1 * g for W, g in zip(weights, gradient)])

In error messages, the name of the whole model is `module`. The name of a module inside the model is `module.` followed
by the name of this module in `model.named_modules()`, for example `module.encoder.2`.
"""

import warnings
from collections.abc import Iterator

from .._network.fields import checked_inputs
from .._network.network import Network
from .._types import Weights

try:
    import torch
    from torch import nn
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(f"{error.name} is not installed: pip install 'kfgn[torch]'", name=error.name) from error

from .chain import chain
from .layers import Leaves, check_weights, checked_layers, parameters_of
from .modules import (
    CONVOLUTIONS,
    POOLINGS,
    check_known,
    check_no_hooks,
    check_objective,
    computes_as,
    described,
    has_own_forward,
    unwrapped,
)
from .parameters import check_writable, frozen, write
from .records import records

__all__ = ["network_and_weights", "write_back"]


def network_and_weights(
    module: nn.Module, objective: str, psd: str = "project", inputs: tuple[int, ...] | None = None
) -> tuple[Network, tuple[torch.Tensor, ...]]:
    """Return the network that a module of PyTorch computes, and a copy of the parameters.

    Parameters
    ----------
    module : torch.nn.Module
        An nn.Sequential, or a module whose forward applies layers one after the other. Such a forward may call
        submodules, functions such as `F.relu` and `torch.tanh`, and `flatten` or `view`. The layers are Linear layers
        with or without a bias, and at most one activation after each Linear except the last. The outputs of the module
        (N, D_L) are h_L, for inputs X (N, D_0), or (N, *inputs) with convolutions or pooling. Modules may be nested,
        and may be wrapped by `torch.compile`, `DataParallel` or `DistributedDataParallel`.

        The module may begin with layers with positions, followed by a Flatten and then the Linear layers. The layers
        with positions are Conv1d and Conv2d with zeros or circular padding, AvgPool1d and AvgPool2d without padding,
        ceil_mode or divisor_override, and AdaptiveAvgPool1d and AdaptiveAvgPool2d with the output size 1. A
        convolution may have one activation directly after it.

        The activations and their transfer functions are:

        * no activation: identity
        * ReLU: relu
        * LeakyReLU: leaky_relu with its negative_slope
        * Tanh: tanh
        * Sigmoid: logistic
        * ELU: elu with its alpha
        * SiLU: silu
        * GELU: gelu, or gelu_tanh with approximate="tanh"
        * Softplus with beta 1 and a threshold of at least 20: softplus. For h above the threshold PyTorch returns h,
          which differs from softplus(h) by less than 3e-9 at the default threshold 20.

        Modules that do not change a batch (N, D) are ignored: Identity, Dropout with p = 0 or in eval mode, and Flatten
        of all axes but the first. Only a Flatten directly after layers with positions becomes a layer. Without layers
        with positions, the shape of X is (N, D_0), even if the module begins with Flatten.
    objective : str
        The objective of the network: "squared_error", "bernoulli", "categorical" or "mixture". With h = module(X) the
        mean loss of kfgn is, in PyTorch:

        * squared_error: 0.5 * nn.MSELoss(reduction="sum")(h, Y) / N, for Y (N, D_L). The default nn.MSELoss()
          has no factor 1/2 and divides by N D_L instead of N, and is therefore 2 / D_L times this loss.
        * bernoulli: nn.BCEWithLogitsLoss(reduction="sum")(h, Y) / N, for Y (N, D_L)
        * categorical: nn.CrossEntropyLoss()(h, Y), for class indices Y (N,)
        * mixture: PyTorch has no such loss
    psd : str
        The choice of the PSD matrix that replaces the indefinite H_L of the mixture: "project" for the nearest PSD
        matrix, "scalar" for dE/dh_L dE/dh_L^T, or "raise" for an error in functions that need a Gauss-Newton matrix.
    inputs : tuple of int, optional
        The shape (C, T) or (C, H, W) of a datapoint, if the module has convolutions or pooling.

    Returns
    -------
    network : kfgn.Network
        The network.
    weights : tuple of torch.Tensor
        W_1, ..., W_L, each (D_l, D_{l-1} + 1) with the bias in the last column, or (D_l, D_{l-1}) for a Linear without
        a bias, in the dtype and on the device of the parameters. For a convolution, D_{l-1} is the number of entries
        of a patch. The weights are new tensors, detached from all autograd graphs. The module is not changed. In a row
        of W_l the channels of a position are next to each other. For a convolution, and for the Linear after a Flatten
        of positions, this order is not that of PyTorch.

    Raises
    ------
    TypeError
        The module contains a module of an unsupported class, or a module that overrides the computation of its outputs
        by a method other than `forward`. A parameter is uninitialised, or the parameters are neither all float32 nor
        all float64. A forward is not a chain of layers. Such a forward, for example, adds or joins values, takes two
        inputs, or depends on data. The error message for such a forward names the file and the line, if the error has a
        line in the user's code.
    ValueError
        An activation is in a wrong place. A module has options that kfgn does not support, such as a Dropout in
        training mode. A module or a parameter has a hook, or PyTorch has a global hook. A hook could change outputs or
        gradients. A forward uses a layer twice, or reshapes a batch (N, D) to a different D. A layer has parametrised
        weights. Parameters overlap in memory or are on several devices. The widths of two layers do not fit, or
        `kfgn.Network` rejects the network. No layer has weights, or a module contains itself. `inputs` is missing for a
        module with convolutions or pooling, is given for any other module, or does not fit the layers.

    Warns
    -----
    UserWarning
        A parameter is frozen (requires_grad=False). The parameter is read, but the optimisers of kfgn change every
        weight, and `write_back` raises an error for a frozen parameter.

    Notes
    -----
    `torch.fx` traces a forward that is not PyTorch's own. The tracer calls the forward once, without data. If a module
    is wrapped, errors use the names of the modules inside the wrapper.

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

    A convolutional network for images of 8 x 8 pixels:

    >>> model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(36, 10))
    >>> network, weights = network_and_weights(model, "categorical", inputs=(1, 8, 8))
    >>> network.shapes
    ((1, 8, 8), (4, 6, 6), (4, 3, 3), (36,), (10,))
    """
    leaves = _leaves(module)
    layers = checked_layers(leaves)
    shape = _checked_shape(leaves, inputs)
    found = records(leaves, shape)
    check_no_hooks(module)
    check_objective(objective)
    network = Network(layers[0].patch[0] if shape is None else shape, found, objective, psd)
    if name := frozen(parameters_of(layers)):
        message = f"{name}: expected requires_grad=True for write_back, got a frozen parameter"
        warnings.warn(message, UserWarning, stacklevel=2)
    return network, tuple(layer.joined() for layer in layers)


def write_back(module: nn.Module, weights: Weights) -> None:
    """Write weights into the parameters of a module, in place.

    Parameters
    ----------
    module : torch.nn.Module
        The module from which `network_and_weights` made the weights. Hooks, training modes, and the order of layers
        and activations are not checked.
    weights : tuple or list of torch.Tensor
        W_1, ..., W_L, each (D_l, D_{l-1} + 1) with the bias in the last column, or (D_l, D_{l-1}) for a Linear without
        a bias, in the dtype and on the device of the parameters. For a convolution, D_{l-1} is the number of entries
        of a patch. The values of the weights are not checked.

    Raises
    ------
    TypeError
        The module is not supported, the weights are not a tuple or list of tensors, or the dtype of the weights is not
        that of the parameters.
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
    layers = checked_layers(_leaves(module))
    check_writable(parameters_of(layers))
    check_weights(layers, weights)
    pairs = zip(layers, weights, strict=True)
    write(pair for layer, W in pairs for pair in layer.split(W))


def _checked_shape(leaves: Leaves, inputs: object) -> tuple[int, ...] | None:
    """Return the shape of a datapoint; None for a module without convolutions and pooling, whose inputs are vectors."""
    path, first = next(((p, leaf) for p, leaf in leaves if computes_as(leaf, *CONVOLUTIONS, *POOLINGS)), ("", None))
    if first is None:
        if inputs is not None:
            raise ValueError(f"inputs: expected None for a module without convolutions and pooling, got {inputs!r}")
        return None
    expected = f"the shape (C, T) or (C, H, W) of a datapoint, since {path} is {described(first)}"
    if not isinstance(inputs, (tuple, list)):
        raise ValueError(f"inputs: expected {expected}, got {inputs!r}")
    shape: tuple[int, ...] = checked_inputs(inputs)
    return shape


def _leaves(module: nn.Module) -> Leaves:
    """Return the modules that a model applies one after the other, after a check of their classes."""
    module = unwrapped(module) if isinstance(module, nn.Module) else module
    if not (computes_as(module, nn.Sequential) or (isinstance(module, nn.Module) and has_own_forward(module))):
        raise TypeError(
            "module: expected an nn.Sequential with PyTorch's own forward, or an nn.Module with a forward that applies "
            f"supported layers, got {described(module)}"
        )
    leaves = list(_flattened(module, "module."))
    for path, leaf in leaves:
        check_known(path, leaf)
    return leaves


def _flattened(module: nn.Module, prefix: str, within: tuple[int, ...] = ()) -> Iterator[tuple[str, nn.Module]]:
    """Enter Sequentials and custom forwards, also nested ones, and yield each module that they apply, with its name."""
    within = (*within, id(module))
    sequential = computes_as(module, nn.Sequential)
    # named_children() leaves out a repeated module
    children = list(module._modules.items()) if sequential else chain(module, prefix)
    for name, child in children:
        path, inner = f"{prefix}{name}" if sequential else name, unwrapped(child) if child is not None else child
        if computes_as(inner, nn.Sequential) or (inner is not None and has_own_forward(inner)):
            if id(inner) in within:
                raise ValueError(f"{path}: expected a module that does not contain itself, got one that does")
            yield from _flattened(inner, f"{path}.", within)
        else:
            yield path, inner
