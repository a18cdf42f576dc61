"""The search, by derivatives, for the places of a PyTorch tensor's entries in theta, the vector of all parameters."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from .uses import Array


def places(tensor: Any, parameters: Sequence[Any], probes: Sequence[Any]) -> Array | None:
    """The place in theta of each entry of a tensor, or None unless the entries are different entries of theta.

    The derivative of sum_i c_i tensor_i with respect to theta has c_i at the place of entry i. The numbers 1, 2, ... as
    c find the places, and random numbers confirm them. A probe is a tensor of zeros that was added to a product. If the
    tensor depends on a probe, it was computed from activations, and the result is None.
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
    """The derivative of the sum of codes times entries with respect to theta, or None if the sum depends on a probe."""
    code = torch.as_tensor(codes, dtype=torch.float64).reshape(tensor.shape)
    inputs = [*parameters, *probes]
    found = torch.autograd.grad(tensor, inputs, code, retain_graph=True, allow_unused=True)
    if any(part is not None for part in found[len(parameters) :]):
        return None
    return np.asarray(flat(found[: len(parameters)], parameters))


def flat(parts: Sequence[Any], like: Sequence[Any]) -> Any:
    """Derivatives with respect to tensors as one vector, with zeros for each derivative that is None."""
    filled = [torch.zeros_like(p) if part is None else part for part, p in zip(parts, like, strict=True)]
    return torch.cat([part.reshape(-1) for part in filled])
