"""The rows of the tables."""

from dataclasses import dataclass, field

from .timing import Ratio


@dataclass(frozen=True)
class Row:
    """A measurement.

    case:     the name of the table
    work:     the name of the work
    library:  the array library, or the library of a peer
    seconds:  the median time of one unit of the work
    ratios:   ratios to other measurements of the same run, by the heading of the column
    phases:   the floor of each phase in seconds, with the median rates
    peak:     the increase of the peak memory of a process, in bytes, or None
    launches: the number of kernel launches or operators in one unit of the work, or None
    note:     a remark, such as a figure without a column
    """

    case: str
    work: str
    library: str
    seconds: float
    ratios: dict[str, Ratio] = field(default_factory=dict)
    phases: dict[str, float] = field(default_factory=dict)
    peak: int | None = None
    launches: float | None = None
    note: str = ""
