"""torch.func: everything that derivatives alone define, by brute force."""

from collections.abc import Callable
from typing import Any

import torch
from torch.func import grad, hessian, jacrev, jvp, vjp
from torch.nn import functional

from ...problems.problem import Array, Problem
from .. import Conventions, Description, UnsupportedError
from . import transfer_names
from .modules import ACTIVATIONS, arrays, tensor

Tensors = tuple[torch.Tensor, ...]


def mixture(h: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """-log of (27), by log-sum-exp."""
    t = 2.0 * y.to(h.dtype) - 1
    first = functional.logsigmoid(h[:, 0]) + functional.logsigmoid(t * h[:, 1])
    second = functional.logsigmoid(-h[:, 0]) + functional.logsigmoid(t * h[:, 2])
    return -torch.logsumexp(torch.stack([first, second]), 0)  # the second derivative of logaddexp is NaN


LOSSES: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "squared_error": lambda h, y: ((h - y) ** 2).sum(1) / 2,
    "bernoulli": lambda h, y: functional.binary_cross_entropy_with_logits(h, y, reduction="none").sum(1),
    "categorical": lambda h, y: functional.cross_entropy(h, y, reduction="none"),
    "mixture": mixture,
}
"""E of each datapoint, (N,)."""


class _Functions:
    """A problem as functions of its weights, and of offsets added to its pre-activations."""

    def __init__(self, problem: Problem, dtype: str) -> None:
        self.problem = problem
        self.W = tuple(tensor(W, dtype) for W in problem.weights)
        self.V = tuple(tensor(V, dtype) for V in problem.arguments.direction)
        self.U = tensor(problem.arguments.cotangents, dtype)
        self.X, self.Y, self.labels = (tensor(x, dtype) for x in (problem.X, problem.Y, problem.labels))
        self.units = [ACTIVATIONS[name]() for name in transfer_names(problem)]
        self.none = tuple(torch.zeros(problem.N, len(W), dtype=self.X.dtype) for W in self.W)

    def outputs(self, W: Tensors, offsets: Tensors | None = None) -> torch.Tensor:
        """h_L (N, D_L)."""
        a = self.X
        for l, (W_l, offset) in enumerate(zip(W, offsets or self.none, strict=True)):
            h = a @ W_l[:, :-1].T + W_l[:, -1] + offset
            a = self.units[l](h) if l < len(self.units) else h
        return a

    def losses(self, h: torch.Tensor, Y: torch.Tensor | None = None) -> torch.Tensor:
        """E of each datapoint."""
        return LOSSES[self.problem.objective](h, self.Y if Y is None else Y)

    def loss(self, W: Tensors) -> torch.Tensor:
        """The mean."""
        return self.losses(self.outputs(W)).mean()

    def output_hessians(self) -> torch.Tensor:
        """H_L (N, D_L, D_L), for objectives that are convex in h_L."""
        if self.problem.objective == "mixture":
            raise UnsupportedError("has no Gauss-Newton matrix for an indefinite H_L")
        H = hessian(lambda h: self.losses(h).sum())(self.outputs(self.W))
        return torch.stack([H[n, :, n] for n in range(len(H))])

    def with_layer(self, l: int, W_l: torch.Tensor) -> Tensors:
        """The weights, layer l replaced."""
        return (*self.W[:l], W_l, *self.W[l + 1 :])

    def with_offset(self, l: int, offset: torch.Tensor) -> Tensors:
        """Offsets at layer l alone."""
        return (*self.none[:l], offset, *self.none[l + 1 :])

    def of_layers(self, f: Callable[[int], torch.Tensor]) -> Tensors:
        """f of each layer."""
        return tuple(f(l) for l in range(len(self.W)))

    def hessian_block(self, l: int) -> torch.Tensor:
        """(D P, D P), row by row."""
        n = self.W[l].numel()
        return hessian(lambda W_l: self.loss(self.with_layer(l, W_l)))(self.W[l]).reshape(n, n)

    def gauss_newton_block(self, l: int) -> torch.Tensor:
        """The mean of J^T H_L J, row by row."""
        J = jacrev(lambda W_l: self.outputs(self.with_layer(l, W_l)))(self.W[l])
        J = J.reshape(*J.shape[:2], -1)
        return torch.einsum("nip,nij,njq->pq", J, self.output_hessians(), J) / len(J)

    def preactivation_hessian(self, l: int) -> torch.Tensor:
        """(N, D_l, D_l)."""
        H = hessian(lambda o: self.losses(self.outputs(self.W, self.with_offset(l, o))).sum())(self.none[l])
        return torch.stack([H[n, :, n] for n in range(len(H))])

    def preactivation_gauss_newton(self, l: int) -> torch.Tensor:
        """(N, D_l, D_l)."""
        J = jacrev(lambda o: self.outputs(self.W, self.with_offset(l, o)))(self.none[l])
        J = torch.stack([J[n, :, n] for n in range(len(J))])
        return torch.einsum("nip,nij,njq->npq", J, self.output_hessians(), J)

    def sampled(self, l: int) -> torch.Tensor:
        """(59) at the labels of the problem."""
        S = self.labels.shape[1]
        total = torch.zeros(len(self.W[l]), len(self.W[l]), dtype=self.X.dtype)
        for s in range(S):
            at = self.labels[:, s]
            d = grad(lambda o, at=at: self.losses(self.outputs(self.W, self.with_offset(l, o)), at).sum())(self.none[l])
            total = total + d.T @ d
        return total / (len(self.X) * S)

    def gauss_newton_product(self, V: Tensors) -> Tensors:
        """E[J^T H_L J] V."""
        v = jvp(self.outputs, (self.W,), (V,))[1]
        return self.pulled((self.output_hessians() @ v[:, :, None])[:, :, 0])

    def pulled(self, U: torch.Tensor) -> Tensors:
        """1/N sum_n J_n^T u_n."""
        product: Tensors = vjp(self.outputs, self.W)[1](U / len(U))[0]
        return product

    def hessian_product(self, V: Tensors) -> Tensors:
        """Forward over reverse."""
        product: Tensors = jvp(grad(self.loss), (self.W,), (V,))[1]
        return product

    def alone(self, product: Callable[[Tensors], Tensors]) -> Tensors:
        """The part of layer l of the product with V_l alone."""

        def of(l: int) -> torch.Tensor:
            return product(tuple(V if m == l else torch.zeros_like(V) for m, V in enumerate(self.V)))[l]

        return self.of_layers(of)


COMPUTE: dict[str, Callable[[_Functions], Any]] = {
    "loss": lambda f: (f.loss(f.W),),
    "gradient": lambda f: grad(f.loss)(f.W),
    "preactivation_hessians": lambda f: f.of_layers(f.preactivation_hessian),
    "hessian_blocks": lambda f: f.of_layers(f.hessian_block),
    "preactivation_gauss_newton": lambda f: f.of_layers(f.preactivation_gauss_newton),
    "gauss_newton_blocks": lambda f: f.of_layers(f.gauss_newton_block),
    "kflr": lambda f: f.of_layers(lambda l: f.preactivation_gauss_newton(l).mean(0)),
    "kfac": lambda f: f.of_layers(f.sampled),
    "jacobian_product": lambda f: (jvp(f.outputs, (f.W,), (f.V,))[1],),
    "transposed_jacobian_product": lambda f: f.pulled(f.U),
    "gauss_newton_product": lambda f: f.gauss_newton_product(f.V),
    "gauss_newton_block_product": lambda f: f.alone(f.gauss_newton_product),
    "hessian_product": lambda f: f.hessian_product(f.V),
    "hessian_block_product": lambda f: f.alone(f.hessian_product),
}


class TorchFunc:
    """Nothing but automatic differentiation."""

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype

    def describe(self) -> Description:
        """Blocks row by row, and else the kit's."""
        conventions = Conventions(stacking="rows")
        return Description("torch.func", f"torch {torch.__version__}", self.dtype, frozenset(COMPUTE), {}, conventions)

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """By the derivatives that define it; small problems only."""
        if problem.parameters > 1000:
            raise UnsupportedError("forms every matrix, and so is asked on small problems alone")
        return arrays(COMPUTE[quantity](_Functions(problem, self.dtype)))
