"""The adapter of the batched implementation."""

import numpy as np
from kfgn_conformance.adapters import Description, UnsupportedError
from kfgn_conformance.problems.cases import PAIRED

from .optimiser import Optimiser

QUANTITIES = (
    *("loss", "gradient", "q", "kflr", "kfra", "kfac", "kfra_blocks", "labels"),
    *("gauss_newton_product", "hessian_product", "solve_trace", "optimiser_step"),
)


class Batched(Optimiser):
    """Answers by name of quantity. asked: the quantities that are offered, of which a mistake needs a few."""

    asked = QUANTITIES

    def describe(self):
        return Description(type(self).__name__, "1", self.dtype, frozenset(self.asked))

    def compute(self, problem, quantity):
        if set(problem.transfers) - set(PAIRED) or not all(layer.bias for layer in problem.layers):
            raise UnsupportedError("only six transfer functions, and layers with a bias")
        with np.errstate(all="ignore"):
            return tuple(np.asarray(a) for a in self.answer(problem, quantity))

    def answer(self, problem, quantity):
        if quantity == "optimiser_step":
            if problem.trajectory.method in ("hessian_free", "hessian_free_blocks"):
                raise UnsupportedError("only methods that have factors")
            return self.steps(problem)
        b = self.batch(problem)
        if quantity == "kfac":
            return self.kfac(b, self.real(problem.labels))
        if quantity == "labels":
            return [self.sampled(problem, self.passes(b).h, self.real(problem.draws))]
        if quantity == "kfra_blocks":
            return [np.kron(Q, G) for Q, G in zip(self.q(b), self.kfra(b), strict=True)]
        if quantity.endswith("_product"):
            return getattr(self, quantity)(b, tuple(map(self.real, problem.arguments.direction)))
        if quantity == "solve_trace":
            return self.solved(b, problem.arguments)
        return getattr(self, quantity)(b)

    def solved(self, b, arguments):
        k = self.real(arguments.gamma) + self.real(arguments.eta)
        V = map(self.real, arguments.direction)
        return [self.solve(Q, G, V, k, "trace") for Q, G, V in zip(self.q(b), self.kfra(b), V, strict=True)]
