"""The last line of a report of a run that passed."""

from rich.console import Console

from ..plain import counted
from ..results import Report
from ..verdicts import NOT_RUN


def print_summary(report: Report, console: Console) -> None:
    """Print the line if the run passed, and nothing otherwise. A program that reads the output gets a single line."""
    if report.passed:
        console.print(summary(report), style="green", soft_wrap=True)


def summary(report: Report) -> str:
    """Return a line with the numbers of quantities, implementations, dtypes and problems of a run that passed.

    Only quantities, implementations, dtypes and problems with a judged answer are counted.
    """
    judged = [
        (quantity, column, verdict.problem)
        for quantity, row in report.rows.items()
        for column, cell in zip(report.columns, row, strict=True)
        for verdict in cell.verdicts
        if column.description is not None and verdict.status not in NOT_RUN
    ]
    quantities = len({quantity for quantity, _, _ in judged})
    names = len({column.name for _, column, _ in judged})
    dtypes = len({column.description.dtype for _, column, _ in judged if column.description})
    problems = len({problem for _, _, problem in judged})
    by = f" by {counted(names, 'implementation')}" if names > 1 else ""
    except_ = ", except for expected failures" if any(cell.is_expected for cell in report.cells) else ""
    return (
        f"PASS: {quantities} {'quantity' if quantities == 1 else 'quantities'}{by} in {counted(dtypes, 'dtype')} on "
        f"{counted(problems, 'problem')}{except_}"
    )
