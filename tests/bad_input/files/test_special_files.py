"""Pipes, devices and circular links instead of files: one plain line, without waiting."""

import os
import shutil
import subprocess
import sys

import pytest
from kfgn_conformance import cli
from kfgn_conformance.writing import unwritable

from kfgn.lab import Options, train
from kfgn.lab.cli import main

from .commands import call, fault_of_error

pytestmark = pytest.mark.usefixtures("unrendered")

KFGN = (sys.executable, "-m", "kfgn.lab")
CHECK = (sys.executable, "-m", "kfgn_conformance")
ENDLESS = "the path is a pipe, a device or a socket"


def run(*command, limit=120):
    """Run a command that might read forever. Raises `subprocess.TimeoutExpired` if it does."""
    given = list(map(str, command))
    return subprocess.run(given, capture_output=True, text=True, check=False, timeout=limit, stdin=subprocess.DEVNULL)


@pytest.fixture
def pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    train(Options(data="digits", method="adam", updates=1), folder)
    return folder


REPORT, EXPECTED = ("report", "FILE", "--html", "page.html"), ("--expected", "FILE")
EMPTY, DEVICE = ("pipe", "the file is an empty pipe"), ("/dev/zero", "the file is a device")


@pytest.mark.parametrize(
    ("command", "file", "reason"),
    [
        (REPORT, *EMPTY),
        (EXPECTED, *DEVICE),
        pytest.param(REPORT, *DEVICE, marks=pytest.mark.thorough),
        pytest.param(EXPECTED, *EMPTY, marks=pytest.mark.thorough),
    ],
)
def test_a_pipe_without_a_writer_or_a_device_is_not_read(command, file, reason, pipe):
    path = pipe if file == "pipe" else file
    done = run(*CHECK, *(path if word == "FILE" else word for word in command))
    assert done.returncode == cli.USAGE
    assert f"{path}: expected a file that can be read: {reason}" in " ".join(done.stderr.split())


def test_a_golden_vector_that_is_an_empty_pipe_is_a_fault(tmp_path):
    os.mkfifo(tmp_path / "a.json")
    done = run(*CHECK, "vectors", "list", tmp_path)
    assert done.returncode == cli.USAGE
    assert "the file is an empty pipe" in done.stderr


@pytest.mark.parametrize("file", ["configuration.json", "metrics.jsonl", "checkpoint-000000001.safetensors"])
def test_a_file_of_a_run_that_is_a_pipe_is_not_read(file, trained, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(trained, folder)
    (folder / file).unlink()
    os.mkfifo(folder / file)
    done = run(*KFGN, "train", "--resume", "--out", folder, "--updates", 2)
    assert ENDLESS in done.stderr
    assert "Traceback" not in done.stderr


def test_circular_links_are_one_line(trained, tmp_path):
    loop, report = tmp_path / "loop", tmp_path / "report.jsonl"
    loop.symlink_to(loop)
    report.touch()
    for option in ("--html", "--jsonl"):
        done = call(cli.main, option, loop)
        assert (done.status, fault_of_error(done, str(loop))) == (cli.USAGE, "")
    done = call(cli.main, "report", report, "--html", loop)
    assert (done.status, fault_of_error(done, str(loop))) == (cli.USAGE, "")
    assert "Traceback" not in run(*KFGN, "show", trained, "--out", loop).stderr


def test_the_check_of_an_output_file_changes_nothing(pipe, tmp_path):
    """Opening a pipe for writing would signal its reader the end. A link without a target must not be filled."""
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "absent")
    assert unwritable(link) == ""
    assert link.is_symlink()
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(pipe, os.O_WRONLY)
    assert unwritable(pipe) == ""
    os.close(writer)
    os.close(reader)


def test_a_pipe_without_a_reader_is_not_waited_for(pipe):
    program = (
        f"from pathlib import Path; from kfgn_conformance.writing import unwritable; unwritable(Path({str(pipe)!r}))"
    )
    assert run(sys.executable, "-c", program).returncode == 0
    assert call(main, "show", pipe).status != 0
