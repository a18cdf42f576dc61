"""Runs that take long: lines of progress in a pipe, an interruption, and runs on some problems alone."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from kfgn_conformance import cli, pools
from kfgn_conformance.reports import read_records

from .processes import LONG


@pytest.fixture
def few(only):
    """Replace all problems by the cases with tanh units, and the added cases."""
    only("-tanh")


GIVEN = ["--backend", "numpy", "strict", "--dtype", "float64", "--examples", "0"]


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_each_row_that_ends_is_a_line_of_a_pipe(jobs, capsys):
    assert cli.main([*GIVEN, "--quantity", "loss", "kfra", "--jobs", jobs]) == cli.PASSED
    first, *lines = capsys.readouterr().err.splitlines()
    assert first == "kfgn-check: preparing the fixed problems"
    assert sorted(line.split(": ")[1] for line in lines) == ["kfra", "loss"]
    assert [line.split(" after ")[0] for line in lines] == ["1 of 2", "2 of 2"]
    assert all(line.endswith(": passed") for line in lines)


@pytest.mark.usefixtures("few")
def test_a_quantity_that_nobody_offers_has_no_line(monkeypatch, capsys):
    monkeypatch.chdir(Path(__file__).parent)  # where small_kfac.py is
    small = ["--adapter", "small_kfac:SmallKfac", "--in-process", "--dtype", "float64", "--examples", "0"]
    assert cli.main([*small, "--quantity", "loss", "gradient"]) == cli.PASSED
    lines = [line for line in capsys.readouterr().err.splitlines() if " after " in line]
    assert {line.split(": ", 1)[1] for line in lines} == {"gradient: passed"}


@pytest.mark.usefixtures("few")
def test_the_time_of_a_line_includes_the_preparation_of_the_problems(monkeypatch, capsys):
    prepare, now = cli.problem_set, iter([0.0, *[75.0] * 9])

    def prepared(*given, **options):
        assert next(now) == 75  # the preparation takes 75 s
        return prepare(*given, **options)

    monkeypatch.setattr(cli, "monotonic", lambda: next(now))
    monkeypatch.setattr(cli, "problem_set", prepared)
    assert cli.main([*GIVEN, "--quantity", "loss"]) == cli.PASSED
    assert capsys.readouterr().err.splitlines()[1] == "1 of 1 after 75 s: loss: passed"


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("jobs", ["1", pytest.param("2", marks=pytest.mark.thorough)])
def test_an_adapter_that_supports_few_problems_has_more(jobs, monkeypatch, capsys, tmp_path):
    """As many as `check` adds. The rows are run again with them, and the report has all problems."""
    monkeypatch.chdir(Path(__file__).parent)
    small = ["--adapter", "small_kfac:SmallKfac", "--dtype", "float64", "--examples", "0", "--quantity", "gradient"]
    file = tmp_path / "report"
    assert cli.main([*small, "--jobs", jobs, "--jsonl", str(file)]) == cli.PASSED
    out, err = capsys.readouterr()
    assert "Problems: 9 cases, 19 added problems." in out
    assert "note: 19 problems were added, with the supported transfer functions and objectives" in out
    assert "supports only" not in out
    assert [line.split(" after ")[0] for line in err.splitlines()[1:]] == [
        "1 of 1",
        "kfgn-check: running again with 19 added problems",
        "1 of 1",
    ]
    report = read_records(file)
    assert [(cell["supported"], cell["problems"]) for cell in report.cells] == [(20, 28)]
    assert len(report.run["problems"]) == 28
    assert cli.main([*small, "--problem", "case-*"]) == cli.PASSED
    assert "added" not in capsys.readouterr().out


@pytest.mark.usefixtures("few")
def test_several_adapters_have_a_note(monkeypatch, capsys):
    monkeypatch.chdir(Path(__file__).parent)
    twice = ["--adapter", *["small_kfac:SmallKfac"] * 2, "--in-process", "--dtype", "float64", "--examples", "0"]
    assert cli.main([*twice, "--quantity", "gradient"]) == cli.PASSED
    out = capsys.readouterr().out
    assert "note: 2 columns have the name small float64" in out
    assert "note: small float64 supports only 1 problem of this run; a run of this adapter alone adds similar" in out
    assert "added problem" not in out


@pytest.mark.usefixtures("few")
def test_a_line_names_who_failed(monkeypatch, capsys):
    right = cli.open_implementations

    def wrong(*given, **options):
        opened = right(*given, **options)
        compute = opened[1].adapter.compute
        opened[1].adapter.compute = lambda problem, quantity: tuple(2 * a for a in compute(problem, quantity))
        return opened

    monkeypatch.setattr(cli, "open_implementations", wrong)
    assert cli.main([*GIVEN, "--quantity", "gradient"]) == cli.FAILED
    assert capsys.readouterr().err.splitlines()[1].endswith("s: gradient: FAIL by strict float64")


@pytest.mark.usefixtures("few")
def test_the_problems_of_each_backend_are_written_above_the_table(capsys, tmp_path):
    assert cli.main([*GIVEN, "--quantity", "loss", "--jsonl", str(tmp_path / "report")]) == cli.PASSED
    text = " ".join(capsys.readouterr().out.split())
    assert text.index("strict: a case for each objective") < text.index("A run with --thorough") < text.index("loss ")
    assert "9 0.0" in text  # the number of problems of NumPy, and the ratio
    assert "(5)" in text  # array-api-strict has five of them
    report = read_records(tmp_path / "report")
    assert [(cell["supported"], cell["problems"]) for cell in report.cells] == [(9, 9), (5, 5)]
    assert report.run["notes"][0].startswith("strict: a case for each objective")


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(
    ("options", "count"), [(["--thorough"], 9), (["--problem", "case-mixture*", "case-bern*"], 3)], ids=lambda x: str(x)
)
def test_a_run_on_some_problems_and_a_thorough_run_leave_nothing_out(options, count, capsys, tmp_path):
    file = tmp_path / "report"
    assert cli.main([*GIVEN, "--quantity", "loss", *options, "--jsonl", str(file)]) == cli.PASSED
    assert [(cell["supported"], cell["problems"]) for cell in read_records(file).cells] == [(count, count)] * 2
    assert "--thorough" not in capsys.readouterr().out


KIT = """
import os, signal, sys, threading
from kfgn_conformance import cli
from kfgn_conformance.problem_sets import standard
from kfgn_conformance.problems.cases import cases

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores it in what it starts in the background
    standard.REAL_PROBLEMS, standard.fixed, standard.trajectory_problems = {}, tuple, tuple
    standard.cases = lambda: cases()[:1]
    sys.exit(cli.main(sys.argv[1:]))
"""


def interrupted(kit):
    """Press Ctrl-C, and again after some seconds: Python ignores an interrupt that a destructor meets."""
    for seconds in (10.0, 10.0, LONG):
        kit.send_signal(signal.SIGINT)
        try:
            return kit.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as error:
            late = error
    raise late


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupted_run_reports_the_rows_that_had_ended(jobs, tmp_path):
    """The adapter hangs in one row. Ctrl-C comes after the line of another row."""
    (tmp_path / "kit.py").write_text(KIT)
    (tmp_path / "hanging.py").write_text(
        "import time\nfrom kfgn_conformance.adapters import Description\nfrom misbehaving import Right\n"
        "class Hangs(Right):\n"
        "    def describe(self):\n"
        "        return Description('hangs', '1', self.dtype, {'loss', 'q'})\n"
        "    def compute(self, problem, quantity):\n"
        f"        return time.sleep(3600) if quantity == {'q' if jobs == '1' else 'loss'!r} "
        "else super().compute(problem, quantity)\n"
    )
    given = ["--adapter", "hanging:Hangs", "--in-process", "--dtype", "float64", "--examples", "0", "--jobs", jobs]
    given += ["--quantity", "loss", "q", "--jsonl", "report.jsonl", "--html", "report.html"]
    path = os.pathsep.join([str(Path(__file__).parent), str(tmp_path), *(entry for entry in sys.path if entry)])
    kit = subprocess.Popen(
        [sys.executable, "kit.py", *given],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        ended = next(line for line in kit.stderr if line.startswith("1 of 2 after "))
        out, err = interrupted(kit)
    finally:
        kit.kill()
        kit.wait()
    name = ended.split(": ")[1]
    assert kit.returncode == cli.INTERRUPTED
    assert "kfgn-check: interrupted: 1 of 2 rows are complete" in err
    assert f"{name} " in out
    assert "the run was interrupted" in " ".join(out.split())
    report = read_records(tmp_path / "report.jsonl")
    assert [(cell["quantity"], cell["status"]) for cell in report.cells] == [(name, "PASS")]
    assert "the run was interrupted" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(("gibibytes", "jobs"), [(24, 6), (9, 2), (3, 1), (100, 8)])
def test_processes_take_at_most_half_of_the_free_memory(gibibytes, jobs, monkeypatch, tmp_path):
    (tmp_path / "meminfo").write_text(f"MemTotal: 1 kB\nMemAvailable:   {gibibytes * 2**20} kB\n")
    monkeypatch.setattr(pools, "MEMINFO", tmp_path / "meminfo")
    assert pools.affordable(8) == jobs
    monkeypatch.setattr(pools, "MEMINFO", tmp_path / "absent")
    assert pools.affordable(8) == 8
