"""Problems for one dtype only: the verdict on an adapter in the other dtype, and its form in the report."""

from dataclasses import replace

import numpy as np
from kfgn_conformance import QUANTITIES, Status, judge
from kfgn_conformance.adapters.kfgn_port import DTYPES, KfgnPort, open_target
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.reports import print_report
from kfgn_conformance.run import Column, run
from kfgn_conformance.tolerances import telling
from rich.console import Console

CASE = cases()[3]
IN_FLOAT64 = replace(cases()[0], id="case-only", dtypes=("float64",))


def columns():
    """The port on NumPy in both dtypes."""
    backend = open_target("numpy")
    return [Column("numpy", KfgnPort(backend, dtype)) for dtype in DTYPES]


def test_an_adapter_in_the_other_dtype_is_skipped_and_one_in_this_is_judged():
    verdicts = [judge(column.adapter, IN_FLOAT64, QUANTITIES["loss"]) for column in columns()]
    assert [verdict.status for verdict in verdicts] == [Status.SKIPPED, Status.PASS]
    assert verdicts[0].detail == "case-only is asked in float64 only"


def test_the_report_says_so_once_and_counts_it_as_not_taken():
    report = run(columns(), [CASE, IN_FLOAT64], lambda _name: None)
    assert report.passed
    assert report.notes.count("case-only is asked in float64 only") == 1
    for in_float32, in_float64 in (row for name, row in report.rows.items() if name in QUANTITIES):
        assert (in_float32.taken, in_float64.taken) == (1, 2)
        assert in_float32.status is in_float64.status is Status.PASS
    console = Console(record=True, width=300)
    print_report(report, console)
    assert console.export_text().count("note: case-only is asked in float64 only") == 1


def test_an_adapter_that_is_asked_nothing_else_has_shown_nothing():
    report = run(columns()[:1], [IN_FLOAT64], lambda _name: None)
    assert not report.checked


def test_only_these_dtypes_decide_whether_a_problem_is_telling():
    """The step is so short that float32 loses its change of f, and float64 does not."""
    short = tuple(V * 2.0**-12 for V in IN_FLOAT64.arguments.direction)
    problem = replace(IN_FLOAT64, arguments=IN_FLOAT64.arguments._replace(direction=short))
    assert telling(problem, QUANTITIES["reduction_ratio"])
    assert not telling(replace(problem, dtypes=DTYPES), QUANTITIES["reduction_ratio"])


def test_a_changed_problem_keeps_its_dtypes():
    for problem in (IN_FLOAT64.head(2), IN_FLOAT64.map_reals(np.negative)):
        assert problem.dtypes == ("float64",)
