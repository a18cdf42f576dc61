"""`kfgn.lab.early_stopping`: the end of a run whose validation loss does not fall any more, and its best weights."""

import signal

import numpy as np
import pytest

from kfgn.lab import Options, RunFailedError, UsageError, Watch, read_run, resume, train
from kfgn.lab.checkpoint import checkpoints
from kfgn.lab.early_stopping import EarlyStopping, lower_of

OPTIONS = Options(
    "digits", "adam", updates=2000, learning_rate=0.02, evaluate_every=10, checkpoint_every=7, early_stopping=3
)


def changed(**other):
    return Options(**{**vars(OPTIONS), **other})


def lowest_first(run):
    """The validation losses of the evaluations, and the index of the lowest."""
    losses = [lower_of(record, "validation_loss") for record in run.evaluations]
    return losses, losses.index(min(losses))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return train(OPTIONS, tmp_path_factory.mktemp("whole"))


def assert_same_weights(run, expected):
    for averaged in (False, True):
        for W, V in zip(run.weights(averaged=averaged), expected.weights(averaged=averaged), strict=True):
            np.testing.assert_array_equal(W, V)


def assert_same_result(run, expected):
    """Compare what the runs keep, bit for bit."""
    assert run.best_update == expected.best_update
    assert_same_weights(run, expected)
    for name in ("train", "validation", "test"):
        for averaged in (False, True):
            assert run.final(name, averaged=averaged) == expected.final(name, averaged=averaged)
            assert run.accuracy(name, averaged=averaged) == expected.accuracy(name, averaged=averaged)


def test_a_run_ends_after_some_evaluations_without_a_lower_validation_loss(whole):
    losses, lowest = lowest_first(whole)
    assert whole.updates < 2000
    assert len(losses) - 1 - lowest == 3
    assert [record["update"] for record in whole.metrics if "test_loss" in record] == [whole.updates]
    assert resume(whole.folder).metrics == whole.metrics  # a run that has ended is not continued


def test_the_weights_with_the_lowest_validation_loss_are_kept(whole, tmp_path):
    """A run that ends at the update with the lowest validation loss has the same weights and figures."""
    best = whole.evaluations[lowest_first(whole)[1]]["update"]
    assert 0 < best < whole.updates
    expected = train(changed(updates=best, early_stopping=None), tmp_path / "expected")
    assert whole.best_update == best
    assert expected.best_update is None
    assert_same_weights(whole, expected)
    for name in ("train", "validation", "test"):
        assert whole.final(name) == expected.final(name)
        assert whole.accuracy(name, averaged=True) == expected.accuracy(name, averaged=True)


@pytest.mark.parametrize("backend", ["torch", pytest.param("jax", marks=pytest.mark.thorough), "strict"])
def test_every_backend_keeps_the_best_weights(backend, tmp_path):
    """A later step does not change the arrays that are kept."""
    run = train(changed(backend=backend), tmp_path / "run")
    assert 0 < run.best_update < run.updates < 2000
    shorter = changed(backend=backend, updates=run.best_update, early_stopping=None)
    expected = train(shorter, tmp_path / "expected")
    assert_same_weights(run, expected)


def test_a_resumed_run_ends_at_the_same_update(whole, tmp_path):
    """The additional evaluation after the last update of the shorter run is not counted."""
    assert whole.updates > 45
    train(changed(updates=45), tmp_path / "part")
    resumed = resume(tmp_path / "part", {"updates": 2000})
    assert resumed.updates == whole.updates
    assert_same_result(resumed, whole)


class StopsAt(Watch):
    """A watch that requests a stop after an update."""

    def __init__(self, update):
        self.update = update

    def on_updates(self, records):
        if records[-1]["update"] >= self.update:
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("evaluations", [-2, 0, 1])
def test_an_interrupted_run_keeps_the_best_weights(evaluations, whole, tmp_path):
    """The interruption is before or after the best update, and its checkpoint has the best weights so far."""
    moment = whole.best_update + 10 * evaluations + 3
    with pytest.raises(RunFailedError):
        train(OPTIONS, tmp_path, watch=StopsAt(moment))
    stopped = read_run(tmp_path)
    assert stopped.updates < whole.updates
    if evaluations >= 0:
        assert_same_weights(stopped, whole)
    for path in checkpoints(tmp_path)[1:]:
        path.unlink()
    assert_same_result(resume(tmp_path), whole)


def test_a_killed_run_has_the_best_weights_of_its_checkpoint(tmp_path):
    """The metrics may be later than the checkpoint."""
    train(changed(updates=60, checkpoint_every=20), tmp_path / "run")
    expected = train(changed(updates=40), tmp_path / "expected")
    newest, before = checkpoints(tmp_path / "run")
    assert before.name == "checkpoint-000000040.safetensors"
    newest.unlink()
    assert_same_weights(read_run(tmp_path / "run"), expected)


def test_the_last_evaluation_may_be_the_best(tmp_path):
    """A run that is shorter than `evaluate_every` keeps its last weights, and not those of update 0."""
    run = train(changed(updates=7), tmp_path / "run")
    assert run.best_update == 7
    expected = train(changed(updates=7, early_stopping=None), tmp_path / "expected")
    assert_same_weights(run, expected)
    assert run.final("test") == expected.final("test")


@pytest.mark.filterwarnings("ignore:all .* steps of the run .* were rejected")
def test_the_initial_weights_count(tmp_path):
    """Steps with a learning rate of 1e30 are rejected, so no evaluation has a lower loss than that of update 0."""
    given = {"method": "sgd", "learning_rate": 1e30, "max_rejected": 1000, "evaluate_every": 2, "early_stopping": 2}
    run = train(changed(**given), tmp_path / "run")
    assert (run.updates, run.best_update) == (4, 0)
    train(changed(**given, updates=3), tmp_path / "part")
    assert resume(tmp_path / "part", {"updates": 2000}).updates == 4


def test_early_stopping_is_chosen_at_the_start(tmp_path):
    """A run without early stopping has not kept its best weights, and the number of evaluations may change."""
    train(changed(updates=2, early_stopping=None), tmp_path / "a")
    with pytest.raises(UsageError, match=r"^early_stopping: expected no value, since the run in .* keeps its last"):
        resume(tmp_path / "a", {"updates": 4, "early_stopping": 3})
    train(changed(updates=2), tmp_path / "b")
    with pytest.raises(UsageError, match=r"^early_stopping: expected a positive integer, since .* keeps its best"):
        resume(tmp_path / "b", {"updates": 4, "early_stopping": None})
    assert resume(tmp_path / "b", {"updates": 4, "early_stopping": 5}).options["early_stopping"] == 5


def test_a_loss_that_is_not_finite_is_not_lower():
    early = EarlyStopping(2, 10)
    early.observe([{"update": 10 * i, "validation_loss": None, "validation_loss_averaged": None} for i in range(2)])
    assert early.stops
    assert early.best is None
    early.observe([{"update": 20, "validation_loss": None, "validation_loss_averaged": 1.0}])
    assert not early.stops
    assert early.best == 20
