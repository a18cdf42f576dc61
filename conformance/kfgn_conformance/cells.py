"""The cells of the table, and its columns."""

from dataclasses import dataclass
from typing import NamedTuple

from .adapters import Adapter, Description
from .diagnosis import Diagnosis
from .expected import Expected
from .verdicts import BAD, UNASKED, Status, Verdict, severity


@dataclass(frozen=True)
class Column:
    """An adapter, or the reason why there is none, as a column of the table.

    foreign: whether every question is put twice, as for an adapter that does not ship with the kit
    short:   whether the questions in several orders are on one problem alone, as for a library that compiles
    """

    name: str
    adapter: Adapter | None = None
    reason: str = ""
    foreign: bool = False
    short: bool = False

    @property
    def description(self) -> Description | None:
        """The adapter's description of itself; None without an adapter."""
        return self.adapter.describe() if self.adapter else None

    @property
    def title(self) -> str:
        """The name, with the dtype where there is one."""
        return f"{self.name} {self.description.dtype}" if self.description else self.name


@dataclass(frozen=True)
class Cell:
    """The result for one quantity and one adapter: its verdicts, the diagnosis of a wrong answer, and known failures.

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
        """True if there is something wrong, and all of it is expected."""
        return self.status in BAD and all(
            any(failure.explains(verdict) for failure in self.expected)
            for verdict in self.every
            if verdict.status in BAD
        )

    @property
    def worst(self) -> Verdict:
        """The worst verdict. Of two with the same status the one of other orders, whose detail has more information."""
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
        """The number of problems that the adapter took."""
        return sum(verdict.status not in UNASKED for verdict in self.verdicts)

    @property
    def asked(self) -> int:
        """The number of problems for this quantity in the column's dtype."""
        return sum(verdict.status is not Status.SKIPPED for verdict in self.verdicts)

    @property
    def ratio(self) -> float:
        """The worst ratio error / tolerance."""
        return max(v.ratio for v in self.every)

    @property
    def translations(self) -> tuple[str, ...]:
        """The translations that brought the answers into the kit's conventions."""
        return tuple(dict.fromkeys(note for v in self.verdicts for note in v.translations))


class Row(NamedTuple):
    """A cell for each column, and notes on where the quantity was not asked in full."""

    cells: list[Cell]
    notes: list[str]
