"""Further problems for an adapter that supports few problems, and notes on such adapters and on equal column names."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from .plain import counted
from .problems.further import ENOUGH, further
from .problems.problem import Problem
from .results import Report


def further_for(adapters: Sequence[str], report: Report) -> list[Problem]:
    """Return the further problems with which the only adapter of a run supports at least `ENOUGH` problems.

    The further problems are of networks of the paper. Problems with shared weights and optimiser trajectories therefore
    do not count, here and below. The list is empty unless the run has exactly one adapter, since several adapters may
    support different transfer functions and objectives. The list is also empty if the columns of the report already
    support `ENOUGH` problems, or support no problem with a hidden layer.
    """
    if len(adapters) != 1:
        return []
    found = {problem.id for i in range(len(report.columns)) for problem in report.supported(i)[0]}
    supported = [problem for problem in report.problems if problem.id in found]
    return further([problem for problem in supported if problem.trajectory is None and not problem.is_shared])


def with_notes_on_adapters(report: Report) -> Report:
    """Add notes on names that several columns have, on columns that support only a few problems, and on added problems.

    A few problems are at least one problem and fewer than `ENOUGH` problems. Problems with shared weights do not count.
    """
    titles = Counter(column.title for column in report.columns)
    notes = [
        f"{n} columns have the name {title}, in the order of --adapter; a different name in each description would "
        "distinguish these columns"
        for title, n in titles.items()
        if n > 1
    ]
    several = len(titles) < len(report.columns) or len({column.name for column in report.columns}) > 1
    alone = "; a run of this adapter alone adds similar problems" if several else ""
    for i, column in enumerate(report.columns):
        supported, _ = report.supported(i)
        if 0 < (n := sum(not problem.is_shared for problem in supported)) < ENOUGH:
            notes.append(f"{column.title} supports only {counted(n, 'problem')} of this run{alone}")
    if added := sum(problem.id.startswith("further-") for problem in report.problems):
        were_added = "problem was added" if added == 1 else "problems were added"
        notes.append(f"{added} {were_added}, with the supported transfer functions and objectives")
    return replace(report, notes=(*report.notes, *notes))
