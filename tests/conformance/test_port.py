"""The port on every backend and in both dtypes, compared with the reference on drawn problems.

`kfgn-check` compares it on the fixed problems.
"""

from functools import cache

import pytest
from hypothesis import given
from kfgn_conformance import QUANTITIES, Problem, Status
from kfgn_conformance.adapters.kfgn_port import DTYPES, TARGETS, KfgnPort, open_target
from kfgn_conformance.implementation import Implementation
from kfgn_conformance.judging import judged
from kfgn_conformance.oracle import Oracle
from kfgn_conformance.problem_sets.drawn import problems

opened = cache(open_target)


def pytest_generate_tests(metafunc):
    """Parametrise the tests by every target, or by the target in --backend."""
    wanted = metafunc.config.getoption("--backend")
    metafunc.parametrize("target", [wanted] if wanted else list(TARGETS))


@pytest.fixture
def backend(request, target):
    usable = opened(target)
    if isinstance(usable, str):
        (pytest.fail if request.config.getoption("--backend") else pytest.skip)(f"{target}: not usable: {usable}")
    return usable


@pytest.mark.parametrize("dtype", DTYPES)
def test_drawn(backend, dtype):
    """Run every quantity on one problem before the next, so that JAX compiles only once for its shapes."""
    port = Implementation("", KfgnPort(backend, dtype))

    @given(problems())
    def check(problem: Problem):
        oracles = [Oracle(problem, quantity) for quantity in QUANTITIES.values()]
        verdicts = {str(oracle): judged(port, oracle).verdict for oracle in oracles if oracle.is_conclusive}
        assert {name: v for name, v in verdicts.items() if v.status is not Status.PASS} == {}

    check()
