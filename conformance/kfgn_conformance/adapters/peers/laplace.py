"""Adapter of laplace-torch: solves and log determinants with damped Kronecker blocks, by the class `Kron`.

laplace-torch has no KFRA, so the adapter computes KFRA's Kronecker factors, which the blocks need.
"""

from collections.abc import Callable
from importlib.metadata import version

import torch
from laplace.utils import Kron
from torch.func import grad

from ...problems.problem import Array, Problem
from .. import Conventions, Description, UnsupportedError
from . import transfer_names
from .modules import ACTIVATIONS, arrays, tensor

SHARED = {"solve_trace": True, "logdet_trace": True, "solve_exact": False, "logdet_exact": False}
"""The argument `damping` of `Kron.decompose`, by quantity: True damps each factor, and False damps the product."""

OUTPUT_HESSIANS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "squared_error": lambda h: torch.eye(h.shape[1], dtype=h.dtype),
    "bernoulli": lambda h: torch.diag((h.sigmoid() * (-h).sigmoid()).mean(0)),
    "categorical": lambda h: torch.diag(h.softmax(1).mean(0)) - h.softmax(1).T @ h.softmax(1) / len(h),
}
"""The mean of H_L over the N datapoints, (D_L, D_L), as a function of the outputs h_L (N, D_L), by objective."""


class Laplace:
    """Adapter of laplace-torch, for inverses and log determinants of damped Kronecker blocks.

    If each factor is damped, laplace-torch adds the same damping to Q and to G. The adapter therefore first divides Q
    by omega and multiplies G by omega. Equation (38) with the trace norm gives omega. If the result is zero or not
    finite, omega is 1 instead.
    """

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype

    def describe(self) -> Description:
        """The kit's conventions, except that the rows of the weights are stacked."""
        return Description(
            "laplace",
            f"laplace-torch {version('laplace-torch')} on torch {torch.__version__}",
            self.dtype,
            frozenset(SHARED),
            conventions=Conventions(stacking="rows"),
        )

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """Compute the quantity one layer at a time, because laplace-torch adds the log determinants of all layers."""
        shared = SHARED[quantity]
        k = tensor(problem.arguments.gamma + problem.arguments.eta, self.dtype)
        answers = []
        for (Q, G), V in zip(_factors(problem, self.dtype), problem.arguments.direction, strict=True):
            if shared:
                omega = torch.sqrt(Q.diagonal().mean() / G.diagonal().mean())
                omega = omega if omega.isfinite() and omega > 0 else torch.ones_like(omega)
                Q, G = Q / omega, G * omega
            damped = Kron([[G, Q]]).decompose(damping=shared) + k
            if quantity.startswith("logdet"):
                answers.append(damped.logdet())
            else:
                answers.append(damped.bmm(tensor(V, self.dtype).reshape(1, -1), exponent=-1).reshape(V.shape))
        return arrays(answers)


def _factors(problem: Problem, dtype: str) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Q (P, P) and KFRA's G (D, D), by equation (26), per layer with weights (D, P)."""
    if problem.objective not in OUTPUT_HESSIANS:
        raise UnsupportedError(f"no Kronecker factors for the {problem.objective} objective")
    weights = [tensor(W, dtype) for W in problem.weights]
    activations = [ACTIVATIONS[name]() for name in transfer_names(problem)]
    a, Q, derivatives = tensor(problem.X, dtype), [], []
    for l, W in enumerate(weights):
        a = torch.cat([a, torch.ones(problem.N, 1, dtype=a.dtype)], dim=1)
        Q.append(a.T @ a / problem.N)
        h = a @ W.T
        if l < len(activations):
            derivatives.append(grad(lambda h, f=activations[l]: f(h).sum())(h))
            a = activations[l](h)
    G = [OUTPUT_HESSIANS[problem.objective](h)]
    for W, s in zip(weights[:0:-1], reversed(derivatives), strict=True):
        G.insert(0, (W[:, :-1].T @ G[0] @ W[:, :-1]) * (s.T @ s / problem.N))
    return list(zip(Q, G, strict=True))
