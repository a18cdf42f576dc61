"""Fixed problems that combine each transfer function with each objective.

By default, a run has all problems of `cases`, so that no combination depends on chance. Each problem has three layers,
several datapoints and several labels. The numbers of units, datapoints and labels are distinct primes. A transposed
array therefore has the wrong shape, and an answer changes if N, S or D_l are confused. Except for the mixture, the
second layer has fewer units than the last layer, so KFLR in `kfgn` propagates the matrix G_2 to the first layer,
instead of a root of G_2. For the mixture, the second layer has more units than the last layer.
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
"""Pairs of an objective and the replacement for an indefinite H_L.

The objective "mixture" occurs twice, with the replacements "project" and "scalar". Every other objective occurs once.
"""


PAIRED = ("identity", "leaky_relu", "logistic", "relu", "softplus", "tanh")
"""The transfer functions of `cases`. The list never changes, so that the numbers of a problem never change."""

ADDED = ("elu", "gelu", "gelu_tanh", "silu")
"""The transfer functions that were added after `PAIRED`. Both hidden layers of an added case have the same function."""


@cache
def cases() -> tuple[Problem, ...]:
    """Return one problem for each pair in `SPLITS` and each function in `PAIRED` as the transfer function f_1.

    The second layer has the next transfer function in `PAIRED`. After the last function, the first function is next.
    """
    return tuple(
        case(objective, psd, (transfer, PAIRED[(i + 1) % len(PAIRED)]))
        for objective, psd in SPLITS
        for i, transfer in enumerate(PAIRED)
    )


@cache
def added_cases() -> tuple[Problem, ...]:
    """Return one problem for each pair in `SPLITS` and each transfer function in `ADDED`.

    Of the added cases, a run of `kfgn-check` contains only those of the categorical objective.
    """
    return tuple(case(objective, psd, (transfer, transfer)) for objective, psd in SPLITS for transfer in ADDED)


@cache
def case(objective: str, psd: str, transfers: tuple[str, str]) -> Problem:
    """The first random problem that is far from discontinuities and has a nonzero gradient in the first layer."""
    return clear(
        f"case-{objective}{'-scalar' if psd == 'scalar' else ''}-{transfers[0]}", shape(objective, psd, transfers)
    )


def shape(objective: str, psd: str, transfers: tuple[str, str]) -> Shape:
    """The layers, the objective and the numbers of datapoints and labels of a case."""
    widths = MIXTURE_WIDTHS if objective == "mixture" else WIDTHS
    return Shape(objective, widths, transfers, DATAPOINTS, LABELS, psd)
