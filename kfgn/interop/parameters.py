"""Checks that parameters of PyTorch can be written and share no memory, and a function that writes all or none of them.

Only modules of `kfgn.interop` import this module. If PyTorch is missing, `kfgn.interop.torch` raises an error that
names the package to install.
"""

import contextlib
import itertools
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import torch

Named = Mapping[str, torch.Tensor]


class _Span(NamedTuple):
    """The device of a tensor, the addresses of its first byte and of the end of its last element, and its name."""

    device: str
    start: int
    end: int
    name: str

    def contains_start(self, later: "_Span") -> bool:
        """Return True if the tensor `later`, which does not start before this tensor, starts inside this tensor."""
        return (later.device, later.start) < (self.device, self.end)


def check_unshared(parameters: Named) -> None:
    """Raise `ValueError` unless each parameter, and each element of a parameter, has its own memory.

    kfgn updates the parameters separately.
    """
    owners: dict[int, str] = {}
    for name, parameter in parameters.items():
        if (owner := owners.setdefault(id(parameter), name)) != name:
            raise ValueError(f"{name}: expected a separate parameter, got the parameter {owner}")
        if parameter.is_meta:  # a meta tensor has no address
            continue
        if _internal_overlap(parameter):
            raise ValueError(f"{name}: expected separate memory for each element, got elements that overlap")
    spans = sorted(_span(name, p) for name, p in parameters.items() if not p.is_meta)
    order = list(parameters)
    for i, one in enumerate(spans):
        for other in itertools.takewhile(one.contains_start, spans[i + 1 :]):
            owner, name = sorted((one.name, other.name), key=order.index)
            if _overlap(parameters[owner], parameters[name]):
                raise ValueError(f"{name}: expected separate memory, got memory of {owner}")


def frozen(parameters: Named) -> str:
    """Return the name of the first parameter with requires_grad=False; an empty text if there is none."""
    return next((name for name, parameter in parameters.items() if not parameter.requires_grad), "")


def check_writable(parameters: Named) -> None:
    """Raise `ValueError` for a frozen parameter, and for a parameter made in inference mode when that mode is off."""
    if name := frozen(parameters):
        raise ValueError(f"{name}: expected requires_grad=True, got a frozen parameter")
    for name, parameter in parameters.items():
        if parameter.is_inference() and not torch.is_inference_mode_enabled():
            raise ValueError(f"{name}: expected a parameter that can be written, got an inference tensor")


def write(pairs: Iterable[tuple[torch.Tensor, torch.Tensor]]) -> None:
    """Copy the second tensor of each pair into the first tensor, of the same shape. If a copy fails, no tensor changes.

    The new values may share memory with the old values.
    """
    with torch.no_grad():
        copies = [(parameter, parameter.detach().clone(), value.detach().clone()) for parameter, value in pairs]
        try:
            for parameter, _, value in copies:
                parameter.copy_(value)
        except BaseException:
            for parameter, old, _ in copies:
                with contextlib.suppress(RuntimeError):  # a tensor that cannot be written has not changed
                    parameter.copy_(old)
            raise


def _span(name: str, x: torch.Tensor) -> _Span:
    size = x.element_size()
    last = sum((n - 1) * stride for n, stride in zip(x.shape, x.stride(), strict=True))
    start = _address(x)
    return _Span(str(x.device), start, start + (last + 1) * size, name)


def _address(x: torch.Tensor) -> int:
    """Return the address of the first element.

    A comparison of storages would not find all shared memory, since two storages may share one NumPy array.
    """
    return int(x.untyped_storage().data_ptr() + x.storage_offset() * x.element_size())


def _elements(x: torch.Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Return the address of each element."""
    places = np.asarray(_address(x))
    for n, stride in zip(x.shape, x.stride(), strict=True):
        places = places[..., None] + stride * x.element_size() * np.arange(n)
    return places.ravel()


def _internal_overlap(x: torch.Tensor) -> bool:
    """Return True if two elements have the same address, as in an expanded tensor."""
    reached = 0
    for stride, n in sorted(zip(x.stride(), x.shape, strict=True)):
        if n > 1:
            if stride <= reached:
                return len(np.unique(_elements(x))) < int(x.numel())
            reached += (n - 1) * stride
    return False


def _overlap(x: torch.Tensor, y: torch.Tensor) -> bool:
    """Return True if two tensors of the same dtype have an element in common."""
    return bool(np.isin(_elements(x), _elements(y)).any())
