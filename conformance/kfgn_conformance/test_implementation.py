"""Tests of the adapter that is named by `--kfgn-adapter`, an option that the plug-in `kfgn_pytest` adds to pytest.

Each quantity that the adapter offers has a test in each dtype, or only in the dtype of `--kfgn-dtype`. One more test in
each of these dtypes repeats the quantities in other orders.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrise the tests by the quantities and dtypes of the adapter. Without an adapter, every test is skipped."""
    of_quantities = "quantity" in metafunc.fixturenames
    arguments = ("implementation", "quantity") if of_quantities else ("implementation",)
    if metafunc.config.getoption("--kfgn-adapter", None) is None:
        none = pytest.param(*[None] * len(arguments), marks=pytest.mark.skip(reason="no --kfgn-adapter=MODULE:NAME"))
        metafunc.parametrize(arguments, [none], ids=["none"])
        return
    from .quantities import ROWS

    questions = []
    opened = [(implementation, implementation.opened[1]) for implementation in _implementations(metafunc.config)]
    if of_quantities:
        for name in ROWS:  # the tests of a quantity in both dtypes are adjacent, and share the quantity's oracles
            offering = [(each, described.dtype) for each, described in opened if name in described.quantities]
            questions += [pytest.param(each, name, id=f"{name}-{dtype}") for each, dtype in offering]
    else:
        questions = [pytest.param(each, id=described.dtype) for each, described in opened]
    metafunc.parametrize(arguments, questions)


IMPLEMENTATIONS = pytest.StashKey[list[Any]]()


def _implementations(config: pytest.Config) -> list[Any]:
    """Open the adapter once in each dtype."""
    if IMPLEMENTATIONS not in config.stash:
        from .opening import open_implementations
        from .plain import plain

        _expected(config)  # an unusable file of expected failures is an error before the first question
        name, only, limit = (config.getoption(f"--kfgn-{option}") for option in ("adapter", "dtype", "limit"))
        if not limit > 0:
            raise pytest.UsageError(f"--kfgn-limit: expected seconds above 0, got {limit:g}")
        if (examples := config.getoption("--kfgn-examples")) < 0:
            raise pytest.UsageError(f"--kfgn-examples: expected 0 or more, got {examples}")
        opened = open_implementations((), only, (name,), limit)
        for implementation in opened:
            if implementation.adapter is None:
                raise pytest.UsageError(plain(f"--kfgn-adapter: {implementation.reason}"))
        config.stash[IMPLEMENTATIONS] = opened
    return config.stash[IMPLEMENTATIONS]


def _expected(config: pytest.Config) -> Any:
    """Read the file of expected failures that `--kfgn-expected` names."""
    from .decoding import FileError
    from .expected import read_expected
    from .plain import plain

    file = config.getoption("--kfgn-expected")
    try:
        return [] if file is None else read_expected(Path(file))
    except FileError as error:
        raise pytest.UsageError(plain(f"--kfgn-expected: {error}")) from None


@pytest.fixture(scope="session")
def expected(pytestconfig: pytest.Config) -> Any:
    """The expected failures."""
    return _expected(pytestconfig)


@pytest.fixture(scope="session")
def problems(pytestconfig: pytest.Config) -> Any:
    """The problems of `kfgn-check --examples N`, where N is the value of `--kfgn-examples`."""
    from .problem_sets.standard import problem_set

    return problem_set(examples=pytestconfig.getoption("--kfgn-examples"), seed=0)


@pytest.fixture(scope="session")
def oracles_of() -> Any:
    """A function that makes the oracles of a quantity, and caches the oracles of only one quantity at a time."""
    from .oracle import Oracles

    return lru_cache(maxsize=1)(lambda _quantity: Oracles())


@pytest.fixture(scope="session")
def cells() -> Any:
    """A mapping from the title of an implementation to its results, which are cells by the name of the quantity."""
    return {}


def test_is_the_reference(
    implementation: Any, quantity: str, problems: Any, expected: Any, oracles_of: Any, cells: Any, record_property: Any
) -> None:
    """Every answer passes, or fails as expected.

    The message about a wrong answer describes the error, and names the known mistakes that explain the error. The test
    also fails if an expected failure unexpectedly passes. If the adapter supports no problem, or if no problem is run
    in its dtype, the test is skipped.
    """
    from .plain import plain
    from .runner import run
    from .verdicts import NOT_RUN, Status

    report = run(
        [implementation],
        problems,
        quantities=[quantity],
        expected=expected,
        repeat=False,
        oracles=oracles_of(quantity),
    )
    (cell,) = report.cells
    cells.setdefault(implementation.column.title, {})[quantity] = cell
    record_property("problems", f"{cell.supported} of {cell.total}")
    if passing := report.unexpectedly_passing:
        pytest.fail("\n".join(plain(f"unexpectedly passing: {one}") for one in passing), pytrace=False)
    if cell.is_expected:
        pytest.xfail("; ".join(dict.fromkeys(plain(one.reason) for one in cell.expected)))
    worst = cell.worst
    if worst.status in NOT_RUN:
        pytest.skip(plain(worst.detail))
    if worst.status is not Status.PASS:
        lines = [f"{worst.status} on {worst.problem}: {worst.detail}"]
        lines += [str(cell.diagnosis)] if cell.diagnosis else []
        lines += [f"translated: {note}" for note in cell.translations]
        pytest.fail("\n".join(map(plain, lines)), pytrace=False)


def test_is_the_same_in_any_order(implementation: Any, problems: Any, expected: Any, cells: Any) -> None:
    """Right answers stay right when quantities are computed again on the same problems in other orders."""
    from .plain import plain
    from .runner import run_in_other_orders

    before = cells.get(implementation.column.title, {})
    report = run_in_other_orders(implementation, problems, before, expected)
    unexpected = [(name, cell) for name, cell in report.named_cells if not cell.is_expected]
    if unexpected:
        lines = [f"{cell.status}: {name}: {cell.worst.detail}" for name, cell in unexpected]
        pytest.fail("\n".join(map(plain, lines)), pytrace=False)
