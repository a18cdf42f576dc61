"""Every command when the reader of its standard output has ended, as in `kfgn-check equations | head`: no error."""

import contextlib
import io
import os
import subprocess
import sys

import pytest
from kfgn_conformance import cli, golden
from kfgn_conformance.problem_sets import standard
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.reports import write_records

from .example_report import report

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pipes differ on this system")

COMMANDS = {
    "help": ["--help"],
    "version": ["--version"],
    "run": ["--backend", "numpy", "--quantity", "q", "--examples", "0"],
    "run, help": ["run", "--help"],
    "report": ["report", "report.jsonl", "--html", "page.html"],
    "certify": ["certify", "--examples", "1"],
    "vectors list": ["vectors", "list", "vectors"],
    "vectors verify": ["vectors", "verify", "vectors"],
    "equations": ["equations"],
    "equations KFRA": ["equations", "KFRA"],
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Make a folder with a report and a golden vector, and change to it. The kit has a single problem."""
    monkeypatch.chdir(tmp_path)
    write_records(report(), tmp_path / "report.jsonl")
    (tmp_path / "vectors").mkdir()
    (tmp_path / "vectors" / "loss.json").write_bytes((golden.FOLDER / "loss.json").read_bytes())
    monkeypatch.setattr("kfgn_conformance.golden.checking.CAN_CERTIFY", False)  # certification takes most of the time
    monkeypatch.setattr("kfgn_conformance.certified.certify", lambda *_: [])
    monkeypatch.setattr(standard, "REAL_PROBLEMS", {})
    monkeypatch.setattr(standard, "cases", lambda: cases()[:1])
    monkeypatch.setattr(standard, "fixed", tuple)
    monkeypatch.setattr(standard, "trajectory_problems", tuple)


def called(arguments, stdout):
    """The exit status of the command, and its standard error."""
    err = io.StringIO()
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(err):
        try:
            return cli.main(arguments), err.getvalue()
        except SystemExit as end:
            return end.code, err.getvalue()


@contextlib.contextmanager
def without_reader(*, buffered):
    """A text stream to a pipe that nobody reads."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as raw:
        yield io.TextIOWrapper(raw, encoding="utf-8", write_through=not buffered)


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_whose_reader_has_ended_has_its_own_exit_status(name, buffered):
    status, _ = called(COMMANDS[name], io.StringIO())
    with without_reader(buffered=buffered) as closed:
        found, err = called(COMMANDS[name], closed)
    assert found == status
    assert "error" not in err
    assert "Traceback" not in err


def test_a_failed_run_fails_without_a_reader(monkeypatch):
    """The exit status is that of the verdicts, and not that of the pipe."""
    monkeypatch.setattr("kfgn_conformance.adapters.kfgn_port.COMPUTE", {"q": lambda p: tuple(p.weights)})
    with without_reader(buffered=True) as closed:
        status, _ = called(COMMANDS["run"], closed)
    assert status == cli.FAILED


def test_the_pipe_of_a_shell():
    """The same in a separate process, which Python ends by another flush."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        program = [sys.executable, "-m", "kfgn_conformance", "equations"]
        done = subprocess.run(program, stdout=closed, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
