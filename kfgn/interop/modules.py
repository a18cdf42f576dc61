"""The modules of PyTorch that correspond to layers, transfer functions or objectives of kfgn, and checks of modules.

Only modules of `kfgn.interop` import this module. If PyTorch is missing, `kfgn.interop.torch` raises an error that
names the package to install.
"""

from collections.abc import Callable
from typing import NamedTuple

from torch import nn

from .._network.objectives import OBJECTIVES
from .._network.transfers import LEAK, TransferName
from .._validation.scalars import checked_name
from .._words import type_of


class Kind(NamedTuple):
    """The rule that converts a class of modules without parameters to a transfer function of kfgn."""

    transfer: Callable[[nn.Module], TransferName | None]
    """A function from a module to its transfer function, or to None if the module does not change a batch (N, D)."""
    supported: Callable[[nn.Module], bool] = lambda module: True
    expected: str = ""
    """The condition that `supported` checks, in words."""
    advice: str = ""
    """The advice at the end of the error message for a module that is not supported."""


def _ignored(module: nn.Module) -> None:
    """Return None, since a module that does not change a batch has no transfer function."""


def _named(name: str) -> Callable[[nn.Module], TransferName]:
    return lambda module: name


def _with(name: str, parameter: float, default: float) -> TransferName:
    """Return the name of a transfer function for the default parameter, otherwise the pair of name and parameter."""
    return name if parameter == default else (name, parameter)


KINDS: dict[type[nn.Module], Kind] = {
    nn.Identity: Kind(_ignored),
    nn.Flatten: Kind(
        _ignored, lambda m: (m.start_dim, m.end_dim) == (1, -1), "start_dim 1 and end_dim -1, with outputs (N, D)"
    ),
    nn.Dropout: Kind(
        _ignored,
        lambda m: m.p == 0 or not m.training,
        "p 0 or eval mode, since a kfgn network uses all units",
        "; call model.eval() first; kfgn then trains without dropout",
    ),
    nn.ReLU: Kind(_named("relu")),
    nn.LeakyReLU: Kind(lambda m: _with("leaky_relu", m.negative_slope, LEAK)),
    nn.Tanh: Kind(_named("tanh")),
    nn.Sigmoid: Kind(_named("logistic")),
    nn.ELU: Kind(lambda m: _with("elu", m.alpha, 1.0)),
    nn.SiLU: Kind(_named("silu")),
    nn.GELU: Kind(lambda m: "gelu" if m.approximate == "none" else "gelu_tanh"),
    nn.Softplus: Kind(
        _named("softplus"), lambda m: m.beta == 1 and m.threshold >= 20, "beta 1 and a threshold of at least 20"
    ),
}

CONVOLUTIONS: tuple[type[nn.Module], ...] = (nn.Conv1d, nn.Conv2d)
"""The classes of modules that become a `Convolution`."""

POOLINGS: tuple[type[nn.Module], ...] = (nn.AvgPool1d, nn.AvgPool2d, nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d)
"""The classes of modules that become a `Pooling`."""

WEIGHTED: tuple[type[nn.Module], ...] = (nn.Linear, *CONVOLUTIONS)
"""The classes of supported modules that have weights."""

KNOWN: tuple[type[nn.Module], ...] = (*WEIGHTED, *POOLINGS, *KINDS)
"""The classes of all supported modules that contain no other module."""

_OBJECTIVE_OF_LOGITS: dict[type[nn.Module], str] = {
    nn.Sigmoid: "bernoulli",
    nn.Softmax: "categorical",
    nn.LogSoftmax: "categorical",
}
"""A dictionary from the class of a final activation to the objective that already contains this activation."""

_BY_HAND: dict[type[nn.Module], str] = {
    nn.LayerNorm: "make the network by hand, with kfgn.Normalisation and kfgn.ScaleShift",
    nn.Embedding: "make the network by hand, with kfgn.Embedding",
    nn.modules.batchnorm._BatchNorm: "for a model in eval mode, kfgn_conformance.functions computes exact blocks",
}
"""The remedy for a class of modules that has no conversion."""

LOSSES = (
    "up to a factor, nn.MSELoss is squared_error, nn.BCEWithLogitsLoss is bernoulli, and nn.CrossEntropyLoss is "
    "categorical"
)
"""The objectives that correspond to the losses of PyTorch, in an error message."""

_COMPUTING = {"forward", "__call__", "_call_impl", "_wrapped_call_impl", "__iter__", "__getattr__", "__getattribute__"}
"""The methods by which a module computes its outputs."""

_HOOKS = {
    "forward": ("_forward_pre_hooks", "_forward_hooks"),
    "backward": ("_backward_pre_hooks", "_backward_hooks", "_post_accumulate_grad_hooks"),
}
"""The attributes that contain the hooks of a module or a parameter.

The attributes with the prefix `_global` contain the hooks of all modules.
"""


def check_no_hooks(module: nn.Module) -> None:
    """Raise `ValueError` for hooks of a module or parameter and for global hooks, which may change results."""
    every: list[tuple[str, object]] = [*module.named_modules(), *module.named_parameters()]
    for kind, names in _HOOKS.items():
        if hooks := sum(len(getattr(nn.modules.module, f"_global{name}", None) or ()) for name in names):
            raise ValueError(f"module: expected no global {kind} hooks, since kfgn does not call them, got {hooks}")
        for path, part in every:
            if hooks := sum(len(getattr(part, name, None) or ()) for name in names):
                where = f"module.{path}".removesuffix(".")
                raise ValueError(f"{where}: expected no {kind} hooks, since kfgn does not call them, got {hooks}")


def computes_as(module: object, *kinds: type[nn.Module]) -> bool:
    """Return True if a module is an instance of one of `kinds` and overrides no method of `_COMPUTING`."""

    def inherits(kind: type[nn.Module]) -> bool:
        same = all(getattr(type(module), name, None) is getattr(kind, name, None) for name in _COMPUTING)
        return isinstance(module, kind) and same and not _COMPUTING & vars(module).keys()

    return any(inherits(kind) for kind in kinds)


def check_known(path: str, leaf: nn.Module) -> None:
    """Raise `TypeError` unless a module is of a class in `KNOWN` and has PyTorch's own forward."""
    if not computes_as(leaf, *KNOWN):
        known = ", ".join(kind.__name__ for kind in KNOWN)
        raise TypeError(
            f"{path}: expected one of {known} with PyTorch's own forward, got {described(leaf)}{advice(leaf)}"
        )


def check_objective(objective: str) -> None:
    """Raise `ValueError` for an unknown objective. The message names the losses of PyTorch and their objectives."""
    try:
        checked_name("objective", objective, tuple(OBJECTIVES))
    except ValueError as error:
        raise ValueError(f"{error}; {LOSSES}") from None


def described(module: object) -> str:
    """Return the `repr` of a module if the text has one line, and otherwise the name of its type."""
    text = repr(module) if isinstance(module, nn.Module) else type_of(module)
    return type_of(module) if "\n" in text else text


def advice(leaf: nn.Module) -> str:
    """Return the advice at the end of the error message for a module that is not supported, or "" for no advice."""
    logits = {
        kind: f"{name} expects logits: remove a final {kind.__name__}" for kind, name in _OBJECTIVE_OF_LOGITS.items()
    }
    return next((f"; {remedy}" for kind, remedy in (logits | _BY_HAND).items() if computes_as(leaf, kind)), "")


def unwrapped(module: nn.Module) -> nn.Module:
    """Return the module inside `torch.compile`, `DataParallel` and `DistributedDataParallel`, or the module itself."""
    while type(module).__module__.startswith("torch."):
        inside = (getattr(module, name, None) for name in ("_orig_mod", "module"))
        inner = next((other for other in inside if isinstance(other, nn.Module)), None)
        if inner is None:
            break
        module = inner
    return module


def has_own_forward(module: nn.Module) -> bool:
    """Return True if the class of a module has a custom forward, and no other custom method of `_COMPUTING`."""
    origins = {name: getattr(getattr(type(module), name, None), "__module__", "torch.") for name in _COMPUTING}
    others = {name for name, origin in origins.items() if not origin.startswith(("torch.", "builtins"))}
    return others == {"forward"} and not _COMPUTING & vars(module).keys()
