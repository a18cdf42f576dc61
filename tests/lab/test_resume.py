"""A run that was killed, or could not write, goes on as if nothing had happened."""

import json
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from kfgn.lab import Options, RunFailedError, UsageError, read_run, resume, train, trainer
from kfgn.lab.checkpoint import checkpoints, read_checkpoint
from kfgn.lab.lock import locked
from kfgn.lab.setup import digest_of
from kfgn.lab.trainer import InterruptedRunError
from kfgn.lab.watch import Watch

UPDATES = 200
OPTIONS = Options("digits", "kfac", updates=UPDATES, refresh=2, checkpoint_every=10, evaluate_every=25)


SMALL_DISK = """
import os, resource, sys

size = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
os.execv(sys.executable, [sys.executable, "-m", "kfgn.lab", *sys.argv[2:]])
"""
"""A command whose files end after so many bytes, by order of the kernel."""


def command(*arguments, largest_file=None):
    program = ["-m", "kfgn.lab"] if largest_file is None else ["-c", SMALL_DISK, str(largest_file)]
    return subprocess.Popen([sys.executable, *program, *map(str, arguments)], stderr=subprocess.PIPE)


def begin(out):
    return command(
        *("train", "--data", "digits", "--method", "kfac", "--updates", UPDATES, "--refresh", 2),
        *("--checkpoint-every", 10, "--evaluate-every", 25, "--out", out),
    )


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    return train(OPTIONS, tmp_path_factory.mktemp("uninterrupted"))


def wait_for_rows(out, count):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        metrics = out / "metrics.jsonl"
        if metrics.exists() and metrics.read_bytes().count(b"\n") >= count:
            return
        time.sleep(0.002)
    raise AssertionError("the run did not get so far")


def assert_same(run, expected):
    """Bit for bit: the whole state, and the metrics but for the clock."""
    digest = run.configuration["hash"]
    ours, theirs = (read_checkpoint(checkpoints(r.folder)[0], digest) for r in (run, expected))
    assert ours.t == theirs.t
    assert ours.arrays.keys() == theirs.arrays.keys()
    for name, x in theirs.arrays.items():
        np.testing.assert_array_equal(ours.arrays[name], x, err_msg=name, strict=True)
    assert [{**row, "seconds": 0} for row in run.metrics] == [{**row, "seconds": 0} for row in expected.metrics]


def pytest_generate_tests(metafunc):
    if "kill" in metafunc.fixturenames:
        metafunc.parametrize("kill", range(metafunc.config.getoption("--kills")))


def test_killed_at_any_moment(kill, uninterrupted, tmp_path):
    """Random moments: after some update, and then some milliseconds, so that files are being written too."""
    moment = random.Random(kill)
    out = tmp_path / "run"
    with begin(out) as process:
        wait_for_rows(out, moment.randint(1, UPDATES - 40))
        time.sleep(moment.uniform(0, 0.02))
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert read_run(out).updates < UPDATES
    assert_same(resume(out), uninterrupted)


def test_interrupted_by_ctrl_c(uninterrupted, tmp_path):
    out = tmp_path / "run"
    with begin(out) as process:
        wait_for_rows(out, 23)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate()
    assert process.returncode == 130
    t = read_run(out).updates
    assert 22 <= t < UPDATES
    assert told.decode() == f"kfgn: stopped after update {t}, with a checkpoint in {out}; --resume goes on from there\n"
    assert checkpoints(out)[0].name == f"checkpoint-{t:09d}.safetensors"
    assert_same(resume(out), uninterrupted)


def test_slow_steps_are_saved_before_checkpoint_every(tmp_path, monkeypatch):
    """Newest first, the two that are kept."""
    monkeypatch.setattr(trainer, "READ_UPDATES", 2)
    monkeypatch.setattr(trainer, "UNSAVED_SECONDS", 0.0)
    train(Options("digits", updates=7, checkpoint_every=1000), tmp_path)
    assert [int(path.stem[-9:]) for path in checkpoints(tmp_path)] == [7, 6]


def test_a_full_disk_loses_no_checkpoint(uninterrupted, tmp_path):
    out = tmp_path / "run"
    resume_at = 40
    first = train(Options(**{**vars(OPTIONS), "updates": resume_at}), out)
    size = checkpoints(out)[0].stat().st_size
    before = {path.name: path.read_bytes() for path in checkpoints(out)}

    resumed = ("train", "--resume", "--updates", UPDATES, "--out", out)
    with command(*resumed, largest_file=size // 2) as process:
        _, told = process.communicate()
    assert process.returncode == 1
    assert told.decode().count("\n") == 1
    assert "checkpoint-000000050.safetensors could not be written" in told.decode()
    assert f"the last good checkpoint is {out / 'checkpoint-000000040.safetensors'}" in told.decode()
    assert {path.name: path.read_bytes() for path in checkpoints(out)} == before
    assert not list(out.glob("*.tmp"))
    run = resume(out)
    extra = run.metrics[resume_at]  # the last row of the shorter run was evaluated
    assert extra["train_loss"] == first.final()
    for name in ("train_loss", "train_loss_averaged"):
        del extra[name]
    assert_same(run, uninterrupted)


def test_a_checkpoint_that_cannot_be_written_is_named(tmp_path):
    out = tmp_path / "run"
    train(Options("digits", updates=10, checkpoint_every=5), out)
    (out / "checkpoint-000000015.safetensors.tmp").mkdir()
    with pytest.raises(RunFailedError, match=r"000000015.safetensors could not be written.*000000010.safetensors"):
        resume(out, {"updates": 30})
    (out / "checkpoint-000000015.safetensors.tmp").rmdir()
    assert resume(out).updates == 30


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RunFailedError, match="file/run could not be written: Not a directory"):
        train(Options("digits", updates=5), tmp_path / "file" / "run")


@pytest.mark.parametrize("damage", ["torn", "one bit"])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(damage, uninterrupted, tmp_path):
    out = tmp_path / "run"
    train(Options(**{**vars(OPTIONS), "updates": 30, "checkpoint_every": 10}), out)
    newest, before = checkpoints(out)
    content = bytearray(newest.read_bytes())
    if damage == "torn":
        del content[-100:]
    else:
        content[-100] ^= 1
    newest.write_bytes(content)
    with pytest.warns(UserWarning, match="000000030.safetensors is damaged.*going back"):
        run = resume(out, {"updates": UPDATES})
    assert before.name == "checkpoint-000000020.safetensors"
    assert_same(run, uninterrupted)


def test_without_a_whole_checkpoint_nothing_is_resumed(tmp_path):
    train(Options("digits", updates=4, checkpoint_every=2), tmp_path)
    for path in checkpoints(tmp_path):
        path.write_bytes(b"")
    with (
        pytest.warns(UserWarning, match="is damaged"),
        pytest.raises(RunFailedError, match="none of its checkpoints is whole"),
    ):
        resume(tmp_path, {"updates": 8})


def test_a_torn_last_line_is_made_again(tmp_path):
    out = tmp_path / "run"
    expected = train(Options("digits", updates=30, checkpoint_every=10), tmp_path / "expected")
    train(Options("digits", updates=20, checkpoint_every=10, evaluate_every=10), out)
    with (out / "metrics.jsonl").open("a") as file:
        file.write('{"update": 21, "seco')
    run = resume(out, {"updates": 30})
    assert [row["update"] for row in run.metrics] == list(range(31))
    assert run.metrics[-1]["train_loss"] == expected.final()


def test_missing_metrics_are_an_error(tmp_path):
    train(Options("digits", updates=4), tmp_path)
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "metrics.jsonl").write_text("".join(lines[:2]))
    with pytest.raises(RunFailedError, match="expected a row for each of the updates 0 to 4"):
        resume(tmp_path, {"updates": 8})


def test_two_checkpoints_are_kept(tmp_path):
    train(Options("digits", updates=25, checkpoint_every=5), tmp_path)
    names = [path.name for path in checkpoints(tmp_path)]
    assert names == ["checkpoint-000000025.safetensors", "checkpoint-000000020.safetensors"]


class StopsAtTheEnd(Watch):
    """Asks to stop when the last of five updates is done."""

    def goes_on(self, rows):
        if rows[-1]["update"] == 5:
            signal.raise_signal(signal.SIGINT)


def test_a_stop_with_the_last_step_is_a_stop(tmp_path):
    """Or whoever trains one run after the other could not be stopped there."""
    with pytest.raises(InterruptedRunError, match="stopped after update 5, with a checkpoint"):
        train(Options("digits", updates=5), tmp_path, watch=StopsAtTheEnd())
    assert resume(tmp_path).updates == 5
    assert (tmp_path / "loss.png").exists()


def test_options_that_differ_from_the_run_are_named(tmp_path):
    train(Options("digits", updates=4), tmp_path)
    configuration = (tmp_path / "configuration.json").read_bytes()
    with pytest.raises(UsageError, match=r"tau: expected 0\.01, as in .*, got 0\.5"):
        resume(tmp_path, {"tau": 0.5})
    with pytest.raises(UsageError, match="updates: expected at least 4, which are done, got 3"):
        resume(tmp_path, {"updates": 3})
    assert (tmp_path / "configuration.json").read_bytes() == configuration
    assert resume(tmp_path, {"updates": 6, "batch": 256}).options["updates"] == 6


def test_other_versions_than_those_of_the_run_are_a_warning(tmp_path):
    train(Options("digits", updates=4), tmp_path)
    path = tmp_path / "configuration.json"
    saved = json.loads(path.read_text())
    path.write_text(json.dumps({**saved, "versions": {**saved["versions"], "numpy": "1.0"}}))
    with pytest.warns(UserWarning, match=r"begun with numpy 1\.0 and goes on with"):
        assert resume(tmp_path, {"updates": 6}).updates == 6


def test_other_defaults_than_those_of_the_run_are_an_error(tmp_path):
    train(Options("digits", updates=4), tmp_path)
    path = tmp_path / "configuration.json"
    saved = json.loads(path.read_text())
    saved["optimiser"]["a_constant_of_later"] = 1.0
    path.write_text(json.dumps({**saved, "hash": digest_of(saved)}))
    with pytest.raises(UsageError, match="the run was begun with other defaults"):
        resume(tmp_path)


def test_two_do_not_train_in_one_folder(tmp_path):
    """What is there stays, and who comes second is told; an end of any kind lets the next one in."""
    options = Options("digits", updates=4, checkpoint_every=2)
    with locked(tmp_path), pytest.raises(UsageError, match=f"{tmp_path}: another process is training there"):
        train(options, tmp_path)
    run = train(options, tmp_path)
    with locked(tmp_path), pytest.raises(UsageError, match="another process"):
        resume(tmp_path, {"updates": 8})
    assert read_run(tmp_path).metrics == run.metrics
    assert resume(tmp_path, {"updates": 8}).updates == 8


def test_a_killed_process_holds_nothing(tmp_path):
    first = begin(tmp_path / "out")
    wait_for_rows(tmp_path / "out", 15)
    with pytest.raises(UsageError, match="another process"):
        resume(tmp_path / "out")
    first.kill()
    first.communicate()
    assert resume(tmp_path / "out").updates == UPDATES
