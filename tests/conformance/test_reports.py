"""Reports as lines of JSON and as a page: both contain all results of a run, and text cannot become markup."""

import io
import json
from dataclasses import replace
from html.parser import HTMLParser

from kfgn_conformance import UnsupportedError, cli
from kfgn_conformance.diagnosis import MISTAKES
from kfgn_conformance.expected import Expected
from kfgn_conformance.implementation import Implementation
from kfgn_conformance.problem_sets import standard
from kfgn_conformance.problem_sets.selection import Selection
from kfgn_conformance.reports import read_records, records, write_page, write_records
from kfgn_conformance.reports.json_lines import Records
from kfgn_conformance.reports.summary import print_summary, summary
from kfgn_conformance.runner import run
from rich.console import Console

from .example_report import CASES, Answers, report

NUMPY = ["--backend", "numpy", "--problem", "case-*-tanh"]


class Page(HTMLParser):
    """The cells of a page, the texts of the elements with an id, and the ids of the elements that are hidden.

    cells: the id to which each cell of the table leads, by a link to a failure or by a button that opens the details
    """

    def __init__(self, text):
        super().__init__()
        self.cells, self.links, self.texts, self.hidden, self.ids = [], [], {}, set(), []
        self.open, self.words = None, []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "button" and "popovertargetaction" not in given:
            self.cells.append(given["popovertarget"])
        if tag == "a" and "aria-label" in given and given.get("class") != "anchor":
            self.cells.append(given["href"].removeprefix("#"))
        if tag == "a":
            self.links.append(given["href"])
        if "id" in given:
            self.ids.append(given["id"])
            self.open, self.texts[given["id"]] = given["id"], ""
            if "popover" in given or tag == "details":
                self.hidden.add(given["id"])
        if tag == "h2":
            self.open = None

    def handle_data(self, data):
        self.words.append(data)
        if self.open:
            self.texts[self.open] = " ".join(f"{self.texts[self.open]} {data}".split())


def test_the_page_has_the_details_of_every_cell(tmp_path):
    write_page([records(report())], tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    page = Page(text)
    assert len(page.cells) == 3 * 3  # three offered quantities and three columns, of which one is not usable
    assert sorted(page.cells) == sorted(page.ids)
    assert len(set(page.ids)) == len(page.ids)
    assert "right-float64-kfra" in page.hidden
    assert "it is not installed" in page.texts["absent-q"]
    assert "divided by N, as the answer is a sum over the datapoints" in page.texts["right-float64-kfra"]
    assert "<b>wrong</b>" not in text
    assert "1 &lt; 2" in text
    assert "flag: on" in " ".join(page.words)
    for outside in ("http://", "https://", "<script", "src="):
        assert outside not in text


def test_the_diagnosis_of_a_failure_needs_no_click(tmp_path):
    """The element is not hidden, and the cell and a link in the heading lead to it."""
    write_page([records(report())], tmp_path / "page.html")
    page = Page((tmp_path / "page.html").read_text())
    failure = "b-wrong-b-float64-kfra"
    assert failure in page.cells
    assert failure not in page.hidden
    assert page.links == [f"#{failure}"] * 2
    text = page.texts[failure]
    assert text.startswith("kfra by <b>wrong</b> float64 FAIL #")
    assert f"kflr-for-kfra : {MISTAKES['kflr-for-kfra'].description}" in text
    assert "worst problem case-" in text
    assert f"{len(CASES)} were run." in text


def test_an_expected_failure_is_shown_with_its_reason(tmp_path):
    run_, cells = records(report())
    changed = [
        cell | {"expected_failure": True, "reasons": ["issue 7"]} if cell["status"] == "FAIL" else cell
        for cell in cells
    ]
    write_page([Records(run_, changed)], tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert "<h2>Expected failures</h2>" in text
    assert "<h2>Failures</h2>" not in text
    shown = Page(text).texts["b-wrong-b-float64-kfra"]
    assert "expected FAIL" in shown
    assert "issue 7" in shown


class Partial(Answers):
    """A wrong implementation of squared errors alone."""

    def compute(self, problem, quantity):
        if problem.objective != "squared_error":
            raise UnsupportedError("only the squared error")
        return super().compute(problem, quantity)


def test_the_page_says_why_problems_were_not_run(tmp_path):
    """By an adapter, by the dtype, and by a selection."""
    only_float64 = replace(CASES[0], id="only", dtypes=("float64",))
    adapter = Partial("mine", MISTAKES["kflr-for-kfra"].textbook)
    selection = Selection("mine: all but one.", {"factors": ("case-*", "only")})
    left = replace(CASES[0], id="another")
    described = replace(adapter.describe(), dtype="float32")
    adapter.describe = lambda: described
    found = run([Implementation("mine", adapter, selection=selection)], [*CASES, only_float64, left], repeat=False)
    write_records(found, tmp_path / "report.jsonl")
    write_page([read_records(tmp_path / "report.jsonl")], tmp_path / "page.html")
    page = Page((tmp_path / "page.html").read_text())
    text = page.texts["mine-float32-kfra"]
    unsupported = sum(problem.objective != "squared_error" for problem in CASES)
    assert f"{len(CASES) - unsupported} were run." in text
    assert f"{unsupported} were not run: only the squared error" in text
    assert "1 was not run: each is run only in float64" in text
    assert "1 was not run: only a thorough run contains this problem" in text
    words = " ".join(" ".join(page.words).split())
    assert f"{len(CASES) + 2} problems: {len(CASES)} cases, only, another." in words
    assert "mine: all but one." in words


def test_columns_of_equal_names_have_different_ids(tmp_path):
    write_page([records(report()), records(report())], tmp_path / "page.html")
    page = Page((tmp_path / "page.html").read_text())
    assert len(set(page.ids)) == len(page.ids) == 2 * 3 * 3
    assert {"b-wrong-b-float64-kfra", "b-wrong-b-float64--2-kfra"} <= set(page.ids)


def test_reports_of_several_runs_share_a_page(tmp_path):
    files = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    run_, cells = records(report())
    for file, quantities in zip(files, (("gradient", "kfra"), ("q",)), strict=True):
        lines = [run_, *(cell for cell in cells if cell["quantity"] in quantities)]
        file.write_text("\n".join(map(json.dumps, lines)))
    assert cli.main(["report", *map(str, files), "--html", str(tmp_path / "page.html")]) == cli.PASSED
    text = (tmp_path / "page.html").read_text()
    assert text.count('<th scope="col">right') == 2
    assert text.index("<code>gradient</code>") < text.index("<code>q</code>") < text.index("<code>kfra</code>")
    assert text.count('<td class="not-run"></td>') == 3 * 3


def test_a_run_writes_both(tmp_path, monkeypatch):
    monkeypatch.setattr(standard, "REAL_PROBLEMS", {})
    monkeypatch.setattr(standard, "cases", lambda: CASES[:1])
    monkeypatch.setattr(standard, "fixed", tuple)
    monkeypatch.setattr(standard, "trajectory_problems", tuple)
    lines, page = tmp_path / "report.jsonl", tmp_path / "page.html"
    given = ["--backend", "numpy", "--examples", "0", "--quantity", "loss", "gradient", "kfra"]
    assert cli.main([*given, "--jsonl", str(lines), "--html", str(page)]) == cli.PASSED
    assert page.read_text().count('<span class="badge PASS">PASS</span>') == len(read_records(lines).cells) > 0
    again = tmp_path / "again.html"
    assert cli.main(["report", str(lines), "--html", str(again)]) == cli.PASSED
    assert again.read_text() == page.read_text()


def test_a_run_that_passed_ends_with_the_counts(capsys):
    """Only quantities, dtypes and problems with a judged answer are counted."""
    assert cli.main([*NUMPY, "--quantity", "loss"]) == cli.PASSED
    assert capsys.readouterr().out.splitlines()[-1] == "PASS: 1 quantity in 2 dtypes on 5 problems"
    given = [*NUMPY, "--backend", "numpy", "strict", "--quantity", "loss", "q", "shared_loss", "--dtype", "float64"]
    assert cli.main(given) == cli.PASSED
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "PASS: 2 quantities by 2 implementations in 1 dtype on 5 problems"


def test_a_run_that_failed_does_not_end_with_a_pass(capsys):
    print_summary(report(), Console())
    assert capsys.readouterr().out == ""


def passed():
    """A report of a run that passed, with an expected failure."""
    failure = Expected("<b>wrong</b>", "float64", "kfra", "*", "FAIL", "issue 7")
    rows = {name: row[:2] for name, row in report().rows.items()}
    rows["kfra"] = (rows["kfra"][0], replace(rows["kfra"][1], expected=(failure,)))
    found = replace(report(), columns=report().columns[:2], rows=rows)
    assert found.passed
    return found


def test_expected_failures_are_named_in_the_last_line():
    assert summary(passed()) == (
        f"PASS: 3 quantities by 2 implementations in 1 dtype on {len(CASES)} problems, except for expected failures"
    )


def test_the_last_line_is_one_line_on_a_narrow_terminal():
    console = Console(file=io.StringIO(), width=60, force_terminal=True, color_system=None)
    print_summary(passed(), console)
    assert console.file.getvalue() == f"{summary(passed())}\n"
    assert len(summary(passed())) > 60
