"""The cells of the table, and its columns."""

from dataclasses import dataclass
from typing import NamedTuple

from .adapters import Adapter, Description
from .diagnosis import Diagnosis
from .expected import Expected
from .verdicts import BAD, UNASKED, Status, Verdict, severity


@dataclass(frozen=True)
class Column:
    """An adapter, or the reason why there is none: a column that says so, not a silence.

    foreign: whether it is asked every question twice, as one that the kit does not know
    short:   whether the questions in several orders are on one problem alone, as for a library that compiles
    """

    name: str
    adapter: Adapter | None = None
    reason: str = ""
    foreign: bool = False
    short: bool = False

    @property
    def description(self) -> Description | None:
        """What the adapter says of itself; None without one."""
        return self.adapter.describe() if self.adapter else None

    @property
    def title(self) -> str:
        """The name, with the dtype where there is one."""
        return f"{self.name} {self.description.dtype}" if self.description else self.name


@dataclass(frozen=True)
class Cell:
    """What an adapter's answers for one quantity come to: the worst of them, why it is wrong, and if that is known.

    verdicts: one for each problem of the row
    again:    what became wrong when the questions were asked again in other orders
    """

    verdicts: tuple[Verdict, ...]
    diagnosis: Diagnosis | None = None
    expected: tuple[Expected, ...] = ()
    again: tuple[Verdict, ...] = ()

    @property
    def every(self) -> tuple[Verdict, ...]:
        """All verdicts."""
        return (*self.verdicts, *self.again)

    @property
    def known(self) -> bool:
        """Whether there is something wrong, and all of it is expected."""
        return self.status in BAD and all(
            any(failure.explains(verdict) for failure in self.expected)
            for verdict in self.every
            if verdict.status in BAD
        )

    @property
    def worst(self) -> Verdict:
        """The worst verdict; of other orders where that has the same status, since it says more."""
        found = max(self.verdicts, key=severity, default=None)
        others = max(self.again, key=severity, default=found)
        assert others is not None
        return others if found is None or severity(others)[0] >= severity(found)[0] else found

    @property
    def status(self) -> Status:
        """The worst status."""
        return self.worst.status

    @property
    def taken(self) -> int:
        """On how many problems an answer was owed."""
        return sum(verdict.status not in UNASKED for verdict in self.verdicts)

    @property
    def asked(self) -> int:
        """On how many problems it was asked: all of the row, but those that are asked in another dtype."""
        return sum(verdict.status is not Status.SKIPPED for verdict in self.verdicts)

    @property
    def ratio(self) -> float:
        """The worst ratio error / tolerance."""
        return max(v.ratio for v in self.every)

    @property
    def translations(self) -> tuple[str, ...]:
        """What was done to the answers to bring them into the kit's conventions."""
        return tuple(dict.fromkeys(note for v in self.verdicts for note in v.translations))


class Row(NamedTuple):
    """A cell for each column, and notes on where the quantity was not asked in full."""

    cells: list[Cell]
    notes: list[str]
