"""An implementation that takes part in a run."""

from collections.abc import Callable
from dataclasses import dataclass, field

from .adapters import Adapter, Description
from .adapters.conventions import compared
from .problem_sets.selection import EVERYTHING, Selection
from .problems.problem import Problem
from .quantities import Quantity
from .results import Column


@dataclass(frozen=True)
class Implementation:
    """An adapter with its description, or the reason why the adapter is not usable.

    name:        the name in the head of the column; if it is empty, the name in the description replaces it
    adapter:     the adapter, or None if the implementation is not usable
    reason:      the reason why the implementation is not usable
    twice:       True to ask each question (one quantity on one problem) again after a right answer, except on a large
                 problem; used for adapters that are given by name, as in `kfgn-check --adapter`
    short:       True to repeat questions in other orders on at most one problem without shared weights, and at most
                 one problem with shared weights; used for kfgn's backends except NumPy
    compiles:    True if the implementation compiles programs. One process then runs a whole group of quantities, and
                 reuses the compiled programs.
    selection:   the problems on which the implementation is run
    description: the description, read once from the adapter; None without an adapter
    """

    name: str
    adapter: Adapter | None = None
    reason: str = ""
    twice: bool = False
    short: bool = False
    compiles: bool = False
    selection: Selection = EVERYTHING
    description: Description | None = field(init=False)

    def __post_init__(self) -> None:
        description = self.adapter.describe() if self.adapter else None
        object.__setattr__(self, "description", description)
        if description and not self.name:
            object.__setattr__(self, "name", description.name)

    @property
    def column(self) -> Column:
        """The column of the implementation in a report."""
        return Column(self.name, self.description, self.reason, self.selection.sentence, self.compiles)

    @property
    def opened(self) -> tuple[Adapter, Description]:
        """The adapter and its description. Raises `ValueError` for an implementation that is not usable."""
        if self.adapter is None or self.description is None:
            raise ValueError(f"{self.name}: expected a usable implementation: {self.reason}")
        return self.adapter, self.description

    def compared(self, quantity: Quantity) -> Quantity:
        """Return the part of a quantity that can be compared, given the conventions of the implementation."""
        return compared(quantity, self.description.conventions) if self.description else quantity

    def is_run_on(self, problem: Problem, quantity: Quantity) -> bool:
        """Return True if the selection contains the quantity on the problem, in the dtype of the implementation."""
        dtype = self.description.dtype if self.description else "float64"
        return self.selection.contains(problem, quantity, dtype)

    def restart(self) -> bool:
        """Close the adapter, if it has a function `close`, so that its next answer depends on no earlier question.

        Return True if the adapter has this function, and otherwise False.
        """
        close: Callable[[], object] | None = getattr(self.adapter, "close", None)
        if close is not None:
            close()
        return close is not None
