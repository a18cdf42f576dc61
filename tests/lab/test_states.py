"""`kfgn.lab.states`: `kfgn show` names complete, unfinished and missing runs, and the command that continues them."""

import shlex
import signal

import numpy as np
import pytest

import kfgn
from kfgn.lab import Options, Run, RunFailedError, Task, Watch, compare, train
from kfgn.lab.checkpoint import checkpoints
from kfgn.lab.cli import main
from kfgn.lab.comparison_folder import comparisons_in, runs_in
from kfgn.lab.lock import locked
from kfgn.lab.states import lines_of_states, state_of

METHODS = ["kfra", "adam:0.01", "sgd:0.1"]


class StopsIn(Watch):
    """A watch that requests a stop in the run of a method after some updates."""

    def __init__(self, method, update):
        self.method, self.update = method, update

    def on_start(self, options, *_):
        self.present = options.method

    def on_updates(self, records):
        if self.present == self.method and records[-1]["update"] >= self.update:
            signal.raise_signal(signal.SIGINT)


@pytest.fixture
def interrupted(tmp_path):
    """A comparison that was interrupted in its second run."""
    options = Options("digits", updates=30, seed=1)
    with pytest.raises(RunFailedError):
        compare(options, METHODS, tmp_path / "c", watch=StopsIn("adam", 10))
    return tmp_path / "c"


def lines(capsys):
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_each_run_of_an_interrupted_comparison_has_a_state(interrupted, capsys):
    assert main(["show", str(interrupted)]) == 0
    printed = lines(capsys)
    assert f"the comparison in {interrupted} is not complete:" in printed
    assert "kfra complete" in printed
    assert "adam-0.01 unfinished, 10 of 30 updates done" in printed
    assert "sgd-0.1 missing" in printed
    assert printed[-1].startswith("continue it: kfgn compare ")


def test_the_command_continues_the_comparison(interrupted, capsys):
    main(["show", str(interrupted.parent)])
    command = lines(capsys)[-1].partition("continue it: ")[2]
    assert main([*shlex.split(command)[1:], "--quiet"]) == 0
    assert [run.updates for run in runs_in(interrupted)] == [30, 30, 30]
    capsys.readouterr()
    assert main(["show", str(interrupted)]) == 0
    assert "complete" not in capsys.readouterr().out


def test_a_comparison_in_which_no_run_has_started(interrupted, capsys):
    for name in ("kfra", "adam-0.01"):
        for path in (interrupted / name).iterdir():
            path.unlink()
        (interrupted / name).rmdir()
    assert main(["show", str(interrupted)]) == 0
    assert lines(capsys)[2:5] == ["kfra missing", "adam-0.01 missing", "sgd-0.1 missing"]


def test_the_command_names_how_to_continue(tmp_path, capsys, monkeypatch):
    given = ["--data", "digits", "--updates", "30", "--quiet", "--out", str(tmp_path / "c")]
    monkeypatch.setattr("kfgn.lab.cli._watches", lambda given: given.pop("tensorboard") or [StopsIn("sgd", 10)])
    assert main(["compare", "--methods", "kfra", "sgd:0.1", *given]) == 130
    expected = f"; to continue: kfgn compare --data digits --updates 30 --methods kfra sgd:0.1 --out {tmp_path / 'c'}\n"
    assert capsys.readouterr().err.endswith(expected)


def test_an_unfinished_run_has_its_command(tmp_path, capsys):
    with pytest.raises(RunFailedError):
        train(Options("digits", updates=30), tmp_path / "a", watch=StopsIn("kfra", 20))
    assert main(["show", str(tmp_path / "a")]) == 0
    state, command = lines(capsys)[-2:]
    assert state == f"the run in {tmp_path / 'a'} is unfinished, 20 of 30 updates done"
    assert command == f"continue it: kfgn train --resume --out {tmp_path / 'a'}"


def test_the_command_leaves_out_a_method_that_has_failed(tmp_path, capsys):
    """The method would fail again."""
    options = Options("digits", updates=30, max_rejected=5)
    with pytest.raises(RunFailedError):
        compare(options, ["kfra", "sgd:1e30", "adam:0.01"], tmp_path, watch=StopsIn("adam", 10))
    assert main(["show", str(tmp_path)]) == 0
    *_, first, failed, last, command = lines(capsys)
    assert (first, last) == ("kfra complete", "adam-0.01 unfinished, 10 of 30 updates done")
    assert failed == "sgd-1e30 failed, its last 5 updates were rejected"
    assert main([*shlex.split(command.partition("continue it: ")[2])[1:], "--quiet"]) == 0
    capsys.readouterr()
    assert main(["show", str(tmp_path)]) == 0
    assert lines(capsys)[-1] == f"the run in {tmp_path / 'sgd-1e30'} has failed, its last 5 updates were rejected"


def test_a_run_that_a_longer_comparison_continues_is_unfinished(tmp_path):
    compare(Options("digits", updates=10), ["kfra", "adam:0.01"], tmp_path)
    with pytest.raises(RunFailedError):
        compare(Options("digits", updates=40), ["kfra", "adam:0.01"], tmp_path, watch=StopsIn("kfra", 20))
    states = lines_of_states(runs_in(tmp_path), comparisons_in(tmp_path))
    assert states[1:3] == [
        "  kfra       unfinished, 20 of 40 updates done",
        "  adam-0.01  unfinished, 10 of 40 updates done",
    ]


def test_a_task_of_a_program_has_no_command(tmp_path):
    X = np.random.default_rng(0).standard_normal((40, 3))
    task = Task("own", kfgn.Network.dense((3, 2), (), "squared_error"), X, X[:, :2])
    with pytest.raises(RunFailedError):
        compare(Options("own", updates=30), ["kfra"], tmp_path, task=task, watch=StopsIn("kfra", 10))
    assert lines_of_states(runs_in(tmp_path), comparisons_in(tmp_path))[-1] == (
        "continue it: call kfgn.lab.compare with its task"
    )


def test_a_killed_run_continues_from_its_checkpoint(tmp_path):
    run = train(Options("digits", updates=30, checkpoint_every=20), tmp_path)
    newest, before = checkpoints(tmp_path)
    newest.unlink()
    longer = {"updates": 40, "seconds": None}
    assert state_of(run, longer) == "unfinished, 30 of 40 updates done, continues from update 20"
    before.unlink()
    assert state_of(run, longer) == "unfinished, 30 of 40 updates done, continues from the start"


@pytest.mark.parametrize("name", ["checkpoint-foo", "checkpoint-", "checkpoint-000000020 (copy)", "checkpoint-٣"])
def test_a_file_without_a_number_is_no_checkpoint(name, tmp_path, capsys):
    run = train(Options("digits", updates=30, checkpoint_every=20), tmp_path)
    found = checkpoints(tmp_path)
    (tmp_path / f"{name}.safetensors").write_text("notes")
    assert checkpoints(tmp_path) == found
    found[0].unlink()
    assert state_of(run, {"updates": 40, "seconds": None}).endswith("continues from update 20")
    found[1].unlink()
    assert state_of(run, {"updates": 40, "seconds": None}).endswith("continues from the start")
    assert main(["show", str(tmp_path)]) == 0
    assert "warning" not in capsys.readouterr().err


def test_a_run_in_training_has_no_command(interrupted, capsys):
    """A command to continue would be refused, since another process trains in the folder."""
    with locked(interrupted / "adam-0.01"):
        assert main(["show", str(interrupted)]) == main(["show", str(interrupted / "adam-0.01")]) == 0
    printed = lines(capsys)
    assert "adam-0.01 being trained, 10 of 30 updates done" in printed
    assert printed[-1] == f"the run in {interrupted / 'adam-0.01'} is being trained, 10 of 30 updates done"
    assert not any("continue it" in line for line in printed)


@pytest.mark.parametrize(
    ("limits", "state"),
    [
        ({"updates": 8, "seconds": None}, "complete"),
        ({"updates": 9, "seconds": 2.0}, "complete"),
        ({"updates": 9, "seconds": None}, "unfinished, 8 of 9 updates done"),
        ({"updates": None, "seconds": 30.0}, "unfinished, 2.5 of 30 s done"),
        ({"updates": 9, "seconds": 30.0}, "unfinished, 8 of 9 updates and 2.5 of 30 s done"),
    ],
)
def test_states(limits, state, tmp_path):
    record = {"update": 8, "seconds": 2.5}
    (tmp_path / "checkpoint-000000008.safetensors").touch()
    assert state_of(Run(tmp_path, {"options": {**limits, "max_rejected": 20}}, [record])) == state
