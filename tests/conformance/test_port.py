"""The port on every backend and in both dtypes, compared with the reference on drawn problems.

`kfgn-check` compares it on the fixed problems.
"""

from functools import cache

import pytest
from hypothesis import given, settings
from kfgn_conformance import QUANTITIES, SHARED_WEIGHTS, Problem, Status
from kfgn_conformance.adapters.kfgn_port import COMPUTE, DTYPES, TARGETS, KfgnPort, open_target
from kfgn_conformance.implementation import Implementation
from kfgn_conformance.judging import judged
from kfgn_conformance.known_oracles import digest
from kfgn_conformance.oracle import Oracle
from kfgn_conformance.problem_sets.drawn import problems, shared_problems
from kfgn_conformance.problems.cases import SPLITS

opened = cache(open_target)

EXAMPLES = 1 + max(1, settings.default.max_examples // len(SPLITS))
"""The number of problems of an objective.

The first one that Hypothesis draws is full of zeros, and tells little. It is left out without --thorough.
"""

FEW = dict.fromkeys(("jax", "strict"), max(2, EXAMPLES // 3))
"""The number without --thorough, for a library that compiles every operation for the shapes of each problem.

array-api-strict has NumPy's results. It shows a call outside the standard on any problem.
"""

ONE_DTYPE = {"jax", "strict"}
"""The libraries that run each problem in one dtype without --thorough. The hash of the problem decides which one.

array-api-strict computes with NumPy, which runs both, and checks every call, which takes most of its time.
"""


def pytest_generate_tests(metafunc):
    """Parametrise the tests by every target, or by the targets in --backend, and by the objective.

    One process runs all tests of an objective, and computes the oracles of a problem once for all targets.
    """
    splits = [
        pytest.param(split, id="-".join(split), marks=pytest.mark.xdist_group("-".join(split))) for split in SPLITS
    ]
    metafunc.parametrize("split", splits)
    metafunc.parametrize("target", metafunc.config.getoption("--backend") or list(TARGETS))


@pytest.fixture
def backend(request, target):
    usable = opened(target)
    if isinstance(usable, str):
        (pytest.fail if request.config.getoption("--backend") else pytest.skip)(f"{target}: not usable: {usable}")
    return usable


def tells_little(problem: Problem) -> bool:
    """True for a problem whose weights are all 0."""
    return not any(weights.any() for weights in problem.weights)


def test_drawn(backend, split, thorough):
    """Run every quantity on one problem before the next, so that JAX compiles only once for its shapes."""
    examples = EXAMPLES if thorough else FEW.get(backend.library, EXAMPLES)
    ports = {dtype: Implementation("", KfgnPort(backend, dtype)) for dtype in DTYPES}

    @settings(max_examples=examples)
    @given(problems([split]))
    def check(problem: Problem):
        if not thorough and tells_little(problem):
            return
        oracles = [Oracle(problem, quantity) for quantity in QUANTITIES.values()]
        conclusive = [oracle for oracle in oracles if oracle.is_conclusive]
        one = DTYPES[int(digest(problem), 16) % len(DTYPES)]
        for dtype in DTYPES if thorough or backend.library not in ONE_DTYPE else [one]:
            port = ports[dtype]
            verdicts = {str(oracle): judged(port, oracle).verdict for oracle in conclusive}
            assert {name: v for name, v in verdicts.items() if v.status is not Status.PASS} == {}, dtype

    check()


def test_drawn_with_shared_weights(backend, split, thorough):
    """The port on networks with any layers over positions. Without --thorough, JAX is left out.

    JAX would compile every operation for the shapes of every layer of each problem. The oracles of a problem take
    seconds, so that the other libraries have two problems of each objective.
    """
    if backend.library == "jax" and not thorough:
        pytest.skip("JAX compiles every operation for the shapes of every layer")
    ports = {dtype: Implementation("", KfgnPort(backend, dtype)) for dtype in DTYPES}

    @settings(max_examples=EXAMPLES if thorough else 2)
    @given(shared_problems([split]))
    def check(problem: Problem):
        if not thorough and tells_little(problem):
            return
        rows = [row for row in SHARED_WEIGHTS.values() if row.name in COMPUTE and row.applies_to(problem)]
        conclusive = [oracle for oracle in (Oracle(problem, row) for row in rows) if oracle.is_conclusive]
        for dtype in DTYPES:
            verdicts = {str(oracle): judged(ports[dtype], oracle).verdict for oracle in conclusive}
            wrong = {name: v for name, v in verdicts.items() if v.status not in (Status.PASS, Status.UNIMPLEMENTED)}
            assert wrong == {}, dtype

    check()
