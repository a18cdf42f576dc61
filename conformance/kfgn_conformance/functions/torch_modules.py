"""A module of PyTorch, linearised by PyTorch's automatic differentiation in float64 on the CPU."""

import copy
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from .linearised import Linearised, Sample, check_independent, check_outputs, datapoints
from .outputs import (
    OutputDerivatives,
    by_derivatives,
    by_name,
    check_loss,
    labels_of,
    objective as of_name,
    positions_of,
)
from .parameters import Parameters
from .torch_places import flat
from .torch_recorder import Recorder, Seen
from .uses import Array, Use


def linearise(model: Any, X: Any, Y: Any, objective: str | Callable[..., Any], divisor: int | Fraction) -> Linearised:
    """Linearise a module. A copy of the module is used, so the module itself is never changed."""
    module = Module(model, X)
    parameters = module.parameters_by_name()
    outputs = module.checked_outputs()
    loss = losses(outputs, Y, objective, divisor)
    samples = [module.sample(n, loss(n)) for n in range(len(outputs))]
    return Linearised(parameters, samples, module.second)


def losses(outputs: Any, Y: Any, objective: Any, divisor: int | Fraction) -> Callable[[int], OutputDerivatives]:
    """The loss of datapoint n and its derivatives, as a function of n."""
    labels = tensor(Y)
    check_loss(labels, len(outputs), divisor)
    if not callable(objective):
        h, net = outputs.numpy(), of_name(objective, divisor)
        y = labels_of(net, h, np.asarray(labels))
        return lambda n: by_name(net, h[n], y[n])

    def loss(n: int) -> OutputDerivatives:
        h = outputs[n].clone().requires_grad_()
        value = objective(h, labels[n]) / float(divisor)
        gradient = flat(derivatives(value, [h], create_graph=True), [h])
        hessian = rows_of_derivatives(gradient, [h])
        return by_derivatives(value.detach(), gradient.detach().numpy(), hessian.numpy())

    return loss


class Module:
    """A copy of a module in float64 on the CPU, with the inputs. theta is the vector of all parameters."""

    def __init__(self, model: Any, X: Any) -> None:
        if not isinstance(model, torch.nn.Module):
            raise TypeError(f"model: expected a torch.nn.Module, got {type(model).__name__}")
        self.model = copy.deepcopy(model).cpu().double()
        self.named = {name: p.requires_grad_() for name, p in self.model.named_parameters() if p.is_floating_point()}
        self.parameters = list(self.named.values())
        self.X = tuple(tensor(x) for x in (X if isinstance(X, tuple) else (X,)))

    def parameters_by_name(self) -> Parameters:
        """The values of the parameters, and the further names of those that several modules share."""
        first = {id(value): name for name, value in self.named.items()}
        every = self.model.named_parameters(remove_duplicate=False)
        tied = {name: first[id(value)] for name, value in every if id(value) in first}
        return Parameters({name: value.detach().numpy() for name, value in self.named.items()}, tied)

    def outputs(self, rows: slice) -> Any:
        """The outputs of some datapoints. Attention is computed by operations that have second derivatives."""
        with sdpa_kernel(SDPBackend.MATH):
            h = self.model(*(x[rows] for x in self.X))
        kind = h.dtype if torch.is_tensor(h) else type(h).__name__
        if kind != torch.float64:
            raise ValueError(f"model: expected a tensor of torch.float64 as outputs, got {kind}")
        return h

    def checked_outputs(self) -> Any:
        """The outputs of all datapoints, (N, ..., O), after all checks."""
        N = datapoints(self.X)
        with torch.no_grad():
            together, again = self.outputs(slice(N)), self.outputs(slice(N))
            check_outputs(together.numpy(), N)
            try:
                alone = [self.outputs(slice(n, n + 1)).numpy() for n in range(N)]
            except ValueError as error:
                raise ValueError(f"model: expected outputs for one datapoint alone, got: {error}{self.hint}") from error
        check_independent(together.numpy(), again.numpy(), alone, self.hint)
        return together

    @property
    def hint(self) -> str:
        """The part of an error message that names the batch normalisation and the dropout in training mode."""
        kinds = torch.nn.modules.batchnorm._BatchNorm, torch.nn.modules.dropout._DropoutNd
        found = [name for name, m in self.model.named_modules() if isinstance(m, kinds) and m.training]
        return f". In training mode: {', '.join(found)}. Call model.eval() first" if found else ""

    def sample(self, n: int, loss: OutputDerivatives) -> Sample:
        """Datapoint n with the Jacobian of its outputs and the uses of the parameters.

        The Jacobian is that of the module itself, so that the check of the uses compares two computations.
        """
        rows = slice(n, n + 1)
        h = self.outputs(rows)
        J = rows_of_derivatives(h.reshape(-1), self.parameters).numpy()
        return Sample(positions_of(h.detach().numpy())[0], J, self.uses(rows), loss)

    def uses(self, rows: slice) -> list[Use]:
        """The uses of the parameters for one datapoint."""
        with Recorder(self.parameters) as recorder:
            h = self.outputs(rows)
        seen = recorder.seen
        found = [derivatives(one, [product.probe for product in seen]) for one in h.reshape(-1).unbind()]
        return [use(product, parts) for product, parts in zip(seen, zip(*found, strict=True), strict=True)]

    def second(self, n: int, g: Array, rows: Array, columns: Array) -> Array:
        """The Hessian of g^T h_n in theta, at these rows and columns, with the outputs h_n of datapoint n."""
        h = self.outputs(slice(n, n + 1)).reshape(-1)
        first = derivatives(h @ torch.as_tensor(g), self.parameters, create_graph=True)
        found = rows_of_derivatives(flat(first, self.parameters)[torch.as_tensor(rows)], self.parameters)
        return np.asarray(found)[:, columns]


def use(seen: Seen, parts: tuple[Any, ...]) -> Use:
    """The `Use` of a recorded product.

    parts: the derivative of each of the K outputs with respect to the probe, the array of zeros that `Recorder` adds to
           the result of the product; None for an output that does not depend on the product
    """
    a = seen.product.a.detach()
    entries = seen.W
    if seen.b is not None:
        a = torch.cat([a, torch.ones_like(a[:, :1])], dim=1)
        entries = np.concatenate([entries, seen.b[:, None]], axis=1)
    rows = [seen.product.positions(torch.zeros_like(seen.probe) if part is None else part) for part in parts]
    return Use(entries, a.numpy(), torch.stack(rows).numpy())


def rows_of_derivatives(values: Any, inputs: list[Any]) -> Any:
    """The derivatives of each value with respect to all inputs, one row for each value."""
    return torch.stack([flat(derivatives(value, inputs), inputs) for value in values.unbind()]).detach()


def derivatives(value: Any, inputs: list[Any], *, create_graph: bool = False) -> Any:
    """The derivative of a value with respect to each input, or None for an input that does not influence the value."""
    if not inputs or not value.requires_grad:
        return (None,) * len(inputs)
    return torch.autograd.grad(value, inputs, retain_graph=True, create_graph=create_graph, allow_unused=True)


def tensor(x: Any) -> Any:
    """x as a tensor on the CPU, of float64 if x has a floating-point dtype."""
    found = torch.as_tensor(x).detach().cpu()
    return found.double() if found.is_floating_point() else found
