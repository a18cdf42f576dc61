"""A run that was killed, interrupted or could not write is resumed as if it had not stopped."""

import json
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from kfgn.lab import Options, RunFailedError, UsageError, read_run, resume, train
from kfgn.lab.checkpoint import checkpoints, read_checkpoint
from kfgn.lab.setup import digest_of

UPDATES = 100


OPTIONS = Options("digits", "kfac", updates=UPDATES, refresh=2, checkpoint_every=10, evaluate_every=25)


SMALL_DISK = """
import os, resource, sys

size = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
os.execv(sys.executable, [sys.executable, "-m", "kfgn.lab", *sys.argv[2:]])
"""
"""A command whose files the kernel limits to a number of bytes."""


def command(*arguments, largest_file=None):
    program = ["-m", "kfgn.lab"] if largest_file is None else ["-c", SMALL_DISK, str(largest_file)]
    return subprocess.Popen([sys.executable, *program, *map(str, arguments)], stderr=subprocess.PIPE)


def start(out):
    return command(
        *("train", "--data", "digits", "--method", "kfac", "--updates", UPDATES, "--refresh", 2),
        *("--checkpoint-every", 10, "--evaluate-every", 25, "--out", out),
    )


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    return train(OPTIONS, tmp_path_factory.mktemp("uninterrupted"))


def wait_for_records(out, count):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        metrics = out / "metrics.jsonl"
        if metrics.exists() and metrics.read_bytes().count(b"\n") >= count:
            return
        time.sleep(0.002)
    raise AssertionError("the run has too few records")


def assert_same(run, expected):
    """Compare the whole state, bit for bit, and the metrics except for the clock."""
    digest = run.configuration["hash"]
    ours, theirs = (read_checkpoint(checkpoints(r.folder)[0], digest) for r in (run, expected))
    assert ours.t == theirs.t
    assert ours.arrays.keys() == theirs.arrays.keys()
    for name, x in theirs.arrays.items():
        np.testing.assert_array_equal(ours.arrays[name], x, err_msg=name, strict=True)
    assert [{**record, "seconds": 0} for record in run.metrics] == [
        {**record, "seconds": 0} for record in expected.metrics
    ]


def pytest_generate_tests(metafunc):
    if "kill" in metafunc.fixturenames:
        metafunc.parametrize("kill", range(metafunc.config.getoption("--kills")))


def test_killed_at_any_moment(kill, uninterrupted, tmp_path):
    """The moment is some milliseconds after a random update, so that files are being written too."""
    moment = random.Random(kill)
    out = tmp_path / "run"
    with start(out) as process:
        wait_for_records(out, moment.randint(1, UPDATES - 40))
        time.sleep(moment.uniform(0, 0.02))
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert read_run(out).updates < UPDATES
    assert_same(resume(out), uninterrupted)


def test_interrupted_by_ctrl_c(uninterrupted, tmp_path):
    out = tmp_path / "run"
    with start(out) as process:
        wait_for_records(out, 23)
        process.send_signal(signal.SIGINT)
        _, printed = process.communicate()
    assert process.returncode == 130
    t = read_run(out).updates
    assert 22 <= t < UPDATES
    how = f"to continue: kfgn train --resume --out {out}"
    assert printed.decode() == f"kfgn: stopped after update {t}, with a checkpoint in {out}; {how}\n"
    assert checkpoints(out)[0].name == f"checkpoint-{t:09d}.safetensors"
    assert_same(resume(out), uninterrupted)


def test_a_full_disk_keeps_the_checkpoints(uninterrupted, tmp_path):
    out = tmp_path / "run"
    resume_at = 40
    first = train(Options(**{**vars(OPTIONS), "updates": resume_at}), out)
    size = checkpoints(out)[0].stat().st_size
    before = {path.name: path.read_bytes() for path in checkpoints(out)}

    resumed = ("train", "--resume", "--updates", UPDATES, "--out", out)
    with command(*resumed, largest_file=size // 2) as process:
        _, printed = process.communicate()
    assert process.returncode == 1
    assert printed.decode().count("\n") == 1
    assert "checkpoint-000000050.safetensors could not be written" in printed.decode()
    assert f"the last checkpoint is {out / 'checkpoint-000000040.safetensors'}" in printed.decode()
    assert {path.name: path.read_bytes() for path in checkpoints(out)} == before
    assert not list(out.glob("*.tmp"))
    run = resume(out)
    extra = run.metrics[resume_at]  # the last update of the shorter run was evaluated
    assert extra["train_loss"] == first.final()
    for name in [name for name in extra if name.startswith(("train", "validation", "test"))]:
        del extra[name]
    assert_same(run, uninterrupted)


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
    with pytest.warns(UserWarning, match="000000030.safetensors is damaged.*using the previous checkpoint"):
        run = resume(out, {"updates": UPDATES})
    assert before.name == "checkpoint-000000020.safetensors"
    assert_same(run, uninterrupted)


def test_an_incomplete_last_line_is_computed_again(tmp_path):
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
    with pytest.raises(RunFailedError, match="expected a record for each of the updates 0 to 4"):
        resume(tmp_path, {"updates": 8})


def test_options_that_differ_from_the_run_are_named(tmp_path):
    train(Options("digits", updates=4), tmp_path)
    configuration = (tmp_path / "configuration.json").read_bytes()
    with pytest.raises(UsageError, match=r"tau: expected 0\.01, as in .*, got 0\.5"):
        resume(tmp_path, {"tau": 0.5})
    with pytest.raises(UsageError, match="updates: expected at least 4, the number of completed updates, got 3"):
        resume(tmp_path, {"updates": 3})
    assert (tmp_path / "configuration.json").read_bytes() == configuration
    assert resume(tmp_path, {"updates": 6, "batch": 256}).options["updates"] == 6


def test_changed_versions_are_a_warning(tmp_path):
    train(Options("digits", updates=4), tmp_path)
    path = tmp_path / "configuration.json"
    saved = json.loads(path.read_text())
    path.write_text(json.dumps({**saved, "versions": {**saved["versions"], "numpy": "1.0"}}))
    with pytest.warns(UserWarning, match=r"started with numpy 1\.0, not"):
        assert resume(tmp_path, {"updates": 6}).updates == 6


def test_changed_defaults_are_an_error(tmp_path):
    train(Options("digits", updates=4), tmp_path)
    path = tmp_path / "configuration.json"
    saved = json.loads(path.read_text())
    saved["optimiser"]["a_new_constant"] = 1.0
    path.write_text(json.dumps({**saved, "hash": digest_of(saved)}))
    with pytest.raises(UsageError, match="expected the network and the defaults with which kfgn"):
        resume(tmp_path)


def test_a_killed_process_does_not_hold_the_lock(tmp_path):
    first = start(tmp_path / "out")
    wait_for_records(tmp_path / "out", 15)
    with pytest.raises(UsageError, match="another process"):
        resume(tmp_path / "out")
    first.kill()
    first.communicate()
    assert resume(tmp_path / "out").updates == UPDATES
