"""Notes on adapters that support few problems, and on adapters with equal names."""

from collections import Counter
from dataclasses import replace

from .problems.further import ENOUGH
from .results import Report


def with_notes_on_adapters(report: Report) -> Report:
    """Add notes on names that several columns have, and on columns that support only a few problems.

    A few problems are at least one problem and fewer than `ENOUGH` problems.
    """
    titles = Counter(column.title for column in report.columns)
    notes = [
        f"{n} columns have the name {title}, in the order of --adapter; a different name in each description would "
        "distinguish these columns"
        for title, n in titles.items()
        if n > 1
    ]
    for i, column in enumerate(report.columns):
        supported, _ = report.supported(i)
        if 0 < (n := sum(not problem.is_shared for problem in supported)) < ENOUGH:
            notes.append(
                f"{column.title} supports only {n} problem{'s' if n > 1 else ''} of this run; the function "
                "kfgn_conformance.check adds problems with the supported transfer functions and objectives"
            )
    return replace(report, notes=(*report.notes, *notes))
