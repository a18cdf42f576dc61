"""The port on every backend and dtype against the reference: one test for each quantity, backend and dtype."""

from functools import cache

import pytest
from hypothesis import assume, given
from kfgn_conformance import QUANTITIES, Problem, Status, judge
from kfgn_conformance.adapters.kfgn_port import DTYPES, TARGETS, KfgnPort, open_target
from kfgn_conformance.cases import cases
from kfgn_conformance.real import REAL_PROBLEMS
from kfgn_conformance.strategies import problems
from kfgn_conformance.tolerances import telling

opened = cache(open_target)


def pytest_generate_tests(metafunc):
    """Every target, or that of --backend alone."""
    wanted = metafunc.config.getoption("--backend")
    metafunc.parametrize("target", [wanted] if wanted else list(TARGETS))


@pytest.fixture
def backend(request, target):
    usable = opened(target)
    if isinstance(usable, str):
        (pytest.fail if request.config.getoption("--backend") else pytest.skip)(f"{target}: not usable: {usable}")
    return usable


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("quantity", QUANTITIES)
def test_drawn(backend, dtype, quantity):
    adapter = KfgnPort(backend, dtype)

    @given(problems())
    def check(problem: Problem):
        assume(telling(problem, QUANTITIES[quantity]))
        verdict = judge(adapter, problem, QUANTITIES[quantity])
        assert verdict.status is Status.PASS, verdict

    check()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("quantity", QUANTITIES)
def test_cases(backend, dtype, quantity):
    verdicts = [judge(KfgnPort(backend, dtype), problem, QUANTITIES[quantity]) for problem in cases()]
    assert [v for v in verdicts if v.status is not Status.PASS] == []


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", REAL_PROBLEMS)
@pytest.mark.parametrize("quantity", QUANTITIES)
def test_real(backend, dtype, quantity, name):
    problem = QUANTITIES[quantity].within_reach(REAL_PROBLEMS[name]())
    if problem is None:
        pytest.skip(f"{quantity} of {name} has too many elements to compare")
    verdict = judge(KfgnPort(backend, dtype), problem, QUANTITIES[quantity])
    assert verdict.status is Status.PASS, verdict
