"""`kfgn.lab.splitting`: the training, validation and test set of a task."""

from dataclasses import replace

import numpy as np
import pytest

import kfgn
from kfgn.lab import Options, Task, UsageError, resume, train
from kfgn.lab.splitting import split
from kfgn.lab.tasks import open_task

DIGITS = open_task("digits")
HALVES = Options("digits", updates=1, validation_fraction=0.1, test_fraction=0.2)


def rows(data):
    return {row.tobytes() for row in data.X}


def test_each_datapoint_is_in_one_set():
    sets = split(DIGITS, HALVES)
    assert sets.sizes() == {"train": 1258, "validation": 180, "test": 359}
    assert rows(sets.train) | rows(sets.validation) | rows(sets.test) == rows(DIGITS)
    assert len(rows(DIGITS)) == 1797
    of = {row.tobytes(): y for row, y in zip(DIGITS.X, DIGITS.Y, strict=True)}
    for X, Y in sets:
        assert [of[row.tobytes()] for row in X] == Y.tolist()


def test_the_split_depends_on_its_own_seed_alone():
    first = split(DIGITS, HALVES)
    assert split(DIGITS, replace(HALVES, seed=5)).digest() == first.digest()
    other = split(DIGITS, replace(HALVES, split_seed=5))
    assert rows(other.test) != rows(first.test)
    assert len(rows(other.test) & rows(first.test)) < 130  # 72 are expected


def test_own_sets_are_used():
    own = (DIGITS.X[:7], DIGITS.Y[:7])
    sets = split(
        replace(DIGITS, test=own, validation=own), replace(HALVES, validation_fraction=None, test_fraction=None)
    )
    assert sets.sizes() == {"train": 1797, "validation": 7, "test": 7}
    assert sets.train.X is DIGITS.X


def test_an_autoencoder_has_targets_that_are_its_inputs():
    sets = split(replace(DIGITS, Y=DIGITS.X), HALVES)
    assert all(data.Y is data.X for data in sets)


@pytest.mark.parametrize("name", ["validation", "test"])
def test_a_fraction_of_an_own_set(name, tmp_path):
    task = replace(DIGITS, **{name: (DIGITS.X[:7], DIGITS.Y[:7])})
    message = rf"^{name}_fraction: expected no value for digits, which has its own {name} set, got 0\.5$"
    with pytest.raises(UsageError, match=message):
        train(Options("digits", updates=1, **{f"{name}_fraction": 0.5}), tmp_path / "run", task=task)
    run = train(Options("digits", updates=1), tmp_path / "run", task=task)
    assert run.configuration["data"]["sizes"][name] == 7
    assert run.options[f"{name}_fraction"] is None
    assert resume(tmp_path / "run", {"updates": 2}, task=task).updates == 2


def test_a_run_without_held_out_data(tmp_path):
    run = train(Options("digits", updates=2, validation_fraction=0, test_fraction=0), tmp_path)
    assert run.configuration["data"]["sizes"] == {"train": 1797, "validation": 0, "test": 0}
    assert not any("validation" in name or "test" in name for record in run.metrics for name in record)
    assert np.isnan([run.final("validation"), run.accuracy("test")]).all()


def test_other_data_are_refused(tmp_path):
    """A resumed run needs the values with which it was started."""
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((50, 3)), rng.standard_normal((50, 2))
    task = Task("own", kfgn.Network.dense((3, 2), (), "squared_error"), X, Y)
    train(Options("own", updates=2), tmp_path, task=task)
    with pytest.raises(
        UsageError, match=r"^data: expected the data of the run in .*, 35 \+ 5 \+ 10 datapoints with the SHA"
    ):
        resume(tmp_path, {"updates": 4}, task=replace(task, Y=Y + 1))
    assert resume(tmp_path, {"updates": 4}, task=task).updates == 4
