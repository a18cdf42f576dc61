"""The command `python -m benchmarks`, with small networks, and the child process that measures memory."""

import json
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.cases import CASES
from benchmarks.child import measured
from benchmarks.settings import Settings
from benchmarks.sizes import Sizes


@pytest.fixture
def threads(monkeypatch):
    """Leave the threads and processors of this process as they are."""
    monkeypatch.setattr("benchmarks.__main__.use_threads", lambda number: None)


@pytest.mark.usefixtures("threads")
def test_rows_and_machine_are_written(tmp_path, capsys):
    path = tmp_path / "rows.json"
    options = ["--backend", "numpy", "--work", "gradient", "KFRA", "--clock", "cpu", "--quick", "--json", str(path)]
    assert main(["--case", "classifier", *options]) == 0
    written = json.loads(path.read_text())
    rows = {(row["work"], row["library"]): row for row in written["rows"]}
    row = rows["KFRA", "numpy"]
    assert row["seconds"] > 0
    assert row["ratios"]["over floor"][0] > 1  # a small network does far more than products
    assert set(row["phases"]) == {"forward", "backward", "weight gradients", "Q", "E[H_L]", "slopes", "recursion"}
    assert written["machine"]["versions"].keys() >= {"python", "numpy"}
    assert written["machine"]["threads"] >= 1
    printed = capsys.readouterr().out
    assert "KFRA" in printed
    assert "floor in ms" in printed


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("case", ["growth", "start", "primitives", "trainer", "shared"])
def test_cases_without_a_floor(case, capsys):
    assert main(["--case", case, "--backend", "numpy", "--work", "KFAC, 1 sample", "--clock", "cpu", "--quick"]) == 0
    assert case in capsys.readouterr().out


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize(("option", "name"), [("--case", "no-such-table"), ("--work", "no-such-work")])
def test_unknown_names_are_refused(option, name, capsys):
    with pytest.raises(SystemExit, match="2"):
        main([option, name])
    assert f"{option}: expected names among" in capsys.readouterr().err


def test_every_table_has_a_case():
    of_networks = {"autoencoder", "classifier", "small"}
    assert set(CASES) == of_networks | {"shared", "roots", "classes", "growth", "start", "primitives", "trainer"}


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peak memory is read from /proc")
def test_peak_memory_of_a_call():
    sizes, settings = Sizes((4, 8, 5_000), 500, "categorical"), Settings(("numpy",), clock="cpu")
    seconds, peak = measured("KFAC of given labels", "numpy", sizes, settings)
    G = 4 * 5_000**2
    assert seconds > 0
    assert G <= peak <= 5 * G


def test_a_call_that_fails_is_reported():
    with pytest.raises(RuntimeError, match="no-such-work by numpy: expected exit status 0"):
        measured("no-such-work", "numpy", Sizes((4, 3), 5), Settings(("numpy",)))
