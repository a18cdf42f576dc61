"""`kfgn.lab.checkpoint`: the writing, keeping and refusing of checkpoints."""

import pytest

from kfgn.lab import Options, RunFailedError, resume, train, training_loop
from kfgn.lab.checkpoint import checkpoints


def test_an_older_format_is_refused(folder):
    """In format 4 a run with early stopping kept its last weights."""
    for path in checkpoints(folder):
        path.write_bytes(path.read_bytes().replace(b'"format":"5"', b'"format":"4"'))
    with (
        pytest.warns(UserWarning, match="format: expected '5', got '4'"),
        pytest.raises(RuntimeError, match=r"expected a usable checkpoint, got none: .*format: expected '5', got '4'"),
    ):
        resume(folder, {"updates": 6})


def test_two_checkpoints_are_kept(tmp_path):
    train(Options("digits", updates=25, checkpoint_every=5), tmp_path)
    names = [path.name for path in checkpoints(tmp_path)]
    assert names == ["checkpoint-000000025.safetensors", "checkpoint-000000020.safetensors"]


def test_slow_steps_are_saved_before_checkpoint_every(tmp_path, monkeypatch):
    """A checkpoint is written as soon as too much training is unsaved. The last two are kept."""
    monkeypatch.setattr(training_loop, "READ_UPDATES", 2)
    monkeypatch.setattr(training_loop, "UNSAVED_SECONDS", 0.0)
    train(Options("digits", updates=7, checkpoint_every=1000), tmp_path)
    assert [int(path.stem[-9:]) for path in checkpoints(tmp_path)] == [7, 6]


def test_a_checkpoint_that_cannot_be_written_is_named(tmp_path):
    out = tmp_path / "run"
    train(Options("digits", updates=10, checkpoint_every=5), out)
    (out / "checkpoint-000000015.safetensors.tmp").mkdir()
    with pytest.raises(RunFailedError, match=r"000000015.safetensors could not be written.*000000010.safetensors"):
        resume(out, {"updates": 30})
    (out / "checkpoint-000000015.safetensors.tmp").rmdir()
    assert resume(out).updates == 30


def test_a_run_without_a_usable_checkpoint_is_not_resumed(tmp_path):
    train(Options("digits", updates=4, checkpoint_every=2), tmp_path)
    for path in checkpoints(tmp_path):
        path.write_bytes(b"")
    with (
        pytest.warns(UserWarning, match="is damaged"),
        pytest.raises(RunFailedError, match="expected a usable checkpoint, got none"),
    ):
        resume(tmp_path, {"updates": 8})
