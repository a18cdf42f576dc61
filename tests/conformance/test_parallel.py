"""Rows shared among processes. No row is lost, and no process outlives the kit."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from kfgn_conformance import Status
from kfgn_conformance.opening import open_implementations
from kfgn_conformance.parallel import run_in_processes
from kfgn_conformance.problems.cases import cases

from .processes import LONG, alive, wait_until, with_proc

HERE = Path(__file__).parent
CASE = next(p for p in cases() if p.id == "case-squared_error-tanh")


def test_rows_that_were_judged_stay_when_a_process_ends(monkeypatch, tmp_path):
    """An adapter ends the process of the kit in the second row. The first row, which is last in the table, is kept."""
    monkeypatch.syspath_prepend(str(HERE))
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "ending.py").write_text(
        "import os\nfrom kfgn_conformance.adapters import Description\nfrom misbehaving import Right\n"
        "class Ends(Right):\n"
        "    def describe(self):\n"
        "        return Description('ends', '1', self.dtype, {'loss', 'gradient', 'q'})\n"
        "    def compute(self, problem, quantity):\n"
        "        return os._exit(1) if quantity == 'gradient' else super().compute(problem, quantity)\n"
    )
    opening = partial(open_implementations, (), "float64", ("ending:Ends", "nowhere:Adapter"), None)
    columns = [each.column for each in opening()]
    problems = [CASE, replace(CASE, id="another")]
    report = run_in_processes(1, columns, opening, problems)
    found = {name: [cell.status for cell in report.rows[name]] for name in ("loss", "gradient", "q", "kfra")}
    assert found == {
        "loss": [Status.ERROR, Status.SKIPPED],
        "gradient": [Status.ERROR, Status.SKIPPED],
        "q": [Status.PASS, Status.SKIPPED],
        "kfra": [Status.UNIMPLEMENTED, Status.SKIPPED],
    }
    detail = "the row was not judged, since a process of the kit ended too early"
    assert [(v.problem, v.detail) for v in report.rows["loss"][0].verdicts] == [(CASE.id, detail), ("another", detail)]


KIT = """
import signal, sys
from functools import partial
from kfgn_conformance.opening import open_implementations
from kfgn_conformance.parallel import run_in_processes
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.results import Column

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores it in what it starts in the background
    opening = partial(open_implementations, (), "float64", ("misbehaving:StartsChildrenAndHangs",), 3600.0)
    run_in_processes(2, [Column("hangs")], opening, [cases()[0]])
"""


@with_proc
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda s: s.name)
def test_no_process_outlives_the_kit(end, tmp_path):
    noted = tmp_path / "pids"
    noted.touch()
    (tmp_path / "kit.py").write_text(KIT)
    path = os.pathsep.join([str(HERE), *(entry for entry in sys.path if entry)])
    environment = {**os.environ, "PYTHONPATH": path, "KFGN_TEST_PIDS": str(noted)}
    kit = subprocess.Popen([sys.executable, "kit.py"], cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: len(noted.read_text().split()) == 4 or kit.poll() is not None)
        workers = _children(kit.pid)
        assert len(workers) >= 2
        kit.send_signal(end)
        kit.wait(LONG)
    finally:
        kit.kill()
        kit.wait()
    family = [*map(int, noted.read_text().split()), *workers]
    wait_until(lambda: not [pid for pid in family if alive(pid)])


def _children(parent):
    found = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            found[int(file.parent.name)] = int(file.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    return [pid for pid, its_parent in found.items() if its_parent == parent]
