"""One test for each quantity and dtype that the adapter of `--kfgn-adapter` offers: see `kfgn_pytest`."""

from typing import Any

import pytest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What the adapter offers; without one, a test that is skipped and says why."""
    name = metafunc.config.getoption("--kfgn-adapter", None)
    if name is None:
        none = pytest.param(None, "", marks=pytest.mark.skip(reason="no --kfgn-adapter=MODULE:NAME"))
        metafunc.parametrize(("column", "quantity"), [none], ids=["none"])
        return
    from .columns import columns_of
    from .quantities import ROWS

    questions = []
    for column in columns_of((), None, (name,), metafunc.config.getoption("--kfgn-limit")):
        if column.description is None:
            raise pytest.UsageError(f"--kfgn-adapter: {column.reason}")
        dtype, offered = column.description.dtype, column.description.quantities
        questions += [pytest.param(column, q, id=f"{q}-{dtype}") for q in ROWS if q in offered]
    metafunc.parametrize(("column", "quantity"), questions)


@pytest.fixture(scope="session")
def problems() -> Any:
    """The problems of `kfgn-check --examples 15`."""
    from .problem_sets import problem_set

    return problem_set(examples=15, seed=0)


def test_is_the_reference(column: Any, quantity: str, problems: Any) -> None:
    """Every answer passes; what does not is shown with what explains it."""
    from .run import row
    from .verdicts import Status

    (cell,), _ = row(quantity, [column], problems)
    worst = cell.worst
    if worst.status is Status.UNIMPLEMENTED:
        pytest.skip(worst.detail)
    if worst.status is not Status.PASS:
        told = [f"{worst.status} on {worst.problem}: {worst.detail}"]
        told += [str(cell.diagnosis)] if cell.diagnosis else []
        told += [f"translated: {note}" for note in cell.translations]
        pytest.fail("\n".join(told), pytrace=False)
