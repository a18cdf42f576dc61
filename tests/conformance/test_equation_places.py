"""The places of an equation's code and test that `kfgn-check equations` prints."""

import sys
from pathlib import Path

import pytest
from kfgn_conformance.equation_places import ROOT, line_of_test, place_of
from kfgn_reference import EQUATIONS, kfra


def test_the_places_outside_of_a_clone(tmp_path, monkeypatch):
    """Paths are full in a folder elsewhere. An installed package has no tests, and no command that runs one."""
    monkeypatch.chdir(tmp_path)
    file, _, line = place_of(kfra).rpartition(":")
    assert Path(file).read_text().splitlines()[int(line) - 1].startswith("def kfra(")
    test = EQUATIONS[26].test
    assert line_of_test(test) == f"tested by: pytest {ROOT / test}"
    monkeypatch.setattr("kfgn_conformance.equation_places.ROOT", tmp_path)
    assert line_of_test(test) == f"tested by {test}"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not delete the current folder of a process")
def test_the_places_in_a_deleted_folder_are_full(tmp_path, monkeypatch):
    deleted = tmp_path / "deleted"
    deleted.mkdir()
    monkeypatch.chdir(deleted)
    deleted.rmdir()
    assert place_of(kfra).startswith(str(ROOT / "reference"))
    assert line_of_test(EQUATIONS[26].test) == f"tested by: pytest {ROOT / EQUATIONS[26].test}"
