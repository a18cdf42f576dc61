"""Curvlinops: the Kronecker factors of its KFAC operator, without the gradient."""

from curvlinops import KFACLinearOperator

from ..autograd import loss_module, module, targets
from ..batch import Batch
from ..timing import Call


def call(b: Batch, fisher_type: str) -> Call:
    """A call that makes an operator and computes its factors."""
    model, loss, Y = module(b), loss_module(b), targets(b)
    parameters = list(model.parameters())

    def factors() -> None:
        operator = KFACLinearOperator(
            model,
            loss,
            parameters,
            [(b.X, Y)],
            fisher_type=fisher_type,
            separate_weight_and_bias=False,
            check_deterministic=False,
        )
        operator.compute_kronecker_factors()

    return b.library.waiting(factors)


WORKS = {"KFLR": lambda b: call(b, "type-2"), "KFAC, 1 sample": lambda b: call(b, "mc")}
