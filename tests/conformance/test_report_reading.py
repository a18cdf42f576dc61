"""Reading of reports: incomplete lines of an interrupted run, pipes, and malformed files."""

import json
import os
import subprocess
import sys
import threading

import pytest
from kfgn_conformance import cli, decoding
from kfgn_conformance.decoding import FileError
from kfgn_conformance.reports import read_records, records
from kfgn_conformance.reports.json_lines import UNFINISHED, incomplete_lines

from .example_report import report, unfinished
from .processes import LONG


@pytest.mark.parametrize("left", [1, 20, -2, -1])
def test_the_last_line_of_an_interrupted_report_may_be_incomplete(left, tmp_path):
    """An interrupt during a write leaves the start of a line."""
    file, page = tmp_path / "report.jsonl", tmp_path / "page.html"
    lines = unfinished(file)
    file.write_text("\n".join([*lines[:-1], lines[-1][:left]]))
    run_, cells = read_records(file)
    note = f"line {len(lines)} of the report is incomplete and is left out"
    assert run_["notes"] == [UNFINISHED, note]
    assert cells == [json.loads(line) for line in lines[1:-1]]
    assert cli.main(["report", str(file), "--html", str(page)]) == cli.PASSED
    assert note in page.read_text()


@pytest.mark.parametrize("damaged", [{3}, {4, 6}])
@pytest.mark.parametrize("left", [0, 1, 20, -1])
def test_incomplete_lines_between_others_are_left_out(damaged, left, tmp_path):
    """A disk that was full for some time leaves the starts of lines."""
    file = tmp_path / "report.jsonl"
    lines = unfinished(file)
    file.write_text("".join(f"{line[:left] if i in damaged else line}\n" for i, line in enumerate(lines, start=1)))
    run_, cells = read_records(file)
    assert run_["notes"] == [UNFINISHED, incomplete_lines(sorted(damaged))]
    assert cells == [json.loads(line) for i, line in enumerate(lines, start=1) if i not in {1, *damaged}]


def test_the_note_names_every_incomplete_line():
    assert incomplete_lines([3]) == "line 3 of the report is incomplete and is left out"
    assert incomplete_lines([4, 6]) == "lines 4, 6 of the report are incomplete and are left out"


def test_a_last_line_without_a_line_break_is_complete(tmp_path):
    file = tmp_path / "report.jsonl"
    lines = unfinished(file)
    file.write_text("\n".join(lines))
    run_, cells = read_records(file)
    assert run_["notes"] == [UNFINISHED]
    assert cells == [json.loads(line) for line in lines[1:]]


def test_an_incomplete_first_line_is_an_error(tmp_path):
    """The first line describes the run, so no report can be read without it."""
    file = tmp_path / "report.jsonl"
    lines = unfinished(file)
    file.write_text("\n".join([lines[0][:-9], *lines[1:]]))
    with pytest.raises(FileError, match="line 1: expected JSON"):
        read_records(file)


@pytest.mark.parametrize("number", [1, 3, -1])
def test_an_incomplete_line_of_a_completed_run_is_an_error(number, tmp_path):
    file = tmp_path / "report.jsonl"
    lines = unfinished(file)
    i = number % (len(lines) + 1)
    lines[i - 1] = lines[i - 1][:-9]
    file.write_text("\n".join(lines).replace(UNFINISHED, "completed"))
    with pytest.raises(FileError, match=f"line {i}: expected JSON"):
        read_records(file)


@pytest.fixture
def piped():
    """A function that writes a text to a pipe in the background and returns the path of the pipe."""
    writers = []

    def write(text):
        reading, writing = os.pipe()
        writers.append((threading.Thread(target=_write, args=(writing, text)), reading))
        writers[-1][0].start()
        return f"/dev/fd/{reading}"

    yield write
    for thread, reading in writers:
        os.close(reading)
        thread.join(LONG)


def _write(descriptor, text):
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as pipe:
            pipe.write(text)
    except BrokenPipeError:  # the reader has read enough
        pass


def test_a_report_may_come_from_a_pipe(piped, tmp_path):
    """A pipe holds 64 KiB, so a longer report arrives in several parts."""
    file, page = tmp_path / "report.jsonl", tmp_path / "page.html"
    lines = unfinished(file)
    run = json.loads(lines[0])
    run["notes"] += ["x" * 1000] * 200
    text = "\n".join([json.dumps(run), *lines[1:]])
    assert cli.main(["report", piped(text), "--html", str(page)]) == cli.PASSED
    file.write_text(text)
    from_file = tmp_path / "from_file.html"
    assert cli.main(["report", str(file), "--html", str(from_file)]) == cli.PASSED
    assert page.read_text() == from_file.read_text()


def test_a_report_may_come_from_a_process_substitution(tmp_path):
    file = tmp_path / "report.jsonl"
    unfinished(file)
    command = f"'{sys.executable}' -m kfgn_conformance report <(cat '{file}') --html '{tmp_path}/page.html'"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=LONG)
    assert (done.returncode, done.stderr) == (cli.PASSED, "")
    assert UNFINISHED in (tmp_path / "page.html").read_text()


def test_a_pipe_and_a_file_have_the_same_size_limit(piped, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(decoding, "MAX_BYTES", 10**5)
    file = tmp_path / "report.jsonl"
    file.write_text("x" * (10**5 + 1))
    for place in (str(file), piped("x" * 10**6)):
        with pytest.raises(SystemExit):
            cli.main(["report", place, "--html", str(tmp_path / "page.html")])
        assert (
            f"{place}: expected a file that can be read: the file has more than 100000 bytes" in capsys.readouterr().err
        )


def test_an_empty_pipe_is_an_error(piped, tmp_path, capsys):
    with pytest.raises(SystemExit):
        cli.main(["report", piped(""), "--html", str(tmp_path / "page.html")])
    assert "expected a file that can be read: the file is an empty pipe" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: expected JSON"),
        ('{"kind": "cell"}', "expected a report as lines of JSON, with the run on the first line"),
        ('{"kind": "run", "format": 4, "notes": []}', "line 1: expected a field tolerance"),
        ("\x1f\x8b\x00", "line 1: expected JSON"),
        ('{"kind": "run", "format": 1}', "line 1: format: expected 4, got 1"),
        ("[" * 100_000, "line 1: expected JSON, got brackets that are nested too deep"),
        ("[1]", "expected a report as lines of JSON, with the run on the first line"),
    ],
)
def test_a_malformed_file_is_an_error(text, message, tmp_path, capsys):
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
        (lambda cell: cell.update(column=3), "line 2: column: expected a number from 0 to 2, got 3"),
        (lambda cell: cell.update(supported=99), "line 2: supported: expected a number from 0 to"),
    ],
)
def test_a_malformed_cell_is_an_error(change, message, tmp_path):
    run_, cells = records(report())
    change(cells[0])
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, (run_, *cells))))
    with pytest.raises(FileError, match=message):
        read_records(tmp_path / "a.jsonl")
