"""The note on an implementation that supports few problems."""

from dataclasses import replace

from .problems.further import ENOUGH
from .results import Report


def with_note_on_few_problems(report: Report) -> Report:
    """Add a note on each column that supports fewer than `ENOUGH` problems, for which `check` adds problems."""
    notes = []
    for i, column in enumerate(report.columns):
        supported, _ = report.supported(i)
        if 0 < (n := len(supported)) < ENOUGH:
            notes.append(
                f"{column.title} supports only {n} problem{'s' if n > 1 else ''} of this run; the function "
                "kfgn_conformance.check adds problems with the supported transfer functions and objectives"
            )
    return replace(report, notes=(*report.notes, *notes))
