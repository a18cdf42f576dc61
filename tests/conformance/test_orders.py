"""Questions in several orders. A state that is kept from one answer must not spoil another."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from kfgn_conformance import QUANTITIES, Status, cli, judge
from kfgn_conformance.adapters.in_process import InProcess
from kfgn_conformance.adapters.isolated import Isolated
from kfgn_conformance.adapters.loading import load
from kfgn_conformance.adapters.program import Program
from kfgn_conformance.causes import Found, verdict_on
from kfgn_conformance.implementation import Implementation
from kfgn_conformance.inputs import changed, copied
from kfgn_conformance.judging import compare
from kfgn_conformance.oracle import Oracle
from kfgn_conformance.orders import repeated_in_orders
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.questions import small_problems
from kfgn_conformance.relatives import relatives
from kfgn_conformance.reports import read_records
from kfgn_conformance.rough import ROUGH
from kfgn_conformance.runner import run
from kfgn_conformance.tolerances import MAX_RELATIVE_TOLERANCE

CASES = [p for p in cases() if p.id in ("case-bernoulli-tanh", "case-mixture-tanh", "case-squared_error-tanh")]
BASE = CASES[0]
SMALL = small_problems(CASES)
NAMES = ("gradient", "kflr", "kfra", "solve_exact")


def found_in_orders(adapter, names=NAMES, wrong=()):
    """The wrong answers in other orders, by quantity."""
    return repeated_in_orders(Implementation("", adapter), SMALL, names, wrong).wrong


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


FORGETFUL = [
    ("KeyedByShape", "gradient", "case-bernoulli-tanh"),
    ("KeyedByWeights", "kfra", "case-bernoulli-tanh"),
    ("KeyedByTheFirstWeights", "kfra", "case-bernoulli-tanh"),
    ("KeyedByTheLastWeights", "kfra", "case-bernoulli-tanh"),
    ("KeyedByInputs", "kflr", "case-bernoulli-tanh"),
    ("ForgetsTheLabels", "gradient", "case-bernoulli-tanh"),
    ("ForgetsTheDamping", "solve_exact", "case-bernoulli-tanh"),
]


OPENINGS = {"in-process": InProcess, "isolated": lambda name, dtype: Isolated(name, dtype, 60.0)}


@pytest.fixture
def opened(request):
    adapters = []

    def open_(name):
        adapters.append(OPENINGS[request.param](f"stateful:{name}", "float64"))
        return adapters[-1]

    yield open_
    for adapter in adapters:
        adapter.close()


def in_both(arguments, cases):
    """Parametrise a test with the cases, all in this process, and without --thorough the first in a separate process.

    The code that asks and compares is the same for both.
    """
    params = [
        pytest.param(how, *case, marks=pytest.mark.thorough if how == "isolated" and case != cases[0] else ())
        for how in OPENINGS
        for case in cases
    ]
    return pytest.mark.parametrize(("opened", *arguments), params, indirect=["opened"])


@in_both(("name", "quantity", "kept"), FORGETFUL)
def test_an_answer_that_was_kept_for_too_long_is_named(name, quantity, kept, opened):
    found = found_in_orders(opened(name))
    assert found[quantity].status is Status.FAIL
    expected = f"right when asked alone, wrong after {quantity} on {kept}, whose answer is given again: array "
    assert found[quantity].detail.startswith(expected)


@in_both(
    ("name", "quantity", "detail"),
    [
        ("SpoiltByAnother", "gradient", r"wrong after kflr on case-bernoulli-tanh[\w-]*: array"),
        ("RightOnce", "kfra", "wrong when asked again: array"),
        ("AnotherBetween", "kfra", r"wrong after \w+ on case-bernoulli-tanh-other-[\w-]+: array"),
    ],
)
def test_the_question_that_makes_another_wrong_is_named(name, quantity, detail, opened):
    found = found_in_orders(opened(name))
    assert set(found) == {quantity}
    assert found[quantity].status is Status.FAIL
    assert re.match(f"right when asked alone, {detail}", found[quantity].detail)


def test_a_question_that_is_repeated_at_once_is_named():
    question = Oracle(BASE, QUANTITIES["loss"])
    answer = compare((np.zeros(()),), question, "float64")
    found = Found(question, answer, (), before=True)
    verdict = verdict_on(found, Implementation("", InProcess("stateful:RightOnce", "float64")), explained=False)
    assert verdict.detail.startswith("right at first, wrong when asked again: array")


@in_both(
    ("name", "quantity", "detail"),
    [
        (
            "RaisesLater",
            "gradient",
            r"right when asked alone, wrong after kflr on [\w-]+: KeyError: 'activations' \(stateful.py:\d+\)",
        ),
        (
            "RefusesLater",
            "kfra",
            "right when asked alone, wrong when asked again: no answer to a question that was answered before: "
            "already done",
        ),
    ],
)
def test_an_answer_that_does_not_come_any_more_is_an_error(name, quantity, detail, opened):
    found = found_in_orders(opened(name))
    assert {name: verdict.status for name, verdict in found.items()} == {quantity: Status.ERROR}
    assert re.fullmatch(detail, found[quantity].detail)
    again = judge(opened("RefusesLater"), BASE, QUANTITIES["kfra"], twice=True)
    assert (again.status, again.detail) == (
        Status.ERROR,
        "when the question was repeated: no answer to a question that was answered before: already done",
    )


@pytest.mark.parametrize("opened", ["in-process", pytest.param("isolated", marks=pytest.mark.thorough)], indirect=True)
def test_a_running_average_is_found(opened):
    """The adapter's answers are right until a different question comes between two equal ones."""
    found = found_in_orders(opened("AveragesFactors"))
    assert set(found) == {"kflr"}
    assert found["kflr"].detail.startswith("right when asked alone, wrong after kflr on case-bernoulli-tanh")


@pytest.mark.parametrize(("name", "quantity"), [("SpoiltByAnother", "gradient"), ("RightOnce", "kfra")])
def test_an_adapter_that_cannot_start_again_is_found_too(name, quantity):
    """The adapter keeps its state, so the message has the number of questions in between, and the last of them."""
    found = found_in_orders(load(f"stateful:{name}", "float64"))
    assert set(found) == {quantity}
    assert re.match(r"right at first, wrong after \d+ questions, the last of them \w+ on case-", found[quantity].detail)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_cache_that_is_right_passes(dtype):
    assert found_in_orders(load("stateful:CachesRightly", dtype)) == {}


@pytest.mark.parametrize("name", ["SpoiltByAnother", "AnotherBetween"])
def test_the_rows_alone_do_not_show_it_and_the_run_does(name):
    implementation = Implementation(name, InProcess(f"stateful:{name}", "float64"))
    quantity = {"SpoiltByAnother": "gradient", "AnotherBetween": "kfra"}[name]
    report = run([implementation], CASES)
    (cell,) = report.rows[quantity]
    assert {verdict.status for verdict in cell.verdicts} == {Status.PASS}
    assert cell.status is Status.FAIL
    assert cell.worst.detail.startswith("right when asked alone, wrong after ")
    assert cell.supported == len(CASES)
    assert not report.passed


def test_arrays_that_are_changed_in_place_are_named_and_reach_nobody_else():
    before = copied(BASE)
    report = run([Implementation("spoils", load("stateful:SpoilsTheInputs", "float64"))], CASES)
    (cell,) = report.rows["kfra"]
    assert cell.status is Status.ERROR
    assert cell.worst.detail == "the adapter changed these arrays of its problem: X, arguments.direction[1]"
    assert report.rows["gradient"][0].status is Status.PASS
    assert changed(before, BASE) == []


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_answers_are_compared_roughly(dtype):
    """A right answer is far within the rough tolerance, and an error of twice the largest relative tolerance is not."""
    right = Oracle(relatives(BASE)[0], QUANTITIES["kfra"])

    def verdict(factor):
        arrays = tuple((factor * a).astype(dtype) for a in right.arrays)
        return compare(arrays, right, dtype, rule=ROUGH).verdict

    assert verdict(1).status is Status.PASS
    assert verdict(1).ratio < 1e-3
    assert verdict(1 + 2 * MAX_RELATIVE_TOLERANCE[dtype]).status is Status.NON_STRICT
    assert verdict(1.5).status is Status.FAIL
    assert verdict(np.nan).status is Status.FAIL


def test_a_question_in_other_orders_is_not_repeated_at_once():
    """Rows repeat each question of an adapter from outside. The orders contain separate repetitions."""

    class Counts:
        def __init__(self):
            self.adapter, self.calls = load("stateful:CachesRightly", "float64"), 0

        def describe(self):
            return self.adapter.describe()

        def compute(self, problem, quantity):
            self.calls += 1
            return self.adapter.compute(problem, quantity)

    once, twice = Counts(), Counts()
    repeated_in_orders(Implementation("", once), SMALL, NAMES)
    repeated_in_orders(Implementation("", twice, twice=True), SMALL, NAMES)
    assert once.calls == twice.calls > 0


@pytest.mark.parametrize("options", [pytest.param((), marks=pytest.mark.thorough), ("--in-process",), ("--jobs", "2")])
def test_the_command_finds_it(options, capsys, tmp_path):
    file, problems = tmp_path / "report.jsonl", [problem.id for problem in CASES]
    given = ["--adapter", "stateful:SpoiltByAnother", "--dtype", "float64", "--examples", "0", "--jsonl", str(file)]
    assert cli.main([*given, "--problem", *problems, *options]) == cli.FAILED
    assert "FAIL: gradient by SpoiltByAnother float64 on " in " ".join(capsys.readouterr().out.split())
    failed = [cell for cell in read_records(file).cells if cell["status"] == "FAIL"]
    assert [cell["quantity"] for cell in failed] == ["gradient"]
    assert failed[0]["worst"]["detail"].startswith("right when asked alone, wrong after kflr on ")


PROGRAM = """
import json, sys
sys.path.insert(0, {folder!r})
from stateful import SpoiltByAnother
from kfgn_conformance.problems.serialisation import from_json
adapter = SpoiltByAnother("float64")
for line in sys.stdin:
    question = json.loads(line)
    if question["ask"] == "describe":
        answer = dict(name="p", version="1", quantities=["gradient", "kflr"])
    else:
        arrays = adapter.compute(from_json(question["problem"]), question["quantity"])
        answer = dict(arrays=[array.tolist() for array in arrays])
    print(json.dumps(answer), flush=True)
"""


def test_a_program_that_keeps_a_state_is_found(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM.format(folder=str(Path(__file__).parent)))
    program = Program(f"exec:{sys.executable} {tmp_path / 'program.py'}", "float64", 60.0)
    try:
        found = found_in_orders(program, ["gradient", "kflr"])
    finally:
        program.close()
    assert found["gradient"].detail.startswith("right when asked alone, wrong after kflr on case-bernoulli-tanh")


def test_a_plain_mistake_is_not_told_again():
    """A quantity that is wrong in its row is wrong at first in other orders too, so no order is its cause."""
    adapter = load("stateful:Doubles", "float64")
    assert found_in_orders(adapter, wrong=["kfra"]) == {}
    assert set(found_in_orders(adapter)) == {"kfra"}


def test_what_is_right_at_first_counts_though_its_row_is_wrong():
    """With several processes a row may run after the row that spoils it."""
    adapter = InProcess("stateful:SpoiltByAnother", "float64")
    found = found_in_orders(adapter, wrong=["gradient"])
    assert found["gradient"].detail.startswith("right when asked alone, wrong after kflr")
