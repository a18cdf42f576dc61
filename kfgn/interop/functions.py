"""The functions and methods of PyTorch that compute the same as a supported module or a final activation.

Only modules of `kfgn.interop` import this module. The error of `kfgn.interop.torch` for a missing PyTorch names the
package to install.
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
"""For each name of a function or method, a maker of the equal module from the arguments after the input."""

FUNCTIONS = {getattr(of, n, None) for of in (torch, F) for name in MODULES for n in (name, f"{name}_")} - {None}
"""All functions of PyTorch with a name of `MODULES`, including the functions in place."""
