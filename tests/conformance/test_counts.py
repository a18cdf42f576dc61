"""The number of problems behind each ratio, which shows that a ratio is of a single problem."""

import re
from dataclasses import replace
from io import StringIO

import pytest
from kfgn_conformance.adapters import Description, UnsupportedError
from kfgn_conformance.diagnosis.textbook import Textbook
from kfgn_conformance.implementation import Implementation
from kfgn_conformance.output import Output
from kfgn_conformance.problem_sets.trajectories import TRAJECTORIES, trajectory_problem
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.reports import print_report, records, write_page
from kfgn_conformance.results import Cell, Report
from kfgn_conformance.runner import run
from kfgn_conformance.verdicts import Status, Verdict
from rich.console import Console

CASES = [p for p in cases() if p.id.endswith("-tanh")]
PROBLEMS = [*CASES, trajectory_problem("kfra", *TRAJECTORIES["kfra"])]


class Takes:
    """A textbook that supports some objectives."""

    def __init__(self, name, dtype, quantities, objectives, factor=1):
        self.name, self.dtype, self.objectives, self.factor = name, dtype, objectives, factor
        self.quantities = frozenset(quantities)

    def describe(self):
        return Description(self.name, "1", self.dtype, self.quantities)

    def compute(self, problem, quantity):
        if problem.objective not in self.objectives:
            raise UnsupportedError("another objective")
        return tuple(self.factor * a.astype(self.dtype) for a in Textbook(problem).answer(quantity))


EVERY = ("bernoulli", "categorical", "mixture", "squared_error")


def implementation(name, dtype, *of, **settings):
    return Implementation(name, Takes(name, dtype, *of, **settings))


@pytest.fixture(scope="module")
def report():
    implementations = [
        *(implementation("whole", d, ("gradient", "kfra", "optimiser_step"), EVERY) for d in ("float32", "float64")),
        *(implementation("one", d, ("gradient", "kfra"), ("bernoulli",)) for d in ("float32", "float64")),
        implementation("wrong", "float64", ("gradient",), ("bernoulli", "categorical"), factor=2),
        implementation("none", "float64", ("gradient",), ()),
        Implementation("absent", reason="it is not installed"),
    ]
    return run(implementations, PROBLEMS)


def printed(report, width):
    file = StringIO()
    print_report(report, Console(width=width, emoji=False, file=file))
    return file.getvalue()


def row(text, name):
    return next(line for line in text.splitlines() if line.startswith(f"{name} "))


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_has_the_count_of_each_row_and_marks_the_cells_with_fewer(report, width):
    text = printed(report, width)
    assert re.match(r"quantity +equation +problems ", row(text, "quantity"))
    assert re.match(r"gradient +\(3\) +5 +\d\.\d\d +", row(text, "gradient"))
    assert re.match(r"optimiser_step +Algorithm 1 +1 +\d\.\d\d +", row(text, "optimiser_step"))
    numbers = re.findall(r"\d\.\d\d(?: \(\d+\))?", row(text, "kfra"))
    whole, one = (numbers[0], numbers[-1])
    assert "(" not in whole
    assert one.endswith(" (1)")
    assert re.search(r"FAIL(.*\n.*)on 2 of 2", text)
    assert "A number in parentheses is the number of problems of a cell" in " ".join(text.split())


@pytest.mark.parametrize("width", [80, 120])
def test_the_lines_below_are_true_of_every_column(report, width):
    text = " ".join(printed(report, width).split())
    assert "Problems: 5 cases, 1 optimiser run." in text
    assert "one float32, one float64: 1 of 6 problems supported: 1 case" in text
    assert "wrong float64: 2 of 6 problems supported: 2 cases" in text
    assert "none float64: 0 of 6 problems supported" in text
    assert not re.search(r"(whole \w+|absent): \d+ of", text)
    assert "Each cell is the largest error/tolerance over the problems of its row" in text
    assert "A cell is empty if the implementation does not support the quantity." in text


def test_a_narrow_table_keeps_its_numbers():
    """At 80 columns, unusable backends without room in the table are named only below it."""
    backends = ["numpy", "array-api-strict", "torch", "torch-cuda", "jax", "jax-cuda", "cupy"]
    implementations = [
        implementation(name, d, ("kfra",), EVERY) for name in backends[:3] for d in ("float32", "float64")
    ]
    implementations += [Implementation(name, reason="there is none here") for name in backends[3:]]
    text = printed(run(implementations, PROBLEMS), 80)
    assert max(map(len, map(str.rstrip, text.splitlines()))) <= 80
    assert "…" not in text
    assert all(len(re.findall(r"\d\.\d\d", line)) == 3 for line in text.splitlines() if line.startswith("kfra "))
    for name in backends[3:]:
        assert f"{name}: not usable: there is none here" in text


@pytest.mark.parametrize("width", [30, 60, 70])
def test_a_table_on_a_narrower_terminal_has_every_number(report, width):
    """The columns are divided among several tables, and nothing is cut."""
    text = printed(report, width)
    assert "…" not in text
    assert sorted(re.findall(r"\d\.\d\d", text)) == sorted(re.findall(r"\d\.\d\d", printed(report, 10_000)))
    if width >= 60:
        assert all(row.count("0.") <= 2 for row in text.splitlines() if row.startswith("gradient "))


def test_a_pipe_has_one_table_and_whole_lines(report, monkeypatch):
    """As many columns as necessary, unless the environment has a number of columns."""
    wide, narrow = Output(file=StringIO()), StringIO()
    print_report(report, wide)
    text = wide.file.getvalue()
    assert text.count("error / tolerance  ") == 1
    assert re.search(r"^one float32, one float64: 1 of 6 problems supported: 1 case$", text, re.MULTILINE)
    assert re.search(r"^FAIL: gradient by wrong float64 on .{80}", text, re.MULTILINE)
    monkeypatch.setenv("COLUMNS", "70")
    print_report(report, Output(file=narrow))
    assert max(len(line.rstrip()) for line in narrow.getvalue().splitlines()) <= 70


def test_the_failures_come_after_the_table_and_a_reason_is_printed_once(report):
    lines = [line.rstrip() for line in printed(report, 10_000).splitlines()]
    first = next(i for i, line in enumerate(lines) if line.startswith("FAIL: "))
    assert lines[first - 1].startswith("optimiser_step ")
    assert [line for line in lines if line.startswith("not supported: ")] == [
        "not supported: one: another objective: 4 of 5 problems: gradient, kfra",
        "not supported: wrong: another objective: 3 of 5 problems: gradient",
        "not supported: none: another objective: 5 of 5 problems: gradient",
    ]


def test_equal_diagnoses_are_printed_once():
    """Two dtypes and two quantities have the same mistake, with a line for each. Different counts share a line."""
    dtypes = ("float32", "float64")
    doubled = [implementation("mine", d, ("gradient", "loss"), ("bernoulli", "mixture"), factor=2) for d in dtypes]
    only_float64 = [replace(CASES[0], id=f"only-{i}", objective="categorical", dtypes=("float64",)) for i in (1, 2)]
    text = printed(run(doubled, [*CASES, *only_float64], repeat=False), 10_000)
    lines = [line.rstrip() for line in text.splitlines()]
    first = next(i for i, line in enumerate(lines) if line.startswith("FAIL: "))
    assert [line.split(" on ")[0] for line in lines[first : first + 4]] == [
        f"FAIL: {quantity} by mine {dtype}" for quantity in ("loss", "gradient") for dtype in dtypes
    ]
    assert lines[first + 4].startswith("    constant-factor: Every answer is multiplied by 2")
    assert text.count("constant-factor") == 1
    assert "not supported: mine: another objective: 2 of 5 or 4 of 7 problems: loss, gradient" in lines
    assert "note: only-1, only-2: each is run only in float64" in lines


def test_problems_that_are_left_out_for_one_reason_share_a_note(report):
    """Also if several quantities are left out, and after a note of another kind."""
    notes = ["one is not run on a: it is large", "two is not run on a: it is large", "three is run on 5 of 6 of b"]
    notes += [note.replace(" a:", " b:") for note in notes[:2]]
    lines = printed(replace(report, notes=tuple(notes)), 10_000).splitlines()
    assert [line.rstrip() for line in lines if line.startswith("note: ")] == [
        "note: three is run on 5 of 6 of b",
        "note: one, two: each is not run on a, b: it is large",
    ]


def test_the_lines_of_json_and_the_page_have_the_counts(report, tmp_path):
    lines = records(report)
    counts = {
        (c["quantity"], lines.run["columns"][c["column"]]["name"]): (c["supported"], c["problems"]) for c in lines.cells
    }
    assert counts["gradient", "whole"] == (5, 5)
    assert counts["gradient", "one"] == (1, 5)
    assert counts["gradient", "wrong"] == (2, 5)
    assert counts["optimiser_step", "whole"] == (1, 1)
    write_page([lines], tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    notes = re.findall(r'<span class="note">([^<]*)</span>', text)
    asked = [note for note in notes if "problem" in note]
    assert sorted(set(asked)) == ["1 of 5 problems", "1 problem", "2 of 5 problems", "5 problems"]
    cells = [box for row in lines.cells for box in [row["supported"]] if box]
    assert len(asked) == len(cells)


def test_a_row_counts_what_was_asked_and_not_the_questions_in_other_orders(report):
    for cells in report.rows.values():
        assert len({len(cell.verdicts) for cell in cells}) == 1


class WrongOnSome(Takes):
    """A textbook that doubles its answers for one of the objectives that it supports."""

    def compute(self, problem, quantity):
        factor = 2 if problem.objective == "categorical" else 1
        return tuple(factor * a for a in super().compute(problem, quantity))


def test_equal_counts_are_in_the_column_of_problems():
    """A cell of one implementation has no number in parentheses, and a failure counts the wrong answers."""
    wrong = Implementation("wrong", WrongOnSome("wrong", "float64", ("gradient",), ("bernoulli", "categorical")))
    text = printed(run([wrong], PROBLEMS), 80)
    first, second, third = text[text.index("gradient ") :].splitlines()[:3]
    assert re.match(r"gradient +\(3\) +2 of 5 +FAIL *$", first)
    assert re.match(r" +on 1 of 2 *$", second)
    assert re.match(r" +max [\d.]+e\+\d+ *$", third)
    assert "parentheses" not in text
    right = implementation("right", "float64", ("gradient",), ("bernoulli", "categorical"))
    assert re.match(r"gradient +\(3\) +2 of 5 +\d\.\d\d *$", row(printed(run([right], PROBLEMS), 80), "gradient"))


def test_a_problem_of_one_dtype_is_not_missing_in_the_other():
    """The row then has two numbers, and no cell has a number in parentheses."""
    of = [implementation("whole", dtype, ("gradient",), EVERY).column for dtype in ("float32", "float64")]
    first, second = (Verdict(Status.PASS, problem.id, 0.25) for problem in CASES[:2])
    skipped = Verdict(Status.SKIPPED, CASES[1].id, detail="it is asked in float64 only")
    report = Report(tuple(of), tuple(CASES[:2]), {"gradient": (Cell((first, skipped)), Cell((first, second)))})
    assert [cell.total for cell in report.cells] == [1, 2]
    wide = printed(report, 120)
    assert re.match(r"gradient +\(3\) +1/2 +0.25 +0.25$", row(wide, "gradient").rstrip())
    assert "parentheses" not in wide
    assert "supported" not in wide
    assert [(line["supported"], line["problems"]) for line in records(report).cells] == [(1, 1), (2, 2)]
