"""The modules of PyTorch that are layers and transfer functions of kfgn, and the checks that they compute the same.

Imported by `kfgn.interop.torch`, whose error names the package to install if PyTorch is missing.
"""

from collections.abc import Callable
from typing import NamedTuple

from torch import nn

from .._network.transfers import LEAK
from .._words import type_of


class Kind(NamedTuple):
    """The reading of a module without parameters."""

    transfer: str | None
    """The transfer function; None for a module that does nothing to a batch (N, D)."""
    taken: Callable[[nn.Module], bool] = lambda module: True
    expected: str = ""
    """The condition of `taken`, in words."""


KINDS: dict[type[nn.Module], Kind] = {
    nn.Identity: Kind(None),
    nn.Flatten: Kind(
        None, lambda m: (m.start_dim, m.end_dim) == (1, -1), "start_dim 1 and end_dim -1, as a batch is (N, D)"
    ),
    nn.Dropout: Kind(
        None, lambda m: m.p == 0 or not m.training, "p 0 or eval mode, as a kfgn network has all its units"
    ),
    nn.ReLU: Kind("relu"),
    nn.LeakyReLU: Kind("leaky_relu", lambda m: m.negative_slope == LEAK, f"negative_slope {LEAK}, that of leaky_relu"),
    nn.Tanh: Kind("tanh"),
    nn.Sigmoid: Kind("logistic"),
    nn.Softplus: Kind("softplus", lambda m: m.beta == 1 and m.threshold >= 20, "beta 1 and a threshold from 20"),
}

_TAKES_LOGITS: dict[type[nn.Module], str] = {
    nn.Sigmoid: "bernoulli",
    nn.Softmax: "categorical",
    nn.LogSoftmax: "categorical",
}
"""The objectives that contain a final activation themselves."""

_COMPUTING = {"forward", "__call__", "_call_impl", "_wrapped_call_impl", "__iter__", "__getattr__", "__getattribute__"}
"""The methods through which a module computes its outputs."""

_HOOKS = {
    "forward": ("_forward_pre_hooks", "_forward_hooks"),
    "backward": ("_backward_pre_hooks", "_backward_hooks", "_post_accumulate_grad_hooks"),
}
"""The attributes in which PyTorch keeps the hooks of a module or a parameter; with `_global`, of all modules."""


def check_no_hooks(module: nn.Module) -> None:
    """`ValueError` for a hook that changes outputs or gradients: of all modules, of a module, or of a parameter."""
    every: list[tuple[str, object]] = [*module.named_modules(), *module.named_parameters()]
    for kind, names in _HOOKS.items():
        if hooks := sum(len(getattr(nn.modules.module, f"_global{name}", None) or ()) for name in names):
            raise ValueError(
                f"module: expected no {kind} hooks of all modules, as kfgn does not call them, got {hooks}"
            )
        for path, part in every:
            if hooks := sum(len(getattr(part, name, None) or ()) for name in names):
                where = path or "module"
                raise ValueError(f"{where}: expected no {kind} hooks, as kfgn does not call them, got {hooks}")


def computes_as(module: object, kind: type[nn.Module]) -> bool:
    """True if a module computes as its kind does: a subclass does, unless it overrides a method of the computation."""
    if not isinstance(module, kind):
        return False
    same = all(getattr(type(module), name, None) is getattr(kind, name, None) for name in _COMPUTING)
    return same and not _COMPUTING & vars(module).keys()


def described(module: object) -> str:
    """The module as PyTorch prints it if that is one line, and else its type."""
    text = repr(module) if isinstance(module, nn.Module) else type_of(module)
    return type_of(module) if "\n" in text else text


def advice(leaf: nn.Module) -> str:
    """Advice on a final activation that belongs to an objective."""
    found = (
        f"; {name} takes logits: leave out a final {kind.__name__}"
        for kind, name in _TAKES_LOGITS.items()
        if computes_as(leaf, kind)
    )
    return next(found, unwrapped(leaf))


def unwrapped(module: object) -> str:
    """Advice on a module that wraps another one, as `torch.compile` and `DataParallel` do."""
    inside = [name for name in ("_orig_mod", "module") if isinstance(getattr(module, name, None), nn.Module)]
    return f"; give the module that it wraps, its .{inside[0]}" if inside else ""
