"""The problems that every run has: each transfer function with each objective, so that none depends on the draw.

Three layers, the first two curved or kinked, more than one datapoint and label, and sizes that are all
different primes: a transpose has no shape to fit, a wrong factor of N, S or D_l no other to pass for. The
second layer is narrower than the last, where KFLR starts anew; but for the mixture, which has three outputs.
"""

from functools import cache

from kfgn_reference import OBJECTIVES, TRANSFERS

from .dyadic import Shape, clear
from .problem import Problem

WIDTHS = (5, 7, 3, 11)
MIXTURE_WIDTHS = (5, 7, 11, 3)
DATAPOINTS = 13
LABELS = 17
SPLITS = [*((objective, "project") for objective in sorted(OBJECTIVES)), ("mixture", "scalar")]
"""Each objective, and the mixture with either matrix that may stand for its H_L."""


@cache
def cases() -> tuple[Problem, ...]:
    """One problem for each objective and transfer function of the first layer; the second layer has the next one."""
    names = sorted(TRANSFERS)
    return tuple(
        case(objective, psd, (transfer, names[(i + 1) % len(names)]))
        for objective, psd in SPLITS
        for i, transfer in enumerate(names)
    )


def case(objective: str, psd: str, transfers: tuple[str, str]) -> Problem:
    """The first of its random problems, seed by seed, that is clear of every step and whose first layer matters."""
    return clear(
        f"case-{objective}{'-scalar' if psd == 'scalar' else ''}-{transfers[0]}", shape(objective, psd, transfers)
    )


def shape(objective: str, psd: str, transfers: tuple[str, str]) -> Shape:
    """The sizes that all cases have."""
    widths = MIXTURE_WIDTHS if objective == "mixture" else WIDTHS
    return Shape(objective, widths, transfers, DATAPOINTS, LABELS, psd)
