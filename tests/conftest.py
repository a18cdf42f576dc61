"""Options, Hypothesis profiles and fixtures for all tests."""

import doctest
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from .pairs import with_each_value

# The default is the profile of CI, which has the same examples every time. `explore` draws new ones, and `quick` has
# the first few of CI's, for the rehearsal of benchmarks/gpu.sh.
COMMON = settings(
    deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
settings.register_profile("ci", COMMON, derandomize=True, database=None, max_examples=25)
settings.register_profile("quick", COMMON, derandomize=True, database=None, max_examples=3)
settings.register_profile("explore", COMMON, max_examples=int(os.environ.get("KFGN_EXAMPLES", "10000")))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

DRAWING = ("kfgn.lab.pictures", "kfgn.lab.loss_pictures")
"""The modules that draw pictures."""


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark of pytest-xdist, which is not installed everywhere, and the mark of tests left to a session.

    `COLUMNS`, which pytest-xdist sets, is removed. A test of a width sets its own.
    """
    os.environ.pop("COLUMNS", None)
    config.addinivalue_line("markers", "xdist_group(name): tests that run in one process")
    config.addinivalue_line("markers", "thorough: a repetition on further values, which runs with --thorough alone")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests with the mark `thorough`, unless --thorough is given, and cases as --each-value says."""
    kept = [item for item in items if config.getoption("--thorough") or not item.get_closest_marker("thorough")]
    if config.getoption("--each-value"):
        kept = with_each_value(kept)
    chosen = set(kept)
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = kept


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--backend", action="append", help="run the conformance tests of these backends, and fail if one is not usable"
    )
    parser.addoption("--seeds", type=int, default=1, help="of the problems on which every mistake is to be named")
    parser.addoption("--all-processors", action="store_true", help="test every setting of the processor, not two")
    parser.addoption("--kills", type=int, default=5, help="of a training process, at random moments")
    parser.addoption("--alterations", type=int, default=20, help="of each kind of file")
    parser.addoption("--each-value", action="store_true", help="leave out cases of which each argument occurred before")
    parser.addoption("--thorough", action="store_true", help="run slow tests on all their problems, not on a few")


@pytest.fixture(scope="session")
def thorough(pytestconfig: pytest.Config) -> bool:
    """True in `nox -s thorough`."""
    return pytestconfig.getoption("--thorough")


@pytest.fixture(scope="session")
def changes_once():
    """Compute the d of a question once in this process.

    d is the change by rounding to 24 bits. It depends on the numbers of the problem alone, takes most of the time of
    an oracle, and several tests draw the same problems.
    """
    from kfgn_conformance.changes import changes
    from kfgn_conformance.known_oracles import digest

    kept = {}

    def once(problem, quantity):
        key = digest(replace(problem, id="")), quantity
        if key not in kept:
            kept[key] = changes(problem, quantity)
        return kept[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kfgn_conformance.oracle.changes", once)
        yield


@pytest.fixture(scope="module")
def unrendered():
    """Write an empty file for each picture of a module, since rendering takes most of the time of a short run."""
    with pytest.MonkeyPatch.context() as patch:
        for module in DRAWING:
            patch.setattr(f"{module}.save", lambda figure, path: path.write_bytes(b""))
        yield


@pytest.fixture
def rendered(monkeypatch):
    """Render the pictures of one test."""
    from kfgn.lab.figures import save

    for module in DRAWING:
        monkeypatch.setattr(f"{module}.save", save)


@pytest.fixture
def alterations_of_each(pytestconfig: pytest.Config) -> int:
    """The number of alterations of each kind of file."""
    return pytestconfig.getoption("--alterations")


@pytest.fixture
def run_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that runs the examples of a docstring in an empty folder, and fails if there are none."""
    monkeypatch.chdir(tmp_path)

    def run(name: str, documented: object) -> None:
        finder = doctest.DocTestFinder(recurse=False)
        tests = [test for test in finder.find(documented, name, module=False, globs={}) if test.examples]
        assert tests, f"the docstring of {name} has no example"
        output: list[str] = []
        for test in tests:
            doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test, out=output.append)
        assert not output, "".join(output)

    return run


MAPPINGS = Path("/proc/self/maps")


@pytest.fixture(scope="module", autouse=True)
def few_compiled_programs():
    """Free the compiled programs of JAX before they take a GiB, or 65,530 memory mappings, the limit of Linux.

    A program has some 15 mappings. Python does not return its memory, so the size of the process tells nothing.
    """
    yield
    if "jax" in sys.modules and MAPPINGS.exists() and MAPPINGS.read_bytes().count(b"\n") > 6_000:
        sys.modules["jax"].clear_caches()
