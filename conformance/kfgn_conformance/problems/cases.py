"""The problems of every run that combine each transfer function with each objective, so that none depends on chance.

Each problem has three layers, several datapoints and several labels. All sizes are distinct primes, so a transposed
array has the wrong shape, and a wrong factor of N, S or D_l cannot be mistaken for another. The second layer is
narrower than the last, where KFLR restarts its recursion; the mixture is the exception, since it has three outputs.
"""

from functools import cache

from kfgn_reference import OBJECTIVES

from .dyadic import Shape, clear
from .problem import Problem

WIDTHS = (5, 7, 3, 11)
MIXTURE_WIDTHS = (5, 7, 11, 3)
DATAPOINTS = 13
LABELS = 17
SPLITS = [*((objective, "project") for objective in sorted(OBJECTIVES)), ("mixture", "scalar")]
"""Each objective with the replacement for an indefinite H_L; the mixture has two of them."""


PAIRED = ("identity", "leaky_relu", "logistic", "relu", "softplus", "tanh")
"""The transfer functions of the cases, where the second layer has the next one. The list never changes, since an id
keeps its numbers."""


ADDED = ("elu", "gelu", "gelu_tanh", "silu")
"""The transfer functions that were added later. Both hidden layers of their cases have the same one."""


@cache
def cases() -> tuple[Problem, ...]:
    """One problem per objective and transfer function of the first layer; the second layer has the next function."""
    return tuple(
        case(objective, psd, (transfer, PAIRED[(i + 1) % len(PAIRED)]))
        for objective, psd in SPLITS
        for i, transfer in enumerate(PAIRED)
    )


@cache
def added_cases() -> tuple[Problem, ...]:
    """One problem per objective and transfer function of `ADDED`. `check` has those of the categorical objective."""
    return tuple(case(objective, psd, (transfer, transfer)) for objective, psd in SPLITS for transfer in ADDED)


def case(objective: str, psd: str, transfers: tuple[str, str]) -> Problem:
    """The first random problem far from every discontinuity whose first layer has a gradient."""
    return clear(
        f"case-{objective}{'-scalar' if psd == 'scalar' else ''}-{transfers[0]}", shape(objective, psd, transfers)
    )


def shape(objective: str, psd: str, transfers: tuple[str, str]) -> Shape:
    """The shape of a case."""
    widths = MIXTURE_WIDTHS if objective == "mixture" else WIDTHS
    return Shape(objective, widths, transfers, DATAPOINTS, LABELS, psd)
