"""A test for each quantity and dtype that the adapter of `--kfgn-adapter` offers, and one for each dtype.

The second kind runs all quantities again in other orders. See `kfgn_pytest`.
"""

from pathlib import Path
from typing import Any

import pytest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What the adapter offers; without one, a test that is skipped and says why."""
    rows = "quantity" in metafunc.fixturenames
    arguments = ("column", "quantity") if rows else ("column",)
    if metafunc.config.getoption("--kfgn-adapter", None) is None:
        none = pytest.param(*[None] * len(arguments), marks=pytest.mark.skip(reason="no --kfgn-adapter=MODULE:NAME"))
        metafunc.parametrize(arguments, [none], ids=["none"])
        return
    from .quantities import ROWS

    questions = []
    for column in _columns(metafunc.config):
        dtype, offered = column.description.dtype, column.description.quantities
        if rows:
            questions += [pytest.param(column, q, id=f"{q}-{dtype}") for q in ROWS if q in offered]
        else:
            questions.append(pytest.param(column, id=dtype))
    metafunc.parametrize(arguments, questions)


COLUMNS = pytest.StashKey[list[Any]]()


def _columns(config: pytest.Config) -> list[Any]:
    """The adapter in each dtype, opened once."""
    if COLUMNS not in config.stash:
        from .columns import columns_of
        from .plain import plain

        _known(config)  # an unusable file is an error before the first question
        name, only, limit = (config.getoption(f"--kfgn-{option}") for option in ("adapter", "dtype", "limit"))
        if not limit > 0:
            raise pytest.UsageError(f"--kfgn-limit: expected seconds above 0, got {limit:g}")
        if (examples := config.getoption("--kfgn-examples")) < 0:
            raise pytest.UsageError(f"--kfgn-examples: expected 0 or more, got {examples}")
        columns = columns_of((), only, (name,), limit)
        for column in columns:
            if column.description is None:
                raise pytest.UsageError(plain(f"--kfgn-adapter: {column.reason}"))
        config.stash[COLUMNS] = columns
    return config.stash[COLUMNS]


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
def problems(pytestconfig: pytest.Config) -> Any:
    """The problems of `kfgn-check --examples N`, with the N of `--kfgn-examples`."""
    from .problems.standard import problem_set

    return problem_set(examples=pytestconfig.getoption("--kfgn-examples"), seed=0)


@pytest.fixture(scope="session")
def rows() -> Any:
    """The cells of the tests of single quantities, by the title of the column and the quantity."""
    return {}


def test_is_the_reference(
    column: Any, quantity: str, problems: Any, known: Any, rows: Any, record_property: Any
) -> None:
    """Every answer passes, or is known not to; what is wrong is shown with what explains it."""
    from .plain import plain
    from .run import Report, row
    from .verdicts import Status

    report = Report([column], problems)
    report.add(quantity, row(quantity, [column], problems))
    report.expect(known)
    (cell,) = report.cells
    rows[column.title, quantity] = cell
    record_property("asked", f"{cell.taken} of {cell.asked} problems")
    if report.mended:
        pytest.fail("\n".join(plain(f"expected, but no longer there: {one}") for one in report.mended), pytrace=False)
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


def test_is_the_same_in_any_order(column: Any, problems: Any, known: Any, rows: Any) -> None:
    """Right answers stay right when the questions are repeated in other orders, each after all others."""
    from .plain import plain
    from .run import Cell, Report, again

    report = Report([column], problems)
    offered = column.description.quantities
    report.rows = {name: [cell] for (title, name), cell in rows.items() if title == column.title}
    names, wrong = report.answered(0)
    names += sorted(offered - set(report.rows))  # whose tests did not run here
    found = again(column, problems, names, wrong).wrong
    report.rows = {name: [Cell((verdict,))] for name, verdict in found.items()}
    report.expect(known)
    new = [f"{cell.status}: {name}: {cell.worst.detail}" for name, (cell,) in report.rows.items() if not cell.known]
    if new:
        pytest.fail("\n".join(map(plain, new)), pytrace=False)
