"""Reports in lines of JSON and on a page: everything that a run found is in them, and markup is no way in."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from functools import cache, partial
from html.parser import HTMLParser
from pathlib import Path

import pytest
from kfgn_conformance import cli
from kfgn_conformance.adapters import Conventions, Description
from kfgn_conformance.columns import columns_of
from kfgn_conformance.decoding import FileError
from kfgn_conformance.diagnosis import MISTAKES
from kfgn_conformance.diagnosis.textbook import Textbook
from kfgn_conformance.parallel import run_in_processes
from kfgn_conformance.problems import standard
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.reports import read_records, recorder, records, write_page, write_records
from kfgn_conformance.reports.records import TORN, UNFINISHED
from kfgn_conformance.run import Column, run

CASES = [p for p in cases() if p.transfers[0] == "tanh" and p.objective != "mixture"]


class Answers:
    """A textbook's answers, in sums where it says means."""

    def __init__(self, name, textbook, reduction="mean"):
        self.name, self.textbook, self.reduction = name, textbook, reduction

    def describe(self):
        quantities = frozenset({"gradient", "q", "kfra"})
        return Description(
            self.name, "1 < 2", "float64", quantities, {"flag": "on"}, Conventions(reduction=self.reduction)
        )

    def compute(self, problem, quantity):
        factor = problem.N if self.reduction == "sum" and quantity != "q" else 1
        return tuple(factor * array for array in self.textbook(problem).answer(quantity))


@cache
def report():
    wrong = MISTAKES["kflr-for-kfra"].textbook
    columns = [
        Column("right", Answers("right", Textbook, "sum")),
        Column("<b>wrong</b>", Answers("<b>wrong</b>", wrong)),
        Column("absent", reason="it is not installed"),
    ]
    return run(columns, CASES, lambda _name: None)


class Page(HTMLParser):
    """What opens what, and what is in it."""

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


def test_the_page_has_what_is_behind_every_cell(tmp_path):
    write_page([records(report())], tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    page = Page(text)
    assert page.buttons == list(page.texts)
    assert len(page.buttons) == 3 * 3  # of three quantities that are offered, with the column that is not usable
    wrong = next(" ".join(t.split()) for t in page.texts.values() if "kflr-for-kfra" in t)
    assert wrong.startswith("\u00d7 kfra by <b>wrong</b> float64")
    assert "FAIL" in wrong
    assert "worst on case-" in wrong
    assert MISTAKES["kflr-for-kfra"].says in wrong
    assert any("it is not installed" in t for t in page.texts.values())
    assert any("divided by N, as it is a sum over the datapoints" in t for t in page.texts.values())
    assert "<b>wrong</b>" not in text
    assert "1 &lt; 2" in text
    assert "flag: on" in " ".join(page.words)
    for outside in ("http://", "https://", "<script", "src="):
        assert outside not in text


def test_reports_of_several_runs_are_put_beside_each_other(tmp_path):
    files = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    run_, cells = records(report())
    for file, quantities in zip(files, (("gradient", "kfra"), ("q",)), strict=True):
        lines = [run_, *(cell for cell in cells if cell["quantity"] in quantities)]
        file.write_text("\n".join(map(json.dumps, lines)))
    assert cli.main(["report", *map(str, files), "--html", str(tmp_path / "page.html")]) == cli.PASSED
    text = (tmp_path / "page.html").read_text()
    assert text.count('<th scope="col">right') == 2
    assert text.index("<code>gradient</code>") < text.index("<code>q</code>") < text.index("<code>kfra</code>")
    assert text.count('<td class="unasked"></td>') == 3 * 3


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_run_leaves_the_rows_that_had_ended(ending, tmp_path):
    """The command is ended while the adapter keeps the third row waiting."""
    (tmp_path / "waits.py").write_text(WAITS)
    lines, waiting, page = (tmp_path / name for name in ("report.jsonl", "waiting", "page.html"))
    command = [sys.executable, "-m", "kfgn_conformance", "--adapter", "waits:Waits", "--in-process"]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, sys.path)]),
        "WAITING": str(waiting),
    }
    options = ["--dtype", "float64", "--examples", "0", "--jsonl", str(lines)]
    with subprocess.Popen([*command, *options], env=environment, stderr=subprocess.DEVNULL) as running:
        while not waiting.exists():
            assert running.poll() is None, running.returncode
            time.sleep(0.05)
        running.send_signal(ending)
    assert running.returncode == -ending
    run_, cells = read_records(lines)
    assert run_["notes"] == [UNFINISHED]
    assert [(cell["quantity"], cell["status"]) for cell in cells] == [("loss", "PASS"), ("gradient", "UNIMPLEMENTED")]
    assert cli.main(["report", str(lines), "--html", str(page)]) == cli.PASSED
    assert UNFINISHED in page.read_text()


def unfinished(file):
    """A report of a run that was ended after all its rows; its lines."""
    run_, cells = records(report())
    lines = [json.dumps(line) for line in (run_ | {"notes": [UNFINISHED]}, *cells)]
    file.write_text("".join(f"{line}\n" for line in lines))
    return lines


@pytest.mark.parametrize("left", [1, 20, -2, -1])
def test_the_last_line_of_an_unfinished_report_may_be_torn(left, tmp_path):
    """An interrupt in the middle of a write leaves the start of a line, which is left out with a note."""
    file, page = tmp_path / "report.jsonl", tmp_path / "page.html"
    lines = unfinished(file)
    file.write_text("\n".join([*lines[:-1], lines[-1][:left]]))
    run_, cells = read_records(file)
    assert run_["notes"] == [UNFINISHED, TORN]
    assert cells == [json.loads(line) for line in lines[1:-1]]
    assert cli.main(["report", str(file), "--html", str(page)]) == cli.PASSED
    assert TORN in page.read_text()


def test_a_last_line_without_its_end_is_whole(tmp_path):
    file = tmp_path / "report.jsonl"
    lines = unfinished(file)
    file.write_text("\n".join(lines))
    run_, cells = read_records(file)
    assert run_["notes"] == [UNFINISHED]
    assert cells == [json.loads(line) for line in lines[1:]]


@pytest.mark.parametrize(
    "change", [lambda text: text[:-9] + "\n", lambda text: text.replace(UNFINISHED, "through")[:-9]]
)
def test_no_other_line_is_left_out(change, tmp_path):
    """One that was written to its end, or one of a run that was through."""
    file = tmp_path / "report.jsonl"
    lines = unfinished(file)
    file.write_text(change(file.read_text()))
    with pytest.raises(FileError, match=f"line {len(lines)}: expected JSON"):
        read_records(file)


def test_a_report_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    """The disk is full, or the program is ended, in the middle of the last write."""
    file, link = tmp_path / "report.jsonl", tmp_path / "link"
    unfinished(file)
    link.symlink_to(file)
    before = file.read_text()

    def full(_self, _target):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", full)
        with pytest.raises(OSError, match="No space left"):
            write_records(report(), link)
    assert file.read_text() == before
    assert set(tmp_path.iterdir()) == {file, link}
    file.chmod(0o640)
    write_records(report(), link)
    assert link.is_symlink()
    assert file.stat().st_mode & 0o777 == 0o640
    assert UNFINISHED not in file.read_text()


WAITS = """
import os, time
from pathlib import Path
import numpy as np
from kfgn_conformance.adapters import Description
from kfgn_conformance.quantities import QUANTITIES


class Waits:
    def __init__(self, dtype):
        self.dtype = dtype

    def describe(self):
        return Description("waits", "1", self.dtype, frozenset({"loss", "preactivation_hessians"}))

    def compute(self, problem, quantity):
        if quantity != "loss":
            Path(os.environ["WAITING"]).touch()
            time.sleep(3600)
        return QUANTITIES["loss"].value(problem)
"""


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_row_is_written_once_as_it_ends(jobs, tmp_path):
    """In any order where processes share the rows, and the whole report in its order in the end."""
    file = tmp_path / "report.jsonl"
    columns = partial(columns_of, ("numpy",), "float64")
    ended = recorder(columns(), CASES, file)
    if jobs == 1:
        whole = run(columns(), CASES, lambda _: None, ended)
    else:
        whole = run_in_processes(jobs, columns(), columns, CASES, lambda _: None, ended)
    run_, cells = read_records(file)
    assert run_["notes"] == [UNFINISHED]
    assert sorted(map(json.dumps, cells)) == sorted(map(json.dumps, records(whole).cells))
    write_records(whole, file)
    assert [cell["quantity"] for cell in read_records(file).cells] == list(whole.rows)
    assert UNFINISHED not in file.read_text()


def test_a_pipe_is_written_to_once(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert recorder([], CASES, pipe) is recorder([], CASES, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: expected JSON"),
        ('{"kind": "cell"}', "expected a report as lines of JSON, the run first"),
        ('{"kind": "run", "format": 3, "notes": []}', "line 1: expected a field tolerance"),
        ("\x1f\x8b\x00", "line 1: expected JSON"),
        ('{"kind": "run", "format": 1}', "line 1: format: expected 3, got 1"),
        ("[" * 100_000, "line 1: expected JSON, got brackets that are nested too deep"),
        ('{"kind": "run", "format": 3}\n{', "line 2: expected JSON"),
        ("[1]", "expected a report as lines of JSON, the run first"),
    ],
)
def test_another_file_is_no_report(text, message, tmp_path, capsys):
    file = tmp_path / "other"
    file.write_text(text)
    with pytest.raises(FileError, match=message.replace("[", r"\[")):
        read_records(file)
    page = tmp_path / "page.html"
    with pytest.raises(SystemExit):
        cli.main(["report", str(file), "--html", str(page)])
    assert message in " ".join(capsys.readouterr().err.split())
    assert not page.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda cell: cell.pop("status"), "line 2: expected a field status"),
        (lambda cell: cell.update(column=3), "line 2: column: expected a number below 3, got 3"),
    ],
)
def test_a_cell_that_is_none_is_told(change, message, tmp_path):
    run_, cells = records(report())
    change(cells[0])
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, (run_, *cells))))
    with pytest.raises(FileError, match=message):
        read_records(tmp_path / "a.jsonl")


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
