"""Adapter of torch.func: quantities that are computed by the derivatives that define them."""

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
    """The negative logarithm of the probability in equation (27), per datapoint, (N,), computed by log-sum-exp."""
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
"""The loss E per datapoint, (N,), by objective."""


class _Functions:
    """Outputs and losses of a problem, as functions of the weights and of terms added to the pre-activations."""

    def __init__(self, problem: Problem, dtype: str) -> None:
        self.problem = problem
        self.W = tuple(tensor(W, dtype) for W in problem.weights)
        self.V = tuple(tensor(V, dtype) for V in problem.arguments.direction)
        self.U = tensor(problem.arguments.cotangents, dtype)
        self.X, self.Y, self.labels = (tensor(x, dtype) for x in (problem.X, problem.Y, problem.labels))
        self.activations = [ACTIVATIONS[name]() for name in transfer_names(problem)]
        self.no_offsets = tuple(torch.zeros(problem.N, len(W), dtype=self.X.dtype) for W in self.W)

    def outputs(self, W: Tensors, offsets: Tensors | None = None) -> torch.Tensor:
        """The outputs h_L (N, D_L)."""
        a = self.X
        for l, (W_l, offset) in enumerate(zip(W, offsets or self.no_offsets, strict=True)):
            h = a @ W_l[:, :-1].T + W_l[:, -1] + offset
            a = self.activations[l](h) if l < len(self.activations) else h
        return a

    def losses(self, h: torch.Tensor, Y: torch.Tensor | None = None) -> torch.Tensor:
        """The loss E per datapoint, (N,)."""
        return LOSSES[self.problem.objective](h, self.Y if Y is None else Y)

    def loss(self, W: Tensors) -> torch.Tensor:
        """The mean loss over the batch."""
        return self.losses(self.outputs(W)).mean()

    def output_hessians(self) -> torch.Tensor:
        """H_L (N, D_L, D_L), for objectives that are convex in h_L."""
        if self.problem.objective == "mixture":
            raise UnsupportedError("no Gauss-Newton matrix for an indefinite H_L")
        H = hessian(lambda h: self.losses(h).sum())(self.outputs(self.W))
        return torch.stack([H[n, :, n] for n in range(len(H))])

    def with_layer(self, l: int, W_l: torch.Tensor) -> Tensors:
        """The weights of all layers, with W_l instead of the weights of layer l."""
        return (*self.W[:l], W_l, *self.W[l + 1 :])

    def with_offset(self, l: int, offset: torch.Tensor) -> Tensors:
        """Offsets for the pre-activations of every layer: `offset` in layer l, and 0 in the other layers."""
        return (*self.no_offsets[:l], offset, *self.no_offsets[l + 1 :])

    def per_layer(self, f: Callable[[int], torch.Tensor]) -> Tensors:
        """f(l) for each layer l."""
        return tuple(f(l) for l in range(len(self.W)))

    def hessian_block(self, l: int) -> torch.Tensor:
        """The block of the Hessian for layer l, a matrix (D P, D P) over the stacked rows of W_l (D, P)."""
        n = self.W[l].numel()
        return hessian(lambda W_l: self.loss(self.with_layer(l, W_l)))(self.W[l]).reshape(n, n)

    def gauss_newton_block(self, l: int) -> torch.Tensor:
        """The mean of J^T H_L J, (D P, D P).

        J is the Jacobian of h_L with respect to the stacked rows of W_l (D, P).
        """
        J = jacrev(lambda W_l: self.outputs(self.with_layer(l, W_l)))(self.W[l])
        J = J.reshape(*J.shape[:2], -1)
        return torch.einsum("nip,nij,njq->pq", J, self.output_hessians(), J) / len(J)

    def preactivation_hessian(self, l: int) -> torch.Tensor:
        """The Hessian of E with respect to h_l per datapoint, (N, D_l, D_l)."""
        H = hessian(lambda o: self.losses(self.outputs(self.W, self.with_offset(l, o))).sum())(self.no_offsets[l])
        return torch.stack([H[n, :, n] for n in range(len(H))])

    def preactivation_gauss_newton(self, l: int) -> torch.Tensor:
        """J^T H_L J per datapoint, (N, D_l, D_l), where J is the Jacobian of h_L with respect to h_l."""
        J = jacrev(lambda o: self.outputs(self.W, self.with_offset(l, o)))(self.no_offsets[l])
        J = torch.stack([J[n, :, n] for n in range(len(J))])
        return torch.einsum("nip,nij,njq->npq", J, self.output_hessians(), J)

    def kfac(self, l: int) -> torch.Tensor:
        """G_l of KFAC by equation (59), at the sampled labels of the problem."""
        S = self.labels.shape[1]
        total = torch.zeros(len(self.W[l]), len(self.W[l]), dtype=self.X.dtype)
        for s in range(S):
            Y = self.labels[:, s]
            d = grad(lambda o, Y=Y: self.losses(self.outputs(self.W, self.with_offset(l, o)), Y).sum())(
                self.no_offsets[l]
            )
            total = total + d.T @ d
        return total / (len(self.X) * S)

    def gauss_newton_product(self, V: Tensors) -> Tensors:
        """The product of the Gauss-Newton matrix and V: the mean over the datapoints of J_n^T H_L J_n V.

        J_n is the Jacobian of h_L at datapoint n with respect to the weights.
        """
        v = jvp(self.outputs, (self.W,), (V,))[1]
        return self.transposed_jacobian_product((self.output_hessians() @ v[:, :, None])[:, :, 0])

    def transposed_jacobian_product(self, U: torch.Tensor) -> Tensors:
        """The mean over the datapoints of J_n^T u_n, where u_n is row n of U.

        J_n is the Jacobian of h_L at datapoint n with respect to the weights.
        """
        product: Tensors = vjp(self.outputs, self.W)[1](U / len(U))[0]
        return product

    def hessian_product(self, V: Tensors) -> Tensors:
        """The product of the Hessian and V, by forward over reverse differentiation."""
        product: Tensors = jvp(grad(self.loss), (self.W,), (V,))[1]
        return product

    def block_product(self, product: Callable[[Tensors], Tensors]) -> Tensors:
        """The product of the diagonal blocks and V.

        For each layer l, V is replaced by 0 in all other layers. The product with this V gives layer l of the result.
        """

        def of(l: int) -> torch.Tensor:
            return product(tuple(V if m == l else torch.zeros_like(V) for m, V in enumerate(self.V)))[l]

        return self.per_layer(of)


COMPUTE: dict[str, Callable[[_Functions], Any]] = {
    "loss": lambda f: (f.loss(f.W),),
    "gradient": lambda f: grad(f.loss)(f.W),
    "preactivation_hessians": lambda f: f.per_layer(f.preactivation_hessian),
    "hessian_blocks": lambda f: f.per_layer(f.hessian_block),
    "preactivation_gauss_newton": lambda f: f.per_layer(f.preactivation_gauss_newton),
    "gauss_newton_blocks": lambda f: f.per_layer(f.gauss_newton_block),
    "kflr": lambda f: f.per_layer(lambda l: f.preactivation_gauss_newton(l).mean(0)),
    "kfac": lambda f: f.per_layer(f.kfac),
    "jacobian_product": lambda f: (jvp(f.outputs, (f.W,), (f.V,))[1],),
    "transposed_jacobian_product": lambda f: f.transposed_jacobian_product(f.U),
    "gauss_newton_product": lambda f: f.gauss_newton_product(f.V),
    "gauss_newton_block_product": lambda f: f.block_product(f.gauss_newton_product),
    "hessian_product": lambda f: f.hessian_product(f.V),
    "hessian_block_product": lambda f: f.block_product(f.hessian_product),
}


class TorchFunc:
    """Adapter of torch.func, for small problems only, because many quantities are computed from whole matrices."""

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype

    def describe(self) -> Description:
        """The kit's conventions, except that the rows of the weights are stacked."""
        conventions = Conventions(stacking="rows")
        return Description("torch.func", f"torch {torch.__version__}", self.dtype, frozenset(COMPUTE), {}, conventions)

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """Compute the quantity by the derivatives that define it."""
        if problem.parameters > 1000:
            raise UnsupportedError("no problems of more than 1000 weights, because whole matrices are formed")
        return arrays(COMPUTE[quantity](_Functions(problem, self.dtype)))
