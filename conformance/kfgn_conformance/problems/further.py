"""Further small problems for a function that supports only some transfer functions or objectives.

Such a function supports only a few of the fixed problems. The further problems have the transfer functions and
objectives of these few problems, in networks of several shapes and with several sizes of batches.
"""

from collections.abc import Iterator, Sequence
from itertools import islice

from .cases import SPLITS
from .dyadic import Shape, clear
from .fixed import objective_name, outputs
from .layers import Transfer
from .problem import Problem

ENOUGH = 20
"""The number of supported problems below which further problems are added."""

INPUTS = 5
HIDDEN = ((7, 3), (3, 3), (7, 2, 7), (3,), (7, 11), (1,), (2, 7, 2, 5))
"""The numbers of units of the hidden layers."""

BATCHES = ((6, 5), (2, 3), (9, 2))
"""Pairs of the number of datapoints and the number of labels per datapoint."""


def further(supported: Sequence[Problem]) -> list[Problem]:
    """Return further problems, whose number is `ENOUGH` minus the number of supported problems.

    The list is empty if the function already supports enough problems, or supports no problem with a hidden layer.

    supported: the problems that the function supports
    """
    names = list(dict.fromkeys(f for problem in supported for f in problem.transfers))
    objectives = {(problem.objective, problem.psd) for problem in supported}
    splits = [split for split in SPLITS if split in objectives]
    if not names:
        return []
    shapes = islice(_shapes(splits, names), max(0, ENOUGH - len(supported)))
    return [clear(name, shape) for name, shape in shapes]


def _shapes(splits: Sequence[tuple[str, str]], transfers: Sequence[Transfer]) -> Iterator[tuple[str, Shape]]:
    """Yield the ids and the shapes of further problems, whose hidden layers have the transfer functions in turn."""
    start = 0
    for N, S in BATCHES:
        for hidden in HIDDEN:
            for objective, psd in splits:
                layers = tuple(transfers[(start + i) % len(transfers)] for i in range(len(hidden)))
                name = f"further-{'-'.join(map(str, hidden))}-{N}-{objective_name(objective, psd)}"
                yield name, Shape(objective, (INPUTS, *hidden, outputs(objective)), layers, N, S, psd)
                start += 1
