"""The record of the products with parameters in a run of a PyTorch model.

During the run, a probe, which is a tensor of zeros, is added to the result of each product. The derivative of the
outputs with respect to a probe is the derivative with respect to the pre-activations. theta is the vector of all
parameters.
"""

from collections import Counter
from collections.abc import Sequence
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from .torch_places import places
from .torch_products import PRODUCTS, Product
from .uses import Array

OPENED = (functional.multi_head_attention_forward,)
"""The functions of PyTorch, written in Python, whose inner calls are recorded too."""

SUMS = (torch.add, torch.Tensor.add, torch.Tensor.__add__, torch.Tensor.__radd__)
"""The functions that may add a bias to a product."""


class Seen(NamedTuple):
    """A product with its probe, and with the places in theta of its matrix, (O, I), and of its bias, (O,) or None."""

    product: Product
    probe: Any
    W: Array
    b: Array | None


class Sum(NamedTuple):
    """A sum of a product and other terms.

    The derivative of the outputs with respect to the sum is equal to the derivative with respect to the product, if
    none of the tensors from the product to the tensor before the sum is used elsewhere.

    tensor:  the sum, which the record keeps so that no other tensor gets its identity
    numbers: the indices of the products in the record
    earlier: the identities of the tensors from the product to the tensor before the sum
    """

    tensor: Any
    numbers: tuple[int, ...]
    earlier: tuple[int, ...]


class Recorder(TorchFunctionMode):  # type: ignore[misc]
    """A mode of PyTorch that records the products with parameters while it is active.

    Products come from calls of the functions in `PRODUCTS`. One call can give several products, such as one for each
    group of a convolution. Calls inside a transform of `torch.func`, such as `torch.vmap`, are not recorded.
    """

    def __init__(self, parameters: Sequence[Any]) -> None:
        super().__init__()
        self.parameters, self._seen = list(parameters), list[Seen]()
        self._sums, self._reads = dict[int, Sum](), Counter[int]()
        self._biases: list[tuple[Sum, Array]] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call the function, and add a probe to the result if it is a product with parameters."""
        kwargs = kwargs or {}
        if func in OPENED:
            with self:
                return opened(func)(*args, **kwargs)
        if getattr(func, "__name__", "") != "__get__":  # __get__ reads an attribute such as the shape
            self._reads.update(identities((*args, *kwargs.values())))
        h = func(*args, **kwargs)
        check_precision(func, h)
        if func in PRODUCTS and not inside_vmap():
            return self._with_probe(h, list(PRODUCTS[func](h, *args, **kwargs)))
        if func in SUMS and not kwargs:
            self._add(h, *args)
        return h

    @property
    def seen(self) -> list[Seen]:
        """The products in their order, with the biases that were added to their results."""
        found = list(self._seen)
        for sum_, where in self._biases:
            for number in sum_.numbers if all(self._reads[one] == 1 for one in sum_.earlier) else ():
                seen = found[number]
                rows = np.asarray(seen.product.positions(torch.from_numpy(where)))
                if seen.b is None and (rows == rows[:1]).all() and len(np.unique(rows[0])) == rows.shape[1]:
                    found[number] = seen._replace(b=rows[0])
        return found

    def _with_probe(self, h: Any, products: list[Product]) -> Any:
        """The result h, plus a probe if the matrix of one of its products consists of parameters."""
        probe, probes = torch.zeros_like(h, requires_grad=True), [seen.probe for seen in self._seen]
        start = len(self._seen)
        for product in products:
            W, b = (places(one, self.parameters, probes) for one in (product.W, product.b))
            if W is not None:
                self._seen.append(Seen(product, probe, W, b))
        numbers = tuple(range(start, len(self._seen)))
        if not numbers:
            return h
        h = h + probe
        self._sums[id(h)] = Sum(h, numbers, ())
        return h

    def _add(self, h: Any, first: Any, second: Any) -> None:
        """Record the sum h if one of its terms is a product. Parameters in the other term may be the bias."""
        for one, other in ((first, second), (second, first)):
            if id(one) in self._sums and one.shape == h.shape:
                below = self._sums[id(one)]
                found = Sum(h, below.numbers, (*below.earlier, id(one)))
                self._sums[id(h)] = found
                where = places(other, self.parameters, [seen.probe for seen in self._seen])
                if where is not None:
                    self._biases.append((found, np.broadcast_to(where, h.shape).copy()))
                return


def inside_vmap() -> bool:
    """True inside a transform of `torch.func`, such as `torch.vmap`.

    `torch.vmap` hides the values of tensors, so that no product can be recorded.
    """
    return torch._C._functorch.peek_interpreter_stack() is not None


def identities(arguments: Any) -> list[int]:
    """The identities of all tensors in nested arguments."""
    found: list[int] = []
    for one in arguments:
        if isinstance(one, tuple | list):
            found += identities(one)
        elif torch.is_tensor(one):
            found.append(id(one))
    return found


def check_precision(func: Any, h: Any) -> None:
    """Raise `ValueError` if a result that depends on the parameters has fewer digits than float64."""
    if torch.is_tensor(h) and h.requires_grad and h.is_floating_point() and h.dtype != torch.float64:
        name = getattr(func, "__name__", str(func))
        raise ValueError(f"model: expected float64 in every operation, got {h.dtype} from {name}")


def opened(func: FunctionType) -> FunctionType:
    """A copy of a function of PyTorch that runs the statements of the function, so that the mode sees the inner calls.

    The function itself would first ask whether a mode is active, and then call the mode again. In the copy, the answer
    is always False.
    """
    asks = ("has_torch_function", "has_torch_function_unary", "has_torch_function_variadic")
    names = func.__globals__ | dict.fromkeys(asks, lambda *_: False)
    copy = FunctionType(func.__code__, names, func.__name__, func.__defaults__, func.__closure__)
    copy.__kwdefaults__ = func.__kwdefaults__
    return copy
