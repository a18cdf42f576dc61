"""`kfgn.lab.tensorboard`: the scalars of a run, read back from the file of events."""

import math
import struct

import pytest

from kfgn.lab import Options, TensorBoard, compare, resume, train
from kfgn.lab.cli import main
from kfgn.lab.tensorboard import tag_of


def scalars(folder):
    """The values by tag and step in the files of events, each a length, its checksum, an event and a checksum."""
    from tensorboardX.proto.event_pb2 import Event

    found = {}
    for path in sorted((folder / "tensorboard").iterdir(), key=lambda path: path.stat().st_mtime_ns):
        content = path.read_bytes()
        while content:
            (length,) = struct.unpack("<Q", content[:8])
            event = Event.FromString(content[12 : 12 + length])
            content = content[16 + length :]
            for value in event.summary.value:
                found[value.tag, event.step] = value.simple_value
    return found


def expected(run):
    return {
        (tag_of(name), record["update"]): float(value)
        for record in run.metrics
        for name, value in record.items()
        if name != "update" and value is not None
    }


def assert_alike(found, wanted):
    assert found.keys() == wanted.keys()
    assert all(math.isclose(found[key], value, rel_tol=1e-6, abs_tol=1e-30) for key, value in wanted.items())


def test_every_metric_is_written(tmp_path):
    pytest.importorskip("tensorboardX")
    train(Options("digits", updates=3), tmp_path / "run", watch=TensorBoard())
    run = resume(tmp_path / "run", {"updates": 5}, watch=[TensorBoard()])
    found = scalars(tmp_path / "run")
    assert_alike(found, expected(run))
    assert {"step/loss", "step/tau", "train/loss", "validation/accuracy_averaged", "test/loss"} <= {t for t, _ in found}


def test_a_run_without_a_checkpoint_begins_again(tmp_path):
    """TensorBoard drops the scalars of earlier files from the step of the event START on."""
    pytest.importorskip("tensorboardX")
    from tensorboardX.proto.event_pb2 import Event, SessionLog

    for _ in range(2):
        watch = TensorBoard()
        watch.on_start(Options("digits", updates=2), 0, 0.0, tmp_path)
        watch.on_updates([{"update": 0, "train_loss": 1.0}])
        watch.on_end()
    first, second = sorted((tmp_path / "tensorboard").iterdir(), key=lambda path: path.name.rsplit(".", 1)[1])
    starts = []
    for path in (first, second):
        content = path.read_bytes()
        while content:
            (length,) = struct.unpack("<Q", content[:8])
            event = Event.FromString(content[12 : 12 + length])
            content = content[16 + length :]
            if event.session_log.status == SessionLog.START:
                starts.append((path, event.step))
    assert starts == [(second, 0)]


def test_the_runs_of_a_comparison_have_their_own_events(tmp_path):
    pytest.importorskip("tensorboardX")
    for run in compare(Options("digits", updates=2), ["kfra", "adam"], tmp_path, watch=TensorBoard()):
        assert_alike(scalars(run.folder), expected(run))


def test_the_command_writes_events(tmp_path):
    pytest.importorskip("tensorboardX")
    given = ("--data", "digits", "--updates", "1", "--tensorboard", "--out", str(tmp_path / "run"))
    assert main(["train", *given]) == 0
    assert scalars(tmp_path / "run")


def test_a_missing_library_is_named_before_anything_is_written(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tensorboardX", None)
    given = ("--data", "digits", "--updates", "1", "--tensorboard", "--out", str(tmp_path / "run"))
    assert main(["train", *given]) == 2
    assert "tensorboardX is not installed: pip install 'kfgn[tensorboard]'" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
