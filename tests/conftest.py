"""Options and Hypothesis profiles for all tests."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The default is the profile of CI, which has the same examples every time. `explore` draws new ones, and `quick` has
# the first few of CI's, for the rehearsal of benchmarks/gpu.sh.
COMMON = settings(
    deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
settings.register_profile("ci", COMMON, derandomize=True, database=None, max_examples=25)
settings.register_profile("quick", COMMON, derandomize=True, database=None, max_examples=3)
settings.register_profile("explore", COMMON, max_examples=int(os.environ.get("KFGN_EXAMPLES", "10000")))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--backend", help="run the conformance tests of this backend alone, and fail if it is not usable")
    parser.addoption("--seeds", type=int, default=1, help="of the problems on which every mistake is to be named")
    parser.addoption("--all-processors", action="store_true", help="test every setting of the processor, not two")
    parser.addoption("--kills", type=int, default=5, help="of a training process, at random moments")
    parser.addoption("--alterations", type=int, default=20, help="of each kind of file")


@pytest.fixture
def alterations_of_each(pytestconfig: pytest.Config) -> int:
    """The number of alterations of each kind of file."""
    return pytestconfig.getoption("--alterations")


MAPPINGS = Path("/proc/self/maps")


@pytest.fixture(scope="module", autouse=True)
def few_compiled_programs():
    """Free the compiled programs of JAX before the process has 65,530 memory mappings, the limit of Linux."""
    yield
    if "jax" in sys.modules and MAPPINGS.exists() and MAPPINGS.read_bytes().count(b"\n") > 20_000:
        sys.modules["jax"].clear_caches()
