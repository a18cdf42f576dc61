"""Writing of reports: after each row, in one piece at the end, and without the loss of an old report."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from kfgn_conformance import cli
from kfgn_conformance.opening import open_implementations
from kfgn_conformance.parallel import run_in_processes
from kfgn_conformance.reports import read_records, recorder, records, write_records
from kfgn_conformance.reports.json_lines import UNFINISHED, incomplete_lines
from kfgn_conformance.results import Row
from kfgn_conformance.runner import run

from .example_report import CASES, report, unfinished

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


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_run_leaves_its_completed_rows(ending, tmp_path):
    """The command is ended while the adapter delays the third row."""
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


def test_a_report_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    """The disk is full, or the program is ended, during the last write."""
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


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_row_is_written_once_when_it_is_complete(jobs, tmp_path):
    """Several processes write the rows in any order. At the end the report has the order of the table."""
    file = tmp_path / "report.jsonl"
    opening, names = partial(open_implementations, ("numpy",), "float64"), ("loss", "gradient", "kfra", "solve_exact")
    columns = [each.column for each in opening()]
    ended = recorder(columns, CASES, file)
    if jobs == 1:
        whole = run(opening(), CASES, quantities=names, ended=ended)
    else:
        whole = run_in_processes(jobs, columns, opening, CASES, quantities=names, ended=ended)
    run_, cells = read_records(file)
    assert run_["notes"] == [UNFINISHED]
    assert sorted(map(json.dumps, cells)) == sorted(map(json.dumps, records(whole).cells))
    write_records(whole, file)
    assert [cell["quantity"] for cell in read_records(file).cells] == list(whole.rows)
    assert UNFINISHED not in file.read_text()


def test_a_row_after_an_incomplete_line_begins_on_a_new_line(tmp_path):
    """A disk that was full for some time has cut the second row short. The third row is complete."""
    file, whole = tmp_path / "report.jsonl", report()
    add = recorder(whole.columns, whole.problems, file)
    first, second, third = ((name, whole.rows[name]) for name in ("gradient", "q", "kfra"))
    for name, cells in (first, second):
        add(name, Row(cells))
    os.truncate(file, file.stat().st_size - 20)
    add(third[0], Row(third[1]))
    run_, cells = read_records(file)
    assert [cell["quantity"] for cell in cells] == [*["gradient"] * 3, *["q"] * 2, *["kfra"] * 3]
    assert run_["notes"] == [UNFINISHED, incomplete_lines([7])]


def test_a_pipe_is_written_once(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert recorder([], CASES, pipe) is recorder([], CASES, None)
