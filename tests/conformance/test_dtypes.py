"""Problems for one dtype only: the verdict on an adapter in the other dtype, and its form in the report."""

from dataclasses import replace

import numpy as np
from kfgn_conformance import QUANTITIES, Status, judge
from kfgn_conformance.adapters.kfgn_port import DTYPES, KfgnPort, open_target
from kfgn_conformance.implementation import Implementation
from kfgn_conformance.oracle import Oracle
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.reports import print_report
from kfgn_conformance.runner import run
from rich.console import Console

CASE = cases()[3]
IN_FLOAT64 = replace(cases()[0], id="case-only", dtypes=("float64",))


def implementations():
    """The port on NumPy in both dtypes."""
    backend = open_target("numpy")
    return [Implementation("numpy", KfgnPort(backend, dtype)) for dtype in DTYPES]


def test_an_adapter_in_the_other_dtype_is_skipped_and_one_in_this_is_judged():
    verdicts = [judge(each.adapter, IN_FLOAT64, QUANTITIES["loss"]) for each in implementations()]
    assert [verdict.status for verdict in verdicts] == [Status.SKIPPED, Status.PASS]
    assert verdicts[0].detail == "case-only is run only in float64"


def test_the_report_says_so_once_and_counts_it_as_not_taken():
    report = run(implementations(), [CASE, IN_FLOAT64], quantities=["loss", "gradient", "kfra"])
    assert report.passed
    assert report.notes.count("case-only is run only in float64") == 1
    assert len(report.rows) == 3
    for in_float32, in_float64 in report.rows.values():
        assert (in_float32.supported, in_float64.supported) == (1, 2)
        assert in_float32.status is in_float64.status is Status.PASS
    console = Console(record=True, width=300)
    print_report(report, console)
    assert console.export_text().count("note: case-only is run only in float64") == 1


def test_an_adapter_that_is_asked_nothing_else_has_shown_nothing():
    report = run(implementations()[:1], [IN_FLOAT64])
    assert not report.checked


def test_only_these_dtypes_decide_whether_a_problem_is_conclusive():
    """rho of a step that is so short that its change of f is lost in float32, and not in float64."""
    short = tuple(V * 2.0**-12 for V in IN_FLOAT64.arguments.direction)
    problem = replace(IN_FLOAT64, arguments=IN_FLOAT64.arguments._replace(direction=short))
    rho = QUANTITIES["reduction_ratio"]
    assert Oracle(problem, rho).is_conclusive
    assert not Oracle(replace(problem, dtypes=DTYPES), rho).is_conclusive


def test_a_changed_problem_keeps_its_dtypes():
    for problem in (IN_FLOAT64.head(2), IN_FLOAT64.map_reals(np.negative)):
        assert problem.dtypes == ("float64",)
