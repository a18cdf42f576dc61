"""The records `Convolution` and `Pooling` from modules of PyTorch, with checks of their options.

Only modules of `kfgn.interop` import this module. If PyTorch is missing, `kfgn.interop.torch` raises an error that
names the package to install.
"""

from collections.abc import Sequence
from typing import Any

from torch import nn

from .._network.convolution import Convolution
from .._network.pooling import Pooling
from .modules import described


def convolution(path: str, module: Any) -> Convolution:
    """Return the record of a Conv1d or Conv2d. Raises `ValueError` for a padding mode that kfgn does not have."""
    if module.padding_mode not in ("zeros", "circular"):
        raise ValueError(f"{path}: expected the padding mode zeros or circular, got {module.padding_mode!r}")
    return Convolution(  # PyTorch computes with the shape of the weight, and not with out_channels and kernel_size
        module.weight.shape[0],
        _per_axis(module.weight.shape[2:]),
        bias=module.bias is not None,
        stride=_per_axis(module.stride),
        padding=_per_axis(_ends(module)),
        circular=module.padding_mode == "circular",
        dilation=_per_axis(module.dilation),
        groups=module.groups,
    )


def pooling(path: str, module: Any, lengths: Sequence[int]) -> Pooling:
    """Return the record of an average pooling.

    lengths: the number of positions of the inputs along each axis

    Raises `ValueError` for options that kfgn does not have.
    """
    axes = len(lengths)
    if isinstance(module, (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d)):
        if _numbers(module.output_size, axes) != (1,) * axes:
            raise ValueError(f"{path}: expected the output size 1, got {described(module)}")
        return Pooling(_per_axis(lengths), _per_axis(lengths), "mean")
    if module.ceil_mode or any(_numbers(module.padding, axes)):
        raise ValueError(f"{path}: expected no padding and ceil_mode=False, got {described(module)}")
    if getattr(module, "divisor_override", None) is not None:
        raise ValueError(f"{path}: expected divisor_override=None, got {module.divisor_override}")
    return Pooling(_per_axis(_numbers(module.kernel_size, axes)), _per_axis(_numbers(module.stride, axes)), "mean")


def _ends(module: Any) -> tuple[tuple[int, int], ...]:
    """For each axis, the numbers of positions that are added at its two ends."""
    if module.padding == "valid":
        return ((0, 0),) * len(module.kernel_size)
    if module.padding == "same":
        added = [d * (k - 1) for d, k in zip(module.dilation, module.kernel_size, strict=True)]
        return tuple((total // 2, total - total // 2) for total in added)
    return tuple((n, n) for n in module.padding)


def _numbers(value: int | Sequence[int], axes: int) -> tuple[int, ...]:
    """The numbers of the axes, from a sequence with one number per axis or from one number for all axes."""
    return (value,) * axes if isinstance(value, int) else tuple(value)


def _per_axis(values: Sequence[Any]) -> Any:
    """The value of the only axis, or the values of two axes."""
    return values[0] if len(values) == 1 else tuple(values)
