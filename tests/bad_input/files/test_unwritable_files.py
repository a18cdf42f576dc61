"""Files that cannot be written: one line names the file, and all other output is kept."""

import os
from pathlib import Path

import pytest
from kfgn_conformance import cli

from kfgn.lab import Options, UsageError, read_run, train
from kfgn.lab.cli import main

from .commands import CHECK, call, fault_of_error


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.usefixtures("small")
def test_a_report_that_cannot_be_written_is_named_and_printed():
    done = call(cli.main, *CHECK, "--jsonl", "/dev/full")
    assert done.status == cli.UNWRITTEN
    assert fault_of_error(done, "/dev/full") == ""
    assert "error / tolerance" in done.out


def test_files_are_written_before_the_table(tmp_path, monkeypatch):
    monkeypatch.setattr("kfgn.lab.cli.print_runs", lambda runs, console: (_ for _ in ()).throw(UsageError("no table")))
    train(Options("digits", updates=1), tmp_path / "run")
    assert call(main, "show", tmp_path / "run", "--out", tmp_path / "picture.png").status == 2
    assert (tmp_path / "picture.png").exists()


def test_the_table_is_printed_if_the_picture_cannot_be_written(tmp_path):
    train(Options("digits", updates=1), tmp_path / "run")
    (tmp_path / "picture.png").mkdir()
    done = call(main, "show", tmp_path / "run", "--out", tmp_path / "picture.png")
    assert (done.status, fault_of_error(done, "picture.png could not be written")) == (1, "")
    assert f"{read_run(tmp_path / 'run').final():.5g}" in done.out


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="this user may write everywhere")
def test_a_folder_that_may_not_be_written(tmp_path):
    tmp_path.chmod(0o500)
    done = call(main, "train", "--data", "digits", "--updates", 1, "--out", tmp_path / "run")
    assert (done.status, fault_of_error(done, "run")) == (1, "")
    done = call(cli.main, "--jsonl", tmp_path / "report.jsonl")
    assert (done.status, fault_of_error(done, "report.jsonl")) == (2, "")
