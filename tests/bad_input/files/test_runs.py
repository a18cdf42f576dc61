"""Altered files of a run: the run continues to the same weights, or ends with one line that names the fault."""

import shutil

import numpy as np
import pytest

from kfgn.lab import Options, RunFailedError, UsageError, comparison, read_run, resume, train, trainer
from kfgn.lab.checkpoint import checkpoints, read_checkpoint
from kfgn.lab.cli import main
from kfgn.lab.watch import Watch

from .alterations import alterations, restore
from .commands import call, fault_of_error

UPDATES, LATER = 20, 26
FILES = ("configuration.json", "metrics.jsonl", "checkpoint-000000020.safetensors")
NAMES = (*FILES, "checkpoint-000000015.safetensors", "usable checkpoint", "adam-0.01 is not empty")


class Warnings(Watch):
    """A watch that collects the warnings of a run."""

    def __init__(self):
        self.messages = []

    def on_warning(self, message):
        self.messages.append(message)


@pytest.fixture(scope="module", autouse=True)
def no_pictures():
    """Leave out the pictures, which take most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "draw_run", lambda run, task: None)
        patch.setattr(comparison, "draw_losses", lambda runs, path: None)
        patch.setattr("kfgn.lab.cli.draw_run", lambda run: None)
        yield


def options(**other):
    every = {"checkpoint_every": 5, "evaluate_every": 5}
    return Options(**{"data": "digits", "method": "kfac", "updates": UPDATES, **every, **other})


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of 20 updates, with checkpoints after 15 and 20."""
    return train(options(), tmp_path_factory.mktemp("whole") / "run").folder


@pytest.fixture(scope="module")
def killed(whole, tmp_path_factory):
    """The run after a kill in update 24: records after the last checkpoint, and an incomplete one."""
    folder = tmp_path_factory.mktemp("killed") / "run"
    shutil.copytree(whole, folder)
    resume(folder, {"updates": 23})
    for path in checkpoints(folder):
        path.unlink()
    for path in checkpoints(whole):
        shutil.copy(path, folder)
    with (folder / "metrics.jsonl").open("a") as file:
        file.write('{"update": 24, "sec')
    return folder


@pytest.fixture(scope="module")
def later(killed, tmp_path_factory):
    """The killed run after it has been resumed to its end."""
    folder = tmp_path_factory.mktemp("later") / "run"
    shutil.copytree(killed, folder)
    return resume(folder, {"updates": LATER})


def _comparable(records):
    """Leave out the clock, and the figures on the test set after an update that was the last one of a shorter run.

    Whether the metrics keep these figures depends on the checkpoint from which the run continues.
    """
    *before, last = [{**record, "seconds": 0} for record in records]
    return [{k: v for k, v in record.items() if not k.startswith("test_")} for record in before] + [last]


def same(run, expected):
    """Compare the whole state and the metrics of two runs, except for the clock."""
    ours, theirs = (read_checkpoint(checkpoints(r.folder)[0], r.configuration["hash"]) for r in (run, expected))
    return (
        ours.arrays.keys() == theirs.arrays.keys()
        and all(np.array_equal(ours.arrays[name], x) for name, x in theirs.arrays.items())
        and _comparable(run.metrics) == _comparable(expected.metrics)
    )


@pytest.mark.parametrize("file", FILES)
def test_resume(file, killed, later, tmp_path, alterations_of_each):
    folder, faults, resumed, folders = tmp_path / "run", [], 0, 0
    for alteration in alterations(killed / file, alterations_of_each, seed=1):
        restore(folder, killed)
        alteration.apply(folder / file)
        folders += (folder / file).is_dir()
        try:
            done = call(main, "train", "--resume", "--updates", LATER, "--out", folder)
            fault = fault_of_error(done, *NAMES) if done.status else ""
            if not done.status:
                resumed += 1
                fault = "" if same(read_run(folder), later) else "the resumed run has different results"
        except Exception as error:
            fault = f"{type(error).__name__}: {error}"
        if fault:
            faults.append(f"{alteration.name}: {fault}")
    assert not faults, "\n".join(faults)
    if file.startswith("checkpoint"):  # the previous one is used, but none can be written where there is a folder
        assert resumed == alterations_of_each - folders


@pytest.mark.parametrize("file", FILES)
def test_show(file, whole, tmp_path, alterations_of_each):
    folder, faults = tmp_path / "run", []
    restore(folder, whole)
    expected = call(main, "show", folder)
    assert expected.status == 0
    for alteration in alterations(whole / file, alterations_of_each, seed=2):
        restore(folder, whole)
        alteration.apply(folder / file)
        try:
            done = call(main, "show", folder)
            fault = fault_of_error(done, *FILES) if done.status else ""
            if not done.status and done.out != expected.out:
                fault = f"the output has changed: {done.out}"
        except Exception as error:
            fault = f"{type(error).__name__}: {error}"
        if fault:
            faults.append(f"{alteration.name}: {fault}")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("file", FILES)
def test_compare(file, tmp_path, alterations_of_each):
    """Runs of an earlier call are read as by `resume`, so fewer alterations suffice."""
    arguments = ("compare", "--data", "digits", "--methods", "adam:0.01", "--checkpoint-every", 5, "--updates")
    good, folder, faults = tmp_path / "good", tmp_path / "folder", []
    assert call(main, *arguments, UPDATES, "--out", good).status == 0
    for alteration in alterations(good / "adam-0.01" / file, alterations_of_each // 5, seed=3):
        restore(folder, good)
        alteration.apply(folder / "adam-0.01" / file)
        try:
            done = call(main, *arguments, LATER, "--out", folder)
            fault = fault_of_error(done, *NAMES) if done.status else ""
        except Exception as error:
            fault = f"{type(error).__name__}: {error}"
        if fault:
            faults.append(f"{alteration.name}: {fault}")
    assert not faults, "\n".join(faults)


def test_show_a_comparison(tmp_path, alterations_of_each):
    """The alterations of `comparison.json`, which has no hash, so an altered order may be shown."""
    good, folder, faults = tmp_path / "good", tmp_path / "folder", []
    arguments = ("compare", "--data", "digits", "--methods", "adam:0.01", "kfra", "--updates", 2)
    assert call(main, *arguments, "--out", good).status == 0
    for alteration in alterations(good / "comparison.json", alterations_of_each, seed=4):
        restore(folder, good)
        alteration.apply(folder / "comparison.json")
        try:
            done = call(main, "show", folder)
            fault = fault_of_error(done, "comparison.json") if done.status else ""
            if not done.status and not all(name in done.out for name in ("adam-0.01", "kfra")):
                fault = f"a run is not shown: {done.out}"
        except Exception as error:
            fault = f"{type(error).__name__}: {error}"
        if fault:
            faults.append(f"{alteration.name}: {fault}")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("other", [{"seed": 1}, {"method": "kflr"}, {"dtype": "float64"}])
@pytest.mark.parametrize("file", FILES)
def test_a_file_of_another_run(file, other, killed, later, tmp_path):
    """A checkpoint of another run is ignored. Any other file of another run is an error that names it."""
    stranger, folder = train(options(**other), tmp_path / "other").folder, tmp_path / "run"
    restore(folder, killed)
    shutil.copy(stranger / file, folder / file)
    watch = Warnings()
    if file == FILES[2]:
        run = resume(folder, {"updates": LATER}, watch=watch)
        assert any(
            "000000020.safetensors: expected a checkpoint of the run in this folder" in m for m in watch.messages
        )
        assert same(run, later)
    else:
        with pytest.raises((RunFailedError, UsageError), match=r"checkpoint|metrics"):
            resume(folder, {"updates": LATER}, watch=watch)


def test_a_changed_t_is_detected(killed, later, tmp_path):
    """The hash includes the metadata. Otherwise a run would continue from update 12 with the weights of update 20."""
    folder = tmp_path / "run"
    restore(folder, killed)
    path = folder / FILES[2]
    path.write_bytes(path.read_bytes().replace(b'"t":"20"', b'"t":"12"'))
    watch = Warnings()
    assert same(resume(folder, {"updates": LATER}, watch=watch), later)
    assert any(
        "000000020.safetensors is damaged: its content has changed; using the previous checkpoint" in m
        for m in watch.messages
    )


def test_a_checkpoint_with_the_name_of_another(killed, later, tmp_path):
    folder = tmp_path / "run"
    restore(folder, killed)
    shutil.copy(folder / NAMES[3], folder / FILES[2])
    watch = Warnings()
    assert same(resume(folder, {"updates": LATER}, watch=watch), later)
    assert any(
        "expected a checkpoint of the update in the file name, got one of update 15" in m for m in watch.messages
    )


def test_invalid_newer_checkpoints_remove_no_valid_one(killed, later, tmp_path):
    folder = tmp_path / "run"
    restore(folder, killed)
    for t in (998, 999):
        shutil.copy(folder / NAMES[3], folder / f"checkpoint-{t:09d}.safetensors")
    assert same_weights(resume(folder, {"updates": LATER}, watch=Warnings()), later)
    assert [int(path.stem[-9:]) for path in checkpoints(folder)] == [999, 998, 26, 25]


def same_weights(run, expected):
    return all(np.array_equal(W, V) for W, V in zip(run.weights(), expected.weights(), strict=True))
