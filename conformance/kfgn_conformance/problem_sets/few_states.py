"""The restriction of an oracle to a few states of an optimiser trajectory."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TypeVar

from ..oracle import Oracle, Value
from ..problems.problem import Checkpoint
from ..quantities.steps import trajectory_of

T = TypeVar("T")

PERIOD = 5
"""The period of the steps that adapt tau. Some of these steps also adapt gamma."""

ADAPTING = (5, 40)
"""A step that adapts tau alone, and a step that adapts tau and gamma."""


def is_kept(here: Checkpoint) -> bool:
    """Return True for the first two states, and for the states before a step that adapts tau or gamma.

    The first step starts the moving averages, and the second step is the first step that updates an average. A
    trajectory of EKFAC has no state before the first step, which computes bases.
    """
    return here.t < 2 or (here.t + 1) % PERIOD == 0


def is_kept_for_calls(here: Checkpoint) -> bool:
    """Return True for the first two states, and for the states before the two steps `ADAPTING`.

    The steps from all these states together make every call of a library that any step makes.
    """
    return here.t < 2 or here.t + 1 in ADAPTING


def with_few_states(whole: Oracle, kept: Callable[[Checkpoint], bool] = is_kept) -> Oracle:
    """Return the part of the oracle `whole` for the states for which `kept` is True.

    The value and the tolerances at these states are not computed again, but come from `whole`.
    """
    return _FewStates(whole, kept)


class _FewStates(Oracle):
    """The part of an oracle for the states that are kept. Each state has the same number of arrays."""

    def __init__(self, whole: Oracle, kept: Callable[[Checkpoint], bool]) -> None:
        trajectory = trajectory_of(whole.problem)
        self._whole, self._kept = whole, [kept(here) for here in trajectory.checkpoints]
        checkpoints = tuple(self._of_kept(trajectory.checkpoints))
        problem = replace(whole.problem, trajectory=trajectory._replace(checkpoints=checkpoints))
        super().__init__(problem, whole.quantity)

    @cached_property
    def value(self) -> Value:
        """The reference's value at the states that are kept."""
        arrays, scales, sizes, integer = self._whole.value
        return Value(tuple(self._of_kept(arrays)), tuple(self._of_kept(scales)), tuple(self._of_kept(sizes)), integer)

    @cached_property
    def changes(self) -> tuple[float, ...]:
        """The term d of the tolerance rule, computed with unit roundoff 2^-24, for each array at the kept states."""
        return tuple(self._of_kept(self._whole.changes))

    def _of_kept(self, items: Sequence[T]) -> list[T]:
        """Return the items that belong to the states that are kept.

        items: a sequence with the same number of items for each state
        """
        each = len(items) // len(self._kept)
        return [item for i, item in enumerate(items) if self._kept[i // each]]
