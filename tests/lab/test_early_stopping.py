"""`kfgn.lab.early_stopping`: the end of a run whose validation loss does not fall any more."""

from kfgn.lab import Options, resume, train
from kfgn.lab.early_stopping import EarlyStopping, lower_of

OPTIONS = Options("digits", "adam", updates=2000, learning_rate=0.02, evaluate_every=10, early_stopping=3)


def lowest_first(run):
    """The validation losses of the evaluations, and the index of the lowest."""
    losses = [lower_of(record, "validation_loss") for record in run.evaluations]
    return losses, losses.index(min(losses))


def test_a_run_ends_after_some_evaluations_without_a_lower_validation_loss(tmp_path):
    run = train(OPTIONS, tmp_path)
    losses, lowest = lowest_first(run)
    assert run.updates < 2000
    assert len(losses) - 1 - lowest == 3
    assert run.final("test") > 0  # the test set is evaluated at the end
    assert [record["update"] for record in run.metrics if "test_loss" in record] == [run.updates]
    assert resume(tmp_path).metrics == run.metrics  # a run that has ended is not continued


def test_a_resumed_run_ends_at_the_same_update(tmp_path):
    """The additional evaluation after the last update of the shorter run is not counted."""
    whole = train(OPTIONS, tmp_path / "whole")
    assert whole.updates > 45
    train(Options(**{**vars(OPTIONS), "updates": 45}), tmp_path / "part")
    resumed = resume(tmp_path / "part", {"updates": 2000})
    assert resumed.updates == whole.updates
    assert resumed.final("test") == whole.final("test")


def test_a_loss_that_is_not_finite_is_not_lower():
    early = EarlyStopping(2, 10)
    early.observe([{"update": 10 * i, "validation_loss": None, "validation_loss_averaged": None} for i in range(2)])
    assert early.stops
    early.observe([{"update": 20, "validation_loss": None, "validation_loss_averaged": 1.0}])
    assert not early.stops
