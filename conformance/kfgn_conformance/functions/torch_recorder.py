"""A record of the products of a PyTorch model with its parameters, which adds a probe of zeros to each result.

The derivative of the outputs with respect to a probe is that with respect to the pre-activations.
"""

from collections.abc import Sequence
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from .torch_products import PRODUCTS, Product
from .uses import Array

OPENED = (functional.multi_head_attention_forward,)
"""Functions in Python whose own calls are seen."""


class Seen(NamedTuple):
    """A product with the places in theta of its matrix (O, I), and its probe."""

    entries: Array
    product: Product
    has_bias: bool
    probe: Any


class Recorder(TorchFunctionMode):  # type: ignore[misc]
    """While the mode is active, each product with parameters is in `seen`."""

    def __init__(self, parameters: Sequence[Any]) -> None:
        super().__init__()
        self.parameters, self.seen = list(parameters), list[Seen]()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call the function, and add a probe to the result if it is a product with parameters."""
        kwargs = kwargs or {}
        if func in OPENED:
            with self:
                return opened(func)(*args, **kwargs)
        h = func(*args, **kwargs)
        check_precision(func, h)
        if func not in PRODUCTS:
            return h
        probe = torch.zeros_like(h, requires_grad=True)
        found = [self._seen(product, probe) for product in PRODUCTS[func](h, *args, **kwargs)]
        kept = [seen for seen in found if seen is not None]
        self.seen += kept
        return h + probe if kept else h

    def _seen(self, product: Product, probe: Any) -> Seen | None:
        probes = [seen.probe for seen in self.seen]
        W = places(product.W, self.parameters, probes)
        if W is None:
            return None
        b = None if product.b is None else places(product.b, self.parameters, probes)
        entries = W if b is None else np.concatenate([W, b[:, None]], axis=1)
        return Seen(entries, product, b is not None, probe)


def check_precision(func: Any, h: Any) -> None:
    """Raise `ValueError` if a result that depends on the parameters has fewer digits than float64."""
    if torch.is_tensor(h) and h.requires_grad and h.is_floating_point() and h.dtype != torch.float64:
        name = getattr(func, "__name__", str(func))
        raise ValueError(f"model: expected float64 in every operation, got {h.dtype} from {name}")


def opened(func: FunctionType) -> FunctionType:
    """A copy of a function of PyTorch that runs its statements, where the function itself would ask the mode again."""
    asks = ("has_torch_function", "has_torch_function_unary", "has_torch_function_variadic")
    names = func.__globals__ | dict.fromkeys(asks, lambda *_: False)
    copy = FunctionType(func.__code__, names, func.__name__, func.__defaults__, func.__closure__)
    copy.__kwdefaults__ = func.__kwdefaults__
    return copy


def places(tensor: Any, parameters: Sequence[Any], probes: Sequence[Any]) -> Array | None:
    """The place in theta of each entry of a tensor, or None if an entry is not a different entry of the parameters.

    The derivative of sum_i c_i tensor_i with respect to theta has c_i at the place of entry i. The numbers 1, 2, ... as
    c find the places, and random numbers confirm them. A tensor that depends on a probe was computed from activations.
    """
    if not torch.is_tensor(tensor) or not tensor.requires_grad:
        return None
    count = tensor.numel()
    numbers = np.arange(1, count + 1)
    found = coded(tensor, parameters, probes, numbers)
    if found is None or not np.array_equal(np.sort(found[found != 0]), numbers):
        return None
    order = np.flatnonzero(found)
    result = np.empty(count, dtype=np.intp)
    result[found[order].astype(np.intp) - 1] = order
    codes = np.random.default_rng(0).uniform(size=count)
    confirmed = coded(tensor, parameters, probes, codes)
    return result.reshape(tensor.shape) if confirmed is not None and np.array_equal(confirmed[result], codes) else None


def coded(tensor: Any, parameters: Sequence[Any], probes: Sequence[Any], codes: Array) -> Array | None:
    """The derivative of the sum of codes times entries with respect to theta, or None if it depends on a probe."""
    code = torch.as_tensor(codes, dtype=torch.float64).reshape(tensor.shape)
    inputs = [*parameters, *probes]
    found = torch.autograd.grad(tensor, inputs, code, retain_graph=True, allow_unused=True)
    if any(part is not None for part in found[len(parameters) :]):
        return None
    return np.asarray(flat(found[: len(parameters)], parameters))


def flat(parts: Sequence[Any], like: Sequence[Any]) -> Any:
    """Derivatives with respect to tensors as one vector, with zeros for those that are None."""
    filled = [torch.zeros_like(p) if part is None else part for part, p in zip(parts, like, strict=True)]
    return torch.cat([part.reshape(-1) for part in filled])
