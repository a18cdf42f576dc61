"""One test for each quantity and dtype that the adapter of `--kfgn-adapter` offers: see `kfgn_pytest`."""

from pathlib import Path
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
    from .plain import plain
    from .quantities import ROWS

    _known(metafunc.config)  # so that a file that says nothing is told before anything is asked
    questions = []
    only, limit = (metafunc.config.getoption(option) for option in ("--kfgn-dtype", "--kfgn-limit"))
    for column in columns_of((), only, (name,), limit):
        if column.description is None:
            raise pytest.UsageError(plain(f"--kfgn-adapter: {column.reason}"))
        dtype, offered = column.description.dtype, column.description.quantities
        questions += [pytest.param(column, q, id=f"{q}-{dtype}") for q in ROWS if q in offered]
    metafunc.parametrize(("column", "quantity"), questions)


def _known(config: pytest.Config) -> Any:
    """The failures of `--kfgn-expected`."""
    from .decoding import FileError
    from .expected import read_expected
    from .plain import plain

    file = config.getoption("--kfgn-expected")
    try:
        return [] if file is None else read_expected(Path(file))
    except FileError as error:
        raise pytest.UsageError(plain(f"--kfgn-expected: {error}")) from None


@pytest.fixture(scope="session")
def known(pytestconfig: pytest.Config) -> Any:
    """Those that are known not to pass."""
    return _known(pytestconfig)


@pytest.fixture(scope="session")
def problems() -> Any:
    """The problems of `kfgn-check --examples 15`."""
    from .problem_sets import problem_set

    return problem_set(examples=15, seed=0)


def test_is_the_reference(column: Any, quantity: str, problems: Any, known: Any) -> None:
    """Every answer passes, or is known not to; what is wrong is shown with what explains it."""
    from .plain import plain
    from .run import Report, row
    from .verdicts import Status

    report = Report([column], problems)
    report.add(quantity, row(quantity, [column], problems))
    report.expect(known)
    (cell,) = report.cells
    if report.mended:
        pytest.fail("\n".join(plain(f"expected, but no more so: {one}") for one in report.mended), pytrace=False)
    if cell.known:
        pytest.xfail("; ".join(dict.fromkeys(plain(one.reason) for one in cell.expected)))
    worst = cell.worst
    if worst.status is Status.UNIMPLEMENTED:
        pytest.skip(plain(worst.detail))
    if worst.status is not Status.PASS:
        told = [f"{worst.status} on {worst.problem}: {worst.detail}"]
        told += [str(cell.diagnosis)] if cell.diagnosis else []
        told += [f"translated: {note}" for note in cell.translations]
        pytest.fail("\n".join(map(plain, told)), pytrace=False)
