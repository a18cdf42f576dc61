"""Reports as lines of JSON and as a page: both contain all results of a run, and text cannot become markup."""

import json
from html.parser import HTMLParser

from kfgn_conformance import cli
from kfgn_conformance.diagnosis import MISTAKES
from kfgn_conformance.problem_sets import standard
from kfgn_conformance.reports import read_records, records, write_page

from .example_report import CASES, report


class Page(HTMLParser):
    """The buttons of a page, and the texts of the elements that they open."""

    def __init__(self, text):
        super().__init__()
        self.buttons, self.texts, self.open, self.words = [], {}, None, []
        self.depth = 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "button" and "popovertargetaction" not in given:
            self.buttons.append(given["popovertarget"])
        if tag == "div":
            if "popover" in given:
                self.open, self.depth = given["id"], 0
                self.texts[self.open] = ""
            self.depth += 1

    def handle_endtag(self, tag):
        if tag == "div":
            self.depth -= 1
            if self.depth == 0:
                self.open = None

    def handle_data(self, data):
        self.words.append(data)
        if self.open:
            self.texts[self.open] += data


def test_the_page_has_the_details_of_every_cell(tmp_path):
    write_page([records(report())], tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    page = Page(text)
    assert page.buttons == list(page.texts)
    assert len(page.buttons) == 3 * 3  # three offered quantities and three columns, of which one is not usable
    wrong = next(" ".join(t.split()) for t in page.texts.values() if "kflr-for-kfra" in t)
    assert wrong.startswith("\u00d7 kfra by <b>wrong</b> float64")
    assert "FAIL" in wrong
    assert "worst problem case-" in wrong
    assert MISTAKES["kflr-for-kfra"].description in wrong
    assert any("it is not installed" in t for t in page.texts.values())
    assert any("divided by N, as the answer is a sum over the datapoints" in t for t in page.texts.values())
    assert "<b>wrong</b>" not in text
    assert "1 &lt; 2" in text
    assert "flag: on" in " ".join(page.words)
    for outside in ("http://", "https://", "<script", "src="):
        assert outside not in text


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
    given = ["--backend", "numpy", "--examples", "0", "--jsonl", str(lines), "--html", str(page)]
    assert cli.main(given) == cli.PASSED
    assert page.read_text().count("PASS&nbsp;") == len(read_records(lines).cells) > 0
    again = tmp_path / "again.html"
    assert cli.main(["report", str(lines), "--html", str(again)]) == cli.PASSED
    assert again.read_text() == page.read_text()
