"""Functions and methods of PyTorch that `kfgn.interop.chain` replaces by modules, and these modules.

Only modules of `kfgn.interop` import this module. If PyTorch is missing, `kfgn.interop.torch` raises an error that
names the package to install.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812  (the customary name)

_Make = Callable[..., nn.Module]


def _dropout(p: float = 0.5, training: bool = True, inplace: bool = False) -> nn.Module:
    return nn.Dropout(p, inplace).train(training)


def _flatten(start_dim: int = 0, end_dim: int = -1) -> nn.Module:
    return nn.Flatten(start_dim, end_dim)


def _softmax(dim: int | None = None, **_: Any) -> nn.Module:
    return nn.Softmax(dim)


def _log_softmax(dim: int | None = None, **_: Any) -> nn.Module:
    return nn.LogSoftmax(dim)


def _without_options(kind: type[nn.Module]) -> _Make:
    return lambda inplace=False: kind()


MODULES: dict[str, _Make] = {
    "relu": _without_options(nn.ReLU),
    "tanh": _without_options(nn.Tanh),
    "sigmoid": _without_options(nn.Sigmoid),
    "silu": _without_options(nn.SiLU),
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "softplus": nn.Softplus,
    "dropout": _dropout,
    "flatten": _flatten,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "contiguous": _without_options(nn.Identity),
}
"""A dictionary from the name of a function or method to a function that makes the equivalent module.

The function that makes the module takes the arguments that follow the input in the replaced call.
"""

FUNCTIONS = {getattr(of, n, None) for of in (torch, F) for name in MODULES for n in (name, f"{name}_")} - {None}
"""The functions of PyTorch with a name in `MODULES`, and the variants that operate in place, such as `relu_`."""
